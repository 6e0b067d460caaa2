"""`migrate` and `book`: makes the database and its books ready. Records no event."""

from contextlib import closing
from typing import Annotated

import typer
from psycopg2.extensions import connection as Connection

from api.command.options import AsJson, BookName, DatabaseUrl, DataFolder, WrongUse, settings_of
from api.command.place import check_address, join_keys, make_book, open_place
from api.command.printing import cell, out, print_json, say, table
from ledger.database.migrate import migrate
from ledger.database.roles import Role
from ledger.database.target import open_database
from ledger.policy.built_in import IN_FORCE
from ledger.record.book import book_names
from ledger.record.reading import BookHead, NoSuchBook, head

books_app = typer.Typer(help="Open books and list them. A book is one institution's ledger.", no_args_is_help=True)


def migrate_database(
    join: Annotated[
        bool,
        typer.Option("--join-keys", help="Join the book to the keys in the data folder, where it belongs to none yet."),
    ] = False,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Bring the database up to this version of the program, and open the book if it is not there.

    Safe to run again, and by several at once. Needs a login that may act as `ledger_owner`.
    """
    settings = settings_of(database, data, book)
    check_address(settings)
    with open_database(settings) as target:
        applied = migrate(target)
        opened = make_book(target, settings.book)
        if join:
            join_keys(target, settings)
    if as_json:
        print_json({"applied": applied, "book": settings.book, "book_opened": opened})
        return
    for name in applied:
        print_line(f"applied {name}")
    print_line(f"{len(applied)} migrations applied" if applied else "the database is up to date")
    if opened:
        print_line(f"opened the book {settings.book}")


def print_line(sentence: str) -> None:
    """One line of an answer, never broken: it may be there to be copied."""
    out().print(sentence, soft_wrap=True)


@books_app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="1 to 63 lower-case letters, digits and hyphens, a letter first.")],
    origin: Annotated[
        str | None,
        typer.Option(
            help="A globally unique name that stands in every entry for ever, such as complaints.bank.example/main. "
            "[default: a random one]"
        ),
    ] = None,
    in_force: Annotated[
        list[str] | None,
        typer.Option(
            "--in-force",
            metavar="REGIME",
            help="A built-in regime that applies from the beginning on; may be given more than once. [default: house]",
        ),
    ] = None,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Open a book, with the built-in regimes and calendars published in it. A book is never renamed or removed."""
    if book not in {None, name}:
        raise WrongUse(f"--book {book} and {name} are two names: give the one of the book that is to be opened")
    with open_place(settings_of(database, data, name), migrates=True, makes=True) as target:
        opened = make_book(target, name, origin, in_force or IN_FORCE)
        with closing(target.connect(Role.APPLICATION, autocommit=True)) as connection:
            where = head(connection, name)
    if as_json:
        print_json({"book": where.book, "origin": where.origin, "events": where.size, "opened": opened})
        return
    print_line(f"{'opened the book' if opened else 'there already: the book'} {where.book}, origin {where.origin}")


@books_app.command("list")
def list_books(
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="List at most so many.")] = 100,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """List the books of the database, with how many events each holds and the root of its tree."""
    with (
        open_place(settings_of(database, data, book)) as target,
        closing(target.connect(Role.APPLICATION, autocommit=True)) as connection,
    ):
        names = [name for name in book_names(connection) if book in {None, name}]
        if book is not None and not names:
            raise NoSuchBook(book)
        ends = {name: _end(connection, name) for name in names[:limit]}
    if as_json:
        print_json([_as_document(name, end) for name, end in ends.items()])
        return
    listing = table(None, "book", "events", "origin", "root", numbers=("events",))
    for name, end in ends.items():
        if end is None:
            listing.add_row(name, "?", "its end is lost", f"complaint-ledger verify --book {name}")
        else:
            listing.add_row(name, cell(end.size), end.origin, end.root.hex())
    out().print(listing)
    if len(names) > limit:
        say(f"{len(names) - limit} more: ask with --limit {len(names)}")


def _end(connection: Connection, name: str) -> BookHead | None:
    """Where a book ends; None for one whose end was taken out of the database: the others are listed all the same."""
    try:
        return head(connection, name)
    except NoSuchBook:
        return None


def _as_document(name: str, end: BookHead | None) -> dict[str, object]:
    if end is None:
        return {"book": name, "origin": None, "events": None, "root": None}
    return {"book": name, "origin": end.origin, "events": end.size, "root": end.root.hex()}
