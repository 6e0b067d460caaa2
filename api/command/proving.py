"""`verify`: recomputes a whole book from its stored bytes and prints what was found. Changes nothing."""

from contextlib import ExitStack, closing
from typing import Annotated

import typer

from api.command.options import AsJson, BookName, DatabaseUrl, DataFolder, settings_of
from api.command.place import open_keys, open_place, say_if_empty
from api.command.printing import out, print_json, progress, say
from ledger.record.problems import Verification
from ledger.record.verify import verify as verify_book
from ledger.settings import Settings
from ledger.vault.keys import STORE_FILE, SubjectKeys


def verify(
    limit: Annotated[int, typer.Option("--limit", min=1, max=1_000, help="Print at most so many problems.")] = 50,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Recompute every entry and the whole tree from the stored bytes, and compare with what the book says of itself.

    Compares the book's row, leaf hashes, stream heads and the digests of personal values; where the keys are
    in the data folder, opens those too. Exit code 1 when something does not agree; the positions are named.
    """
    settings = settings_of(database, data, book)
    with open_place(settings) as target, ExitStack() as open_things:
        keys = _keys_if_there(settings, open_things, silent=as_json)
        with progress("events", silent=as_json) as advance:
            found = verify_book(target, settings.book, keys, advance)
        say_if_empty(target, settings.book)
    if as_json:
        print_json(
            {
                "book": found.book,
                "events": found.events,
                "root": found.root,
                "ok": found.ok,
                "problems": [problem._asdict() for problem in found.problems],
                "problems_total": found.problems_total,
                "values_opened": keys is not None,
            }
        )
    else:
        _print(found, limit)
    if not found.ok:
        raise typer.Exit(1)


def _keys_if_there(settings: Settings, open_things: ExitStack, *, silent: bool) -> SubjectKeys | None:
    """The keys, unless this machine has none: an auditor's has not, and must not get new ones made."""
    if (settings.keys / STORE_FILE).exists():
        return open_things.enter_context(closing(open_keys(settings)))
    if not silent:
        say(f"no keys in {settings.keys}: personal values are held against their digests, and not opened")
    return None


def _print(found: Verification, limit: int) -> None:
    console = out()
    if found.ok:
        console.print(f"the book {found.book} is whole: {found.events:,} events, root {found.root}")
        return
    console.print(
        f"the book {found.book} is NOT as it was recorded: {found.problems_total:,} problems in {found.events:,} events"
    )
    for problem in found.problems[:limit]:
        where = "the book" if problem.position is None else f"position {problem.position:,}"
        console.print(f"{where}: {problem.says} ({problem.kind})", soft_wrap=True)
    if found.problems_total > limit:
        say(f"{found.problems_total - limit:,} more: ask with a higher --limit, or --json for the first thousand")
