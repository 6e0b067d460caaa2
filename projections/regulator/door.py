"""Makes a receiver's database, brings its rows up by difference, and takes the digest of what they were. Records no event.

The rows are computed from the projection `indicators` at one position. A complaint and a customer bear names there that
are this receiver's alone; no event, stream or position of an event can be told from them.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from psycopg2 import sql
from psycopg2.extensions import connection as Connection
from psycopg2.extras import execute_values

from ledger.circumstances import tables_at
from ledger.database.roles import Role
from ledger.database.sql import queries
from ledger.database.target import Database
from ledger.proof.stored import StoredTree
from ledger.tables.state import Tables
from projections.asking import NotBuilt, standing
from projections.indicators.places import places
from projections.indicators.tables import PROJECTION
from projections.machine import in_schema, schema_of
from projections.returns.asking import Pseudonyms

FORM = "complaint-ledger/rows/v1"
COLUMNS = (
    "book reference from_position to_position customer received_at channel business reason product category issue cause grade "
    "region transferred_by first_replied_at resolved_at replied_at outcome reopenings disputed ended_at ended_how"
)
CODE_VERSION = 3
ROWS_PER_PAGE = 2_000
RECEIVER = re.compile(r"[a-z][a-z0-9]{0,30}")

_SQL = queries(__file__)

Row = tuple[Any, ...]
"""Reference, and what the door says of the complaint."""


class NoSuchReceiver(ValueError):
    """The name of a receiver is a word of lower-case letters and digits: it names a database."""


class BroughtUp(NamedTuple):
    """Where the door stands after it was brought up, and how many rows were added and ended."""

    position: int
    added: int
    ended: int


class Digest(NamedTuple):
    """How many rows there were at a position, and the SHA-256 of them in hex."""

    rows: int
    sha256: str


def database_of(receiver: str) -> str:
    """The name of a receiver's database; raises NoSuchReceiver."""
    if RECEIVER.fullmatch(receiver) is None:
        raise NoSuchReceiver(f"{receiver!r}: name a receiver by 1 to 31 lower-case letters and digits, such as nfra")
    return f"ledger_regulator_{receiver}"


def projection_of(receiver: str) -> str:
    """The name under which the receiver's rows are sealed."""
    database_of(receiver)
    return f"regulator-{receiver}"


def login_of(receiver: str) -> str:
    """The role that this receiver's server logs in as, and no other receiver's; raises NoSuchReceiver."""
    database_of(receiver)
    return f"{Role.PUBLISHER}_{receiver}"


def open_door(database: Database, receiver: str) -> bool:
    """Makes the receiver's database with its tables, publication and login; False where it was there. Takes a superuser's right.

    The login may connect to this database and to no other of ours, and replicate. Our own publisher reads every door and
    replicates none; PUBLIC may not connect at all. A door that was opened by an older program is brought to the same.
    """
    name, login = database_of(receiver), sql.Identifier(login_of(receiver))
    with closing(database.administrator()) as administrator, administrator.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = %s)", (login_of(receiver),))
        if cursor.fetchone() != (True,):
            cursor.execute(sql.SQL("CREATE ROLE {} LOGIN REPLICATION NOINHERIT").format(login))
        cursor.execute("SELECT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = %s)", (name,))
        is_new = cursor.fetchone() != (True,)
        if is_new:
            identifier = sql.Identifier(name)
            cursor.execute(sql.SQL("CREATE DATABASE {} OWNER ledger_owner TEMPLATE template0").format(identifier))
            cursor.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(identifier))
            roles = sql.SQL(", ").join(map(sql.Identifier, (Role.PROJECTOR, Role.PUBLISHER, Role.AUDITOR)))
            cursor.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(identifier, roles))
        cursor.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(name), login))
        writer = sql.Identifier(Role.PROJECTOR)
        cursor.execute(sql.SQL("GRANT TEMPORARY ON DATABASE {} TO {}").format(sql.Identifier(name), writer))
        ours = sql.Identifier(database.name)
        cursor.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM {}").format(ours, sql.Identifier(Role.PUBLISHER)))
        cursor.execute(sql.SQL("ALTER ROLE {} NOREPLICATION").format(sql.Identifier(Role.PUBLISHER)))
        if database.is_embedded:  # a server of ours; of somebody else's, its operator decides
            cursor.execute("REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC")
    with closing(database.beside(name).connect(Role.OWNER)) as owner, owner, owner.cursor() as cursor:
        cursor.execute(_SQL["tables"])
        cursor.execute(sql.SQL(_SQL["rights"]).format(login=login))
        cursor.execute(_SQL["has_publication"])
        if cursor.fetchone() != (True,):
            cursor.execute(_SQL["publication"])
    return is_new


def bring_up(database: Database, book: str, receiver: str, names: Pseudonyms) -> BroughtUp:
    """Brings the door from where it stands to where the projection stands, in one transaction and constant memory.

    Rows are written in the order of the receiver's names, never of our ids. Killed at any point, it is where it was before;
    where no row is known otherwise it stays there too, and what it was sealed at is what it says.
    Raises NotBuilt.
    """
    door = database.beside(database_of(receiver))
    with (
        closing(database.connect(Role.APPLICATION, autocommit=True)) as ledger,
        closing(door.connect(Role.PROJECTOR)) as out,
    ):
        position = standing(ledger, book, PROJECTION.name)
        if position is None:
            raise NotBuilt(book, PROJECTION.name)
        with out, out.cursor() as cursor:
            cursor.execute(_SQL["standing"], {"book": book})
            found = cursor.fetchone()
            stood = 0 if found is None else found[0]
            if position <= stood:
                return BroughtUp(stood, 0, 0)
            added = ended = 0
            tables = tables_at(ledger, book, as_of=position)
            tables_are_new = tables.version != tables_at(ledger, book, as_of=stood).version
            # new tables may count what did not change elsewhere, and so may another program: every complaint is looked at
            by_other_rules = tables_are_new or _sealed_by(out, book) not in {None, CODE_VERSION}
            after = 0 if by_other_rules else stood
            cursor.execute(_SQL["wanted"])
            for page in _changed(ledger, book, after, position, tables):
                rows = [(book, reference, position, *said) for reference, said in (_named(row, names) for row in page)]
                execute_values(cursor, _SQL["want"], rows, page_size=1_000)
            for wanted in _wanted(out):
                more, fewer = _difference(out, book, position, wanted)
                added, ended = added + more, ended + fewer
            if found is not None and not (added or ended or by_other_rules):
                return BroughtUp(stood, 0, 0)
            root = StoredTree(ledger, book, position).root().hex()
            cursor.execute(
                _SQL["bring_up"], {"book": book, "position": position, "root": root, "at": datetime.now(UTC)}
            )
        return BroughtUp(position, added, ended)


