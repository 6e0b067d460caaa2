"""A book with complaints in it, its checkpoints, and ways to change the stored tables as a superuser does."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg2
import pytest
from psycopg2.extensions import make_dsn, parse_dsn

from ledger.application import BulkRequest, Ledger
from ledger.complaint import commands as ask
from ledger.complaint.moving import Unit
from ledger.database.roles import SUPERUSER, Role
from ledger.database.target import Database
from ledger.deadlines.regime import Span
from ledger.proof.checkpoints import Checkpoints
from ledger.timekeeping.events import DeadlineMissed
from ledger.timekeeping.streams import deadline_stream
from ledger.vault.keys import SubjectKeys

RECEIVED_AT = datetime.now(UTC).replace(microsecond=0) - timedelta(days=40)

TABLES = (
    *("head", "event", "stream", "leaves", "request", "disclosure", "checkpoint", "cosignature", "time_stamp", "tile"),
    *("evidence_file", "evidence_piece"),
)
"""What a book consists of in the database, what others point to first."""


class Story:
    """A book under test: its ledger, its checkpoints, and hands on the tables."""

    def __init__(self, database: Database, ledger: Ledger, keys: SubjectKeys) -> None:
        self.database, self.ledger, self.keys, self.book = database, ledger, keys, ledger.book
        self.checkpoints = Checkpoints(ledger, database)
        self._superuser: Any = None

    def complaint(self, stream: UUID | None = None, customer: UUID | None = None) -> UUID:
        """A complaint of three events; its id."""
        stream = stream or uuid4()
        for command in (
            ask.ReceiveComplaint(
                complaint_id=stream,
                customer_id=customer or uuid4(),
                received_at=RECEIVED_AT,
                received_by="li.na",
                channel="phone",
                content="利息算错了",
            ),
            ask.RegisterComplaint(
                complaint_id=stream, reference=f"R-{stream.hex[:8]}", registered_at=RECEIVED_AT, registered_by="li.na"
            ),
            ask.SendFirstReply(
                complaint_id=stream, channel="phone", sent_by="li.na", sent_at=RECEIVED_AT + timedelta(hours=2)
            ),
        ):
            self.ledger.handle(command, principal="test")
        return stream

    def evidence(self, content: bytes) -> UUID:
        """A file of evidence, put on file of a complaint of its own; the customer."""
        stream, customer = uuid4(), uuid4()
        self.complaint(stream, customer)
        self.file(stream, customer, content, "text/plain")
        return customer

    def file(self, complaint_id: UUID, customer_id: UUID, content: bytes, content_type: str) -> None:
        """A file of evidence, put on file of a complaint that is there."""
        with closing(self.ledger.evidence_store()) as store:
            intake = store.begin(complaint_id, customer_id, content_type)
            intake.add(content)
            file_id = intake.end().file_id
        provided = ask.ProvideEvidence(
            complaint_id=complaint_id,
            evidence_id=uuid4(),
            kind="document",
            description="客户来信",
            file_id=file_id,
            provided_by="li.na",
            provided_at=RECEIVED_AT + timedelta(hours=1),
        )
        self.ledger.handle(provided, principal="li.na")

    def missed(self, complaint_id: UUID, limit_days: int = 15) -> None:
        """A limit of a complaint's that ran out."""
        missed_by(self.ledger, complaint_id, limit_days)

    def reopened(self) -> "Story":
        """The same book as a program sees it that begins anew."""
        self.ledger.close()
        return Story(self.database, Ledger(self.database, self.book, self.keys), self.keys)

    def connect(self) -> Any:
        return closing(self.database.connect(Role.APPLICATION, autocommit=True))

    def as_superuser(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Runs a statement with every right there is, triggers off; `%(book)s` is this book, values are `%(v0)s` …"""
        if self._superuser is None:
            self._superuser = superuser(self.database)
            self._superuser.autocommit = True
            with self._superuser.cursor() as cursor:
                cursor.execute("SET session_replication_role = replica")
        with self._superuser.cursor() as cursor:
            cursor.execute(statement, {"book": self.book, **{f"v{n}": value for n, value in enumerate(values)}})
            return cursor.fetchall() if cursor.description else []

    def copied(self) -> str:
        """Everything that the database holds of the book, as a backup has it: the schema that holds it."""
        schema = f"copy_{uuid4().hex[:12]}"
        tables = "".join(
            f"CREATE TABLE {schema}.{table} AS SELECT * FROM ledger.{table} WHERE book = %(book)s;" for table in TABLES
        )
        self.as_superuser(f"CREATE SCHEMA {schema}; {tables}")
        return schema

    def restored(self, copy: str) -> None:
        """Puts the book back as it was copied."""
        self.as_superuser(
            "BEGIN;"
            + "".join(
                f"DELETE FROM ledger.{table} WHERE book = %(book)s; INSERT INTO ledger.{table} SELECT * FROM {copy}.{table};"
                for table in TABLES
            )
            + "COMMIT;"
        )

    def close(self) -> None:
        """Gives the connections back."""
        self.ledger.close()
        if self._superuser is not None:
            self._superuser.close()


def missed_by(ledger: Ledger, complaint_id: UUID, limit_days: int = 15) -> None:
    """A limit of a complaint's that ran out, as the timekeeper records it: in a stream of its own."""
    missed = DeadlineMissed(
        complaint_id=complaint_id,
        regime="house",
        regime_version=1,
        clock="resolution",
        starts_at=RECEIVED_AT,
        limit=Span(amount=limit_days, unit=Unit.CALENDAR_DAYS),
        due_at=RECEIVED_AT + timedelta(days=limit_days),
    )
    stream = deadline_stream(complaint_id, f"missed after {limit_days} days")
    request = BulkRequest(stream, (missed,), "timekeeper", f"owed/{stream}", b"x", "keep-time")
    assert [each for _, each in ledger.record_in_bulk([request]) if isinstance(each, Exception)] == []


def superuser(database: Database) -> Any:
    """A connection of the embedded server's superuser."""
    target = parse_dsn(database.dsn(Role.OWNER))
    return psycopg2.connect(make_dsn(**{**target, "user": SUPERUSER}))


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[SubjectKeys]:
    with closing(SubjectKeys.open(tmp_path / "keys")) as opened:
        yield opened


@pytest.fixture
def make_story(database: Database, keys: SubjectKeys) -> Iterator[Callable[[str], Story]]:
    made: list[Story] = []

    def make(book: str) -> Story:
        made.append(Story(database, Ledger(database, book, keys), keys))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def story(make_story: Callable[[str], Story], book: str) -> Story:
    """A book with two complaints."""
    made = make_story(book)
    made.complaint()
    made.complaint()
    return made
