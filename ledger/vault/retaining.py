"""How long the law has a person's values kept: the longest clock of the complaints that the person stands in. Decides nothing.

What else keeps them (a legal hold), and what follows from it, is in `ledger.access`.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple, cast
from uuid import UUID

from ledger.application import Ledger
from ledger.complaint.events import ComplaintClosed
from ledger.complaint.state import Complaint, effective
from ledger.deadlines.calendar import built_in_calendars
from ledger.deadlines.clock import Facts, Rulebook, runs_by
from ledger.deadlines.regime import Purpose, Regime, built_in_regimes
from ledger.deadlines.running import UNENDED
from ledger.policy.built_in import policies_stream
from ledger.policy.state import Policies
from ledger.record.reading import stream_events
from ledger.vault.merged import SamePerson
from ledger.vault.persons import streams_of
from ledger.vault.service import Vault


class Retention(NamedTuple):
    """The end of the longest retention, None where no clock ever ran; whether a complaint of the person is open, both under
    whichever id that is merged with this one; and how many legal holds stand under ids that were ever merged with it.
    """

    until: datetime | None
    is_open: bool
    held_elsewhere: int = 0


def retention_of(ledger: Ledger, vault: Vault, subject_id: UUID, same: SamePerson) -> Retention:
    """What keeps a person's values. Costs the folding of each of the person's complaints, under each id."""
    policies = cast("Policies", ledger.state("policies", policies_stream(ledger.id))[0])
    rulebooks = retention_rules(policies)
    ends: list[datetime] = []
    is_open = False
    for stream_id in _streams(ledger, vault, [subject_id, *same.others(subject_id)]):
        complaint, _ = ledger.state("complaint", stream_id) if _is_complaint(ledger, stream_id) else (None, 0)
        if isinstance(complaint, Complaint):
            is_open |= complaint.closed_at is None and complaint.withdrawn_at is None
            ends += _ends(handled(complaint), rulebooks)
    return Retention(max(ends, default=None), is_open, same.held_elsewhere(subject_id))


def retention_rules(policies: Policies) -> tuple[Rulebook, Rulebook]:
    """What a book keeps files by: the built-in regimes of retention by the built-in calendars, and every version of a regime
    with a clock of retention that was ever published, by the newest ones.

    All of them count, in force or not, and what is kept longest counts. So whoever publishes may lengthen retention alone,
    and nobody can shorten it.
    """
    published = [regime for versions in policies.regimes.values() for regime in versions]
    return (
        Rulebook([each for each in built_in_regimes() if _keeps(each)], built_in_calendars()),
        Rulebook([each for each in published if _keeps(each)], policies.newest_calendars()),
    )


def handled(complaint: Complaint) -> Facts:
    """The facts of a complaint, a withdrawal that no closing followed being its closing too.

    The procedure ends on the day on which a withdrawal arrives, and the file of it is kept from the end of the procedure on
    (PBoC 2020 No. 5), whether or not somebody still closes it.
    """
    facts = effective(complaint.recorded)
    if complaint.withdrawn_at is None or complaint.closed_at is not None or complaint.customer_id is None:
        return facts
    customer_id, closed_at = complaint.customer_id, complaint.withdrawn_at
    closing = ComplaintClosed(customer_id=customer_id, closed_by="ledger", closed_at=closed_at)
    return [*facts, (len(complaint.recorded) + 1, closing)]


def _ends(facts: Facts, rulebooks: Iterable[Rulebook]) -> Iterator[datetime]:
    for rulebook in rulebooks:
        for run in runs_by(facts, rulebook):
            if run.clock.purpose is Purpose.RETENTION and run.clock.ended in UNENDED:
                yield run.clock.due_at


def _keeps(regime: Regime) -> bool:
    return any(rule.purpose is Purpose.RETENTION for rule in regime.clocks)


def _streams(ledger: Ledger, vault: Vault, subjects: Iterable[UUID]) -> set[UUID]:
    return {stream_id for each in subjects for stream_id in streams_of(ledger, vault, each)}


def _is_complaint(ledger: Ledger, stream_id: UUID) -> bool:
    with ledger.record.pool.connection() as connection:
        first = stream_events(connection, ledger.book, stream_id, events_max=1)
    return bool(first) and first[0].name == "complaint-received"
