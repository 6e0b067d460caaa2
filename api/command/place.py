"""Opens what a command works on: the database, the keys and a book; closes them again whatever happens."""

from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import parse_dsn

from api.command.options import WrongUse
from api.command.printing import say
from ledger.application import Ledger
from ledger.database.faults import DatabaseUnavailable, RoleNotGranted
from ledger.database.folder import DataFolder
from ledger.database.migrate import migrate
from ledger.database.roles import Role
from ledger.database.target import Database, database_at, open_database
from ledger.deadlines.regime import BUILT_IN
from ledger.founding import found, is_founded
from ledger.policy.built_in import IN_FORCE
from ledger.policy.events import POLICY_NAMES
from ledger.record.book import book_names, claim_keys, create_book
from ledger.record.reading import NoSuchBook, events_after, head
from ledger.settings import BOOK_DEFAULT, Settings
from ledger.tables.events import TABLES_NAMES
from ledger.vault.keys import SubjectKeys, mark_of

BOOKS_NAMED_MAX = 5

POLICIES_LOOKED_AT_MAX = 100
"""A book of more events than these is not taken for an empty one, whatever they are."""


@contextmanager
def open_place(settings: Settings, *, migrates: bool = False, makes: bool = False) -> Iterator[Database]:
    """The database of the settings, ready for use; raises WrongUse where it is not one, or there is none to read.

    The embedded one is always migrated, and has a book `main`; only commands that write make a server where
    there is none. One by URL is migrated only by the commands that say so: an operator decides when a shared
    database changes.
    """
    check_address(settings)
    if not (makes or settings.database_url or _holds_a_ledger(settings)):
        raise WrongUse(
            f"there is no ledger in {settings.data}; `complaint-ledger migrate --data {settings.data}` makes one"
        )
    with open_database(settings) as database:
        if migrates or database.is_embedded:
            for name in migrate(database):
                say(f"migrated: {name}")
        if database.is_embedded and settings.book == BOOK_DEFAULT:
            make_book(database, BOOK_DEFAULT)
        try:
            yield database
        except NoSuchBook as missing:
            raise WrongUse(f"{missing}{_others(database)}") from None


def _others(database: Database) -> str:
    """The books that a mistyped name may have meant."""
    with closing(database.connect(Role.AUDITOR, autocommit=True)) as connection:
        names = book_names(connection)
    more = f" and {len(names) - BOOKS_NAMED_MAX} more" if len(names) > BOOKS_NAMED_MAX else ""
    return f"; there is: {', '.join(names[:BOOKS_NAMED_MAX])}{more}" if names else ""


def check_address(settings: Settings) -> None:
    """Raises WrongUse where the URL is not an address of PostgreSQL: that is a slip of the pen, and no outage."""
    if settings.database_url is None:
        return
    try:
        database_at(settings.database_url)
    except DatabaseUnavailable as malformed:
        raise WrongUse(str(malformed)) from None
    ports = parse_dsn(settings.database_url).get("port", "").split(",")
    if not all(port == "" or (port.isascii() and port.isdigit() and 0 < int(port) < 65_536) for port in ports):
        raise WrongUse("the port in LEDGER_DATABASE_URL (or --database) is not one: write a number, 5432 for one")


def _holds_a_ledger(settings: Settings) -> bool:
    """Whether a server was made in the data folder; one that is closed to us is told of by whoever opens it."""
    try:
        return DataFolder(settings.data).postgres.exists()
    except OSError:
        return True


def make_book(database: Database, book: str, origin: str | None = None, in_force: Collection[str] = IN_FORCE) -> bool:
    """Opens a book where there is none of this name, with the built-in policies and code tables as its first events; says whether it did.

    A book of this name that has none yet gets them too: cut off here, it is still empty; opened by an older
    program, it goes on by the default ones.
    Raises WrongUse for an unfit name, and for a regime in force that is not built in.
    """
    strangers = sorted(set(in_force) - set(BUILT_IN))
    if strangers:
        raise WrongUse(f"no regime {strangers[0]!r} is built in: name any of {', '.join(BUILT_IN)}")
    with closing(database.connect(Role.OWNER)) as owner:
        known = book in book_names(owner)
        try:
            create_book(owner, book, origin)
        except ValueError as unfit:
            raise WrongUse(str(unfit)) from None
        founded, is_empty = is_founded(owner, book), head(owner, book).size == 0
    if not founded:
        try:
            found(database, book, datetime.now(UTC), in_force if is_empty else IN_FORCE)
        except RoleNotGranted:  # who migrates may be let do no more than that
            say(
                f"the book {book} has not all policies and code tables of its own yet and goes by the built-in ones: run "
                f"`complaint-ledger book create {book}` as a login that may act as {Role.APPLICATION}"
            )
    return not known


def writable_book(database: Database, book: str) -> None:
    """Sees that there is a book to write to; raises NoSuchBook.

    A mistyped name must not open a book for ever: `main` comes with the embedded server, others by `book create`.
    """
    with closing(database.connect(Role.APPLICATION, autocommit=True)) as connection:
        head(connection, book)


def said_to_be_empty(connection: Connection, book: str) -> str | None:
    """What to tell somebody who asks a book without a complaint, who may have forgotten to name another; None where it has more.

    A book that was founded has events, and whoever reads their number is not told that it is empty.
    """
    if holds_more_than_policies(connection, book):
        return None
    size = head(connection, book).size
    empty = f"holds nothing but the {size} events of its own founding, and no complaint" if size else "is empty"
    others = [name for name in book_names(connection) if name != book]
    if not others:
        return f"the book {book} {empty}"
    more = f" and {len(others) - BOOKS_NAMED_MAX} more" if len(others) > BOOKS_NAMED_MAX else ""
    return f"the book {book} {empty}; there is also: {', '.join(others[:BOOKS_NAMED_MAX])}{more} (--book, LEDGER_BOOK)"


def say_if_empty(database: Database, book: str) -> None:
    """Tells whoever checked an empty book which others there are; as the auditor, who may have no other role."""
    with closing(database.connect(Role.AUDITOR, autocommit=True)) as connection:
        empty = said_to_be_empty(connection, book)
    if empty is not None:
        say(empty)


def holds_more_than_policies(connection: Connection, book: str) -> bool:
    """Whether anything is recorded in a book but its policies and code tables, which every book begins with."""
    size = head(connection, book).size
    beginning = events_after(connection, book, 0, POLICIES_LOOKED_AT_MAX)
    return size > len(beginning) or any(row.name not in {**POLICY_NAMES, **TABLES_NAMES} for row in beginning)


@contextmanager
def open_ledger(database: Database, settings: Settings) -> Iterator[Ledger]:
    """The ledger of the settings' book, with the keys of the vault."""
    with closing(open_keys(settings)) as keys, closing(Ledger(database, settings.book, keys)) as ledger:
        yield ledger


def open_keys(settings: Settings) -> SubjectKeys:
    """The vault's keys, from the environment's master key or the data folder's."""
    return SubjectKeys.open(settings.keys, settings.master_key)


def join_keys(database: Database, settings: Settings) -> None:
    """Joins the book to the keys of the settings; the first write does so too, with a login that may act as the owner.

    Raises WrongUse where it belongs to others.
    """
    with closing(open_keys(settings)) as keys, closing(database.connect(Role.OWNER)) as owner:
        mark = mark_of(keys, settings.book)
        if claim_keys(owner, settings.book, mark) != mark:
            raise WrongUse(f"the book {settings.book} belongs to other keys than those in {settings.keys}")
