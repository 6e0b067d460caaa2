"""The `eventsourcing` library's own published test cases, unchanged, against our persistence module.

Each test gets a fresh book: the cases expect an empty store.
"""

from collections.abc import Iterator
from unittest import TestCase

import pytest
from eventsourcing.persistence import InfrastructureFactory, ProcessRecorder
from eventsourcing.tests import application as published_application
from eventsourcing.tests import persistence as published
from eventsourcing.utils import Environment, get_topic

from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.recorder import BookAggregateRecorder, BookRecorder, Factory, SnapshotRecorder

pytestmark = pytest.mark.every_postgres


class InAFreshBook(TestCase):
    """Gives a case its book; `made` is closed after the test."""

    @pytest.fixture(autouse=True)
    def _fresh_book(self, database: Database, book: str) -> Iterator[None]:
        self.database = database
        self.book = book
        self.made: list[BookRecorder | SnapshotRecorder] = []
        yield
        for recorder in self.made:
            recorder.close()

    def recorder(self, kind: type[BookRecorder] = BookRecorder) -> BookRecorder:
        recorder = kind(self.database, self.book)
        self.made.append(recorder)
        return recorder


class TestEventsAsAggregateRecorder(InAFreshBook, published.AggregateRecorderTestCase):
    def create_recorder(self) -> BookRecorder:
        return self.recorder(BookAggregateRecorder)


class TestSnapshotsAsAggregateRecorder(InAFreshBook, published.AggregateRecorderTestCase):
    def create_recorder(self) -> SnapshotRecorder:
        recorder = SnapshotRecorder(self.database, self.book)
        self.made.append(recorder)
        return recorder


class TestApplicationRecorder(InAFreshBook, published.ApplicationRecorderTestCase[BookRecorder]):
    def create_recorder(self) -> BookRecorder:
        return self.recorder()

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestTrackingRecorder(InAFreshBook, published.TrackingRecorderTestCase):
    def create_recorder(self) -> BookRecorder:
        return self.recorder()


class TestProcessRecorder(InAFreshBook, published.ProcessRecorderTestCase):
    def create_recorder(self) -> ProcessRecorder:
        return self.recorder()


class TestNotificationsDoNotInterleave(InAFreshBook, published.NonInterleavingNotificationIDsBaseCase):
    def create_recorder(self) -> BookRecorder:
        return self.recorder()


class TrackingRecorderOfSomebody(BookRecorder):
    """A subclass, as the factory has to accept one."""


class TestFactory(InAFreshBook, published.InfrastructureFactoryTestCase[Factory]):
    @pytest.fixture(autouse=True)
    def _environment(self, _fresh_book: None) -> None:
        self.env = Environment("TestCase")
        self.env[InfrastructureFactory.PERSISTENCE_MODULE] = "ledger.recorder"
        self.env["LEDGER_DATABASE_URL"] = self.database.dsn(Role.APPLICATION)
        self.env["LEDGER_BOOK"] = self.book

    def expected_factory_class(self) -> type[Factory]:
        return Factory

    def expected_aggregate_recorder_class(self) -> type[BookAggregateRecorder]:
        return BookAggregateRecorder

    def expected_application_recorder_class(self) -> type[BookRecorder]:
        return BookRecorder

    def expected_tracking_recorder_class(self) -> type[BookRecorder]:
        return BookRecorder

    def tracking_recorder_subclass(self) -> type[BookRecorder]:
        return TrackingRecorderOfSomebody

    def expected_process_recorder_class(self) -> type[BookRecorder]:
        return BookRecorder


class TestExampleApplication(InAFreshBook, published_application.ExampleApplicationTestCase):
    expected_factory_topic = get_topic(Factory)

    @pytest.fixture(autouse=True)
    def _environment(self, _fresh_book: None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PERSISTENCE_MODULE", "ledger.recorder")
        monkeypatch.setenv("LEDGER_DATABASE_URL", self.database.dsn(Role.APPLICATION))
        monkeypatch.setenv("LEDGER_BOOK", self.book)
