"""Which records are of one person, by what was merged. It opens no value and decides nothing."""

from collections import defaultdict
from typing import cast
from uuid import UUID

from ledger.access.rules import DataSubject, subject_stream
from ledger.application import Ledger
from ledger.customer.events import CustomerMerged
from ledger.customer.state import Customer
from ledger.database.sql import queries
from ledger.record.envelope import opened
from ledger.record.reading import StoredRow, stored_rows

PAGE = 1_000

_SQL = queries(__file__)


class SamePerson:
    """The mergings of a book as they stand when it is made. Costs a read of every merging that ever was."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._merged: dict[UUID, set[UUID]] = defaultdict(set)
        self._ever: dict[UUID, set[UUID]] = defaultdict(set)
        after = 0
        while rows := _mergings(ledger, after):
            for row in rows:
                fact = cast("CustomerMerged", opened(row).event)
                self._merged[fact.into_customer_id].add(fact.customer_id)
                self._ever[fact.into_customer_id].add(fact.customer_id)
                self._ever[fact.customer_id].add(fact.into_customer_id)
            after = rows[-1].position

    def others(self, subject_id: UUID) -> list[UUID]:
        """The other records of a person by the mergings that stand, in the order of their ids. Costs a read of each, and of
        those split again.
        """
        found, waiting = {subject_id}, [subject_id]
        while waiting:
            one = waiting.pop()
            into = self._into(one)
            near = {each for each in self._merged.get(one, ()) if self._into(each) == one}
            near |= set() if into is None else {into}
            waiting += near - found
            found |= near
        return sorted(found - {subject_id})

    def held_elsewhere(self, subject_id: UUID) -> int:
        """How many legal holds stand for a person under other ids, those that were split again or never should have been
        merged too: one who splits takes nobody out from under a hold. Costs a read of each.
        """
        found, waiting = {subject_id}, [subject_id]
        while waiting:
            near = self._ever.get(waiting.pop(), set()) - found
            waiting += near
            found |= near
        return sum(len(subject_now(self._ledger, each).holds) for each in found - {subject_id})

    def _into(self, customer_id: UUID) -> UUID | None:
        return cast("Customer", self._ledger.state("customer", customer_id)[0]).merged_into


def subject_now(ledger: Ledger, subject_id: UUID) -> DataSubject:
    """What stands for a data subject."""
    return cast("DataSubject", ledger.state("data-subject", subject_stream(ledger.id, subject_id))[0])


def _mergings(ledger: Ledger, after: int) -> list[StoredRow]:
    with ledger.record.pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute(_SQL["mergings"], {"book": ledger.book, "after": after, "most": PAGE})
        return stored_rows(cursor.fetchall())
