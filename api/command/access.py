"""`access who-saw`: who saw the personal values of a data subject, from the record. Shows no value."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import typer
from rich.table import Table

from api.command.filling import calendar
from api.command.options import AsJson, BookName, DatabaseUrl, DataFolder, WrongUse, settings_of
from api.command.place import open_ledger, open_place
from api.command.printing import cell, out, print_json, table
from api.command.telling import happened
from ledger.vault.watching import Seen, who_saw

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
    if not looks:
        out().print("nobody saw a personal value of this data subject")
        return
    out().print(_table(subject_id, settings.book, looks))


def _table(subject_id: UUID, book: str, looks: Sequence[Seen]) -> Table:
    """The looks as a person reads them: what was seen in clear apart from what was masked."""
    title = f"Looks 查阅 at the data subject {subject_id} of the book {book}; times of {calendar().zone}"
    shown = table(title, "position", "when", "who", "purpose", "in clear 明文", "masked 掩码", numbers=("position",))
    for look in looks:
        in_clear = [f"{path} {look.file_id}" if look.file_id else path for path in look.revealed_paths]
        masked = [path for path in look.paths if path not in look.revealed_paths]
        shown.add_row(
            *(cell(look.position), happened(look.seen_at, calendar()), look.seen_by, look.purpose),
            *(cell(" ".join(in_clear)), cell(" ".join(masked))),
        )
    return shown
