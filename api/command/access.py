"""`access who-saw`: who saw the personal values of a data subject, from the record. Shows no value."""

from typing import Annotated
from uuid import UUID

import typer

from api.command.options import AsJson, BookName, DatabaseUrl, DataFolder, WrongUse, settings_of
from api.command.place import open_ledger, open_place
from api.command.printing import out, print_json, table
from ledger.vault.watching import who_saw

access_app = typer.Typer(no_args_is_help=True, help="Who saw what.")


@access_app.callback()
def access() -> None:
    """Who saw what."""


@access_app.command("who-saw")
def seen(
    subject: Annotated[str, typer.Argument(metavar="SUBJECT", help="Id of the data subject: a customer's, for one.")],
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Print every look at the personal values of a data subject: who, when, what, why, and under which grant."""
    settings = settings_of(database, data, book)
    try:
        subject_id = UUID(subject)
    except ValueError:
        raise WrongUse(f"{subject!r} is no id of a data subject: write a UUID, as a look shows it") from None
    with open_place(settings) as target, open_ledger(target, settings) as ledger:
        looks = who_saw(ledger, subject_id)
    if as_json:
        print_json({"subject_id": subject_id, "looks": [look._asdict() for look in looks]})
        return
    shown = table(None, "position", "when", "who", "purpose", "in clear", "fields", numbers=("position", "in clear"))
    for look in looks:
        when = look.seen_at.isoformat(timespec="seconds")
        shown.add_row(f"{look.position:,}", when, look.seen_by, look.purpose, str(look.revealed), " ".join(look.paths))
    out().print(shown if looks else "nobody saw a personal value of this data subject")
