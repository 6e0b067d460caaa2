"""`access`: who saw the personal values of a data subject, and indexing again what is searched. Shows no value."""

from collections.abc import Sequence
from contextlib import closing
from typing import Annotated
from uuid import UUID

import typer
from rich.table import Table

from api.command.filling import calendar
from api.command.options import AsJson, BookName, DatabaseUrl, DataFolder, WrongUse, settings_of
from api.command.place import open_ledger, open_place
from api.command.printing import cell, out, print_json, progress, say, table
from api.command.telling import happened
from ledger.database.roles import Role
from ledger.record.reading import head
from ledger.vault.reindexing import reindex
from ledger.vault.sealing import DisclosureBroken
from ledger.vault.service import Vault
from ledger.vault.watching import Seen, who_saw

access_app = typer.Typer(no_args_is_help=True, help="Who saw what, and what can be searched.")


@access_app.callback()
def access() -> None:
    """Who saw what, and what can be searched."""


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


@access_app.command("reindex")
def index_again(
    after: Annotated[int, typer.Option("--after", min=0, help="Begin behind this position.")] = 0,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Index again, for searches and look-ups, the values that are recorded; what is in the index stays.

    Needed for what was recorded before an index was there. Erased persons and those whose erasure was asked for are left
    out. It may be cut off at any time, run beside a server, and go on with --after.
    """
    settings = settings_of(database, data, book)
    done, indexed, left_out = after, 0, 0
    with (
        open_place(settings) as target,
        open_ledger(target, settings) as ledger,
        closing(Vault(ledger, target)) as vault,
        closing(target.connect(Role.AUDITOR, autocommit=True)) as auditor,
        progress("indexing again", silent=as_json) as advance,
    ):
        end = head(auditor, settings.book).size
        try:
            for page in reindex(ledger, vault, auditor, after):
                done, indexed, left_out = page.position, indexed + page.indexed, left_out + page.left_out
                advance(done, max(done, end))
        except KeyboardInterrupt:
            say(f"cut off: complaint-ledger access reindex --after {done} --book {settings.book} goes on from here")
            raise typer.Exit(1) from None
        except DisclosureBroken as broken:
            say(
                f"behind position {done}: {broken}. Run complaint-ledger verify --book {settings.book}, which names the place"
            )
            raise typer.Exit(1) from None
    if as_json:
        print_json({"book": settings.book, "position": done, "indexed": indexed, "left_out": left_out})
        return
    out().print(f"{indexed:,} values up to position {done:,} are in the index of the book {settings.book}")
    if left_out:
        out().print(f"{left_out:,} were left out: their persons were erased, or their erasure was asked for")


def _table(subject_id: UUID, book: str, looks: Sequence[Seen]) -> Table:
    """The looks as a person reads them: what was seen in clear apart from what was masked."""
    title = f"Looks 查阅 at the data subject {subject_id} of the book {book}; times of {calendar().zone}"
    shown = table(title, "position", "when", "who", "purpose", "in clear 明文", "masked 掩码", numbers=("position",))
    for look in looks:
        in_clear = [f"{path} {look.file_id}" if look.file_id else path for path in look.revealed_paths]
        shown.add_row(
            *(cell(look.position), happened(look.seen_at, calendar()), look.seen_by, look.purpose),
            *(cell(" ".join(in_clear)), cell(" ".join(look.masked_paths))),
        )
    return shown