def digest_at(connection: Connection, book: str, position: int) -> Digest:
    """The digest of the rows as they stood at a position; the same in the regulator's copy as in the door."""
    taken = _Taken()
    with connection.cursor() as cursor:
        cursor.execute(_SQL["as_written"])
        taken.write(f"{FORM} complaint {COLUMNS}\n".encode())
        statement = sql.SQL(_SQL["rows_at"]).format(book=sql.Literal(book), position=sql.Literal(position))
        cursor.copy_expert(statement, taken)
        return Digest(cursor.rowcount, taken.sha256.hexdigest())


def reached(connection: Connection, book: str) -> tuple[int, str] | None:
    """The position and root that a door or a copy has come to; None before the first time."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL["reached"], {"book": book})
        found = cursor.fetchone()
    return None if found is None else (found[0], found[1])


def brought_up_at(connection: Connection, book: str) -> datetime | None:
    """When a door came to where it stands; None where this book was never published there. Ends no transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL["brought_up_at"], {"book": book})
        found = cursor.fetchone()
    return None if found is None else found[0]


def keep_seal(connection: Connection, book: str, position: int, state: bytes, entry: bytes, proof: bytes) -> None:
    """Puts the seal of a position, its entry and its proof beside the rows."""
    with connection, connection.cursor() as cursor:
        parameters = {"book": book, "position": position, "state": state, "entry": entry, "proof": proof}
        cursor.execute(_SQL["keep_seal"], parameters)


def last_seal(connection: Connection, book: str) -> tuple[int, bytes, bytes, bytes] | None:
    """The newest seal that a door or a copy holds: position, state, entry, proof."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL["last_seal"], {"book": book})
        found = cursor.fetchone()
    return None if found is None else (found[0], bytes(found[1]), bytes(found[2]), bytes(found[3]))


def _sealed_by(door: Connection, book: str) -> int | None:
    """The version of the program that made the rows of the last seal; None before the first."""
    found = last_seal(door, book)
    return None if found is None else int(orjson.loads(found[1])["event"]["code_version"])


def _changed(ledger: Connection, book: str, after: int, position: int, tables: Tables) -> Iterator[list[Row]]:
    last: UUID | None = None
    jrt = places(tables)
    schema = schema_of(book, PROJECTION.name)
    branches = tables.codes.get("branch", {}).values()
    regions = {"branches": [row.code for row in branches], "regions": [row.more.get("region") for row in branches]}
    while True:
        with ledger.cursor() as cursor:
            asked = {
                "book": book,
                "after": after,
                "position": position,
                "jrt": jrt,
                "rows_max": ROWS_PER_PAGE,
                **regions,
            }
            cursor.execute(in_schema(_SQL["changed"], schema), {**asked, "last": None if last is None else str(last)})
            page = cursor.fetchall()
        if page:
            yield page
        if len(page) < ROWS_PER_PAGE:
            return
        last = page[-1][0]


def _named(row: Row, names: Pseudonyms) -> tuple[str, Row]:
    """The reference of a complaint and what the door is to say of it."""
    complaint_id, customer_id, *content = row
    customer = None if customer_id is None else names.of("customer", customer_id)
    return names.of("complaint", complaint_id), (customer, *content)


def _wanted(door: Connection) -> Iterator[list[tuple[str, Row | None]]]:
    """Pages of what the door is to say, in the order of the names; None where nothing stands any more."""
    last: str | None = None
    while True:
        with door.cursor() as cursor:
            cursor.execute(_SQL["wanted_page"], {"last": last, "rows_max": ROWS_PER_PAGE})
            page = cursor.fetchall()
        if page:
            yield [(reference, None if said[1] is None else tuple(said)) for reference, *said in page]
        if len(page) < ROWS_PER_PAGE:
            return
        last = page[-1][0]


def _difference(
    door: Connection, book: str, position: int, wanted: Sequence[tuple[str, Row | None]]
) -> tuple[int, int]:
    with door.cursor() as cursor:
        cursor.execute(_SQL["known"], {"book": book, "references": [reference for reference, _ in wanted]})
        known = {reference: tuple(content) for reference, *content in cursor.fetchall()}
        changed = [(reference, content) for reference, content in wanted if known.get(reference) != content]
        gone = [reference for reference, _ in changed if reference in known]
        cursor.execute(_SQL["end"], {"book": book, "position": position, "references": gone})
        new = [(book, reference, position, *content) for reference, content in changed if content is not None]
        if new:
            execute_values(cursor, _SQL["add"], new, page_size=1_000)
    return len(new), len(gone)


class _Taken:
    """What COPY writes into."""

    def __init__(self) -> None:
        self.sha256 = hashlib.sha256()

    def write(self, data: bytes) -> None:
        self.sha256.update(data)
