"""What a projection's rows come to as one digest, and whether a seal agrees with a fresh replay. It records nothing.

The digest is SHA-256 over the tables in the order of their names, each as a line

    complaint-ledger/rows/v1 <table> <column> <column> …

and its rows in PostgreSQL's own text form of COPY (UTF-8, TimeZone UTC, DateStyle ISO), in the order of their key. So
psql and sha256sum give the same as this program.
"""

import hashlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from typing import NamedTuple

from psycopg2 import sql
from psycopg2.extensions import ISOLATION_LEVEL_REPEATABLE_READ
from psycopg2.extensions import connection as Connection

from ledger.database.roles import Role
from ledger.database.sql import queries
from ledger.database.target import Database
from ledger.seal.events import ProjectionSealed
from projections.catalogue import projection_named
from projections.machine import Progress, Projection, schema_of
from projections.rebuild import NothingToCompare, replayed

FORM = "complaint-ledger/rows/v1"

_SQL = queries(__file__)


class Digest(NamedTuple):
    """How many rows there are in all tables, and the SHA-256 of them in hex."""

    rows: int
    sha256: str


class Checked(NamedTuple):
    """A seal, and what a fresh replay of the same events gives."""

    seal: ProjectionSealed
    rows: int
    rows_digest: str
    root: str

    @property
    def ok(self) -> bool:
        return (self.rows, self.rows_digest, self.root) == (self.seal.rows, self.seal.rows_digest, self.seal.root)


class SealedByOtherVersion(Exception):
    """The rows that were sealed were made by another version of the projection: this program makes others."""

    def __init__(self, seal: ProjectionSealed, ours: int) -> None:
        super().__init__(
            f"projection {seal.projection} was sealed at position {seal.position} by its version {seal.code_version}, "
            f"this program has version {ours}: check it with the version of the program that sealed it"
        )


def sealed(database: Database, book: str, name: str, sealed_at: datetime) -> ProjectionSealed:
    """What the live rows of a projection are now, as the event that seals them; nothing is recorded yet.

    Reads every row once, in one snapshot and constant memory. Raises NothingToCompare where nothing was built.
    """
    projection = projection_named(name)
    with closing(database.connect(Role.APPLICATION)) as connection, _one_moment(connection):
        with connection.cursor() as cursor:
            cursor.execute(_SQL["standing"], {"book": book, "name": name})
            found = cursor.fetchone()
        if found is None or found[1] == 0:
            raise NothingToCompare(name)
        code, position, root = found
        digest = digest_of(connection, projection, schema_of(book, name))
    return ProjectionSealed(
        projection=name,
        code_version=code,
        position=position,
        root=bytes(root).hex(),
        rows=digest.rows,
        rows_digest=digest.sha256,
        sealed_at=sealed_at,
    )


def check(database: Database, seal: ProjectionSealed, book: str, progress: Progress | None = None) -> Checked:
    """Replays the events that a seal is about into tables of its own, and takes their digest.

    Raises SealedByOtherVersion, and as `projections.rebuild.compare` does.
    """
    projection = projection_named(seal.projection)
    if projection.version != seal.code_version:
        raise SealedByOtherVersion(seal, projection.version)
    with replayed(database, book, projection, seal.position, progress) as builder:
        digest = digest_of(builder.connection, projection, builder.schema)
        return Checked(seal, digest.rows, digest.sha256, builder.root.hex())


def digest_of(connection: Connection, projection: Projection, schema: str) -> Digest:
    """The digest of one build's rows, in the open transaction; costs one reading of them, in the order of their keys."""
    taken = _Taken()
    with connection.cursor() as cursor:
        cursor.execute(_SQL["as_written"])
        for table, key in sorted(projection.tables.items()):
            cursor.execute(_SQL["columns"], {"schema": schema, "table": table})
            columns = [column for (column,) in cursor.fetchall()]
            taken.write(f"{FORM} {table} {' '.join(columns)}\n".encode())
            statement = sql.SQL(_SQL["rows"]).format(
                schema=sql.Identifier(schema),
                table=sql.Identifier(table),
                columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
                key=sql.SQL(", ").join(map(sql.Identifier, key)),
            )
            cursor.copy_expert(statement, taken)
            taken.rows += cursor.rowcount
    return Digest(taken.rows, taken.sha256.hexdigest())


class _Taken:
    """What COPY writes into."""

    def __init__(self) -> None:
        self.rows = 0
        self.sha256 = hashlib.sha256()

    def write(self, data: bytes) -> None:
        self.sha256.update(data)


@contextmanager
def _one_moment(connection: Connection) -> Iterator[None]:
    """A snapshot in which the rows and their position are those of one moment."""
    connection.set_session(isolation_level=ISOLATION_LEVEL_REPEATABLE_READ, readonly=True)
    try:
        yield
    finally:
        connection.rollback()
