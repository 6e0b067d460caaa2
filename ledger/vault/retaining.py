"""How long the law has a person's values kept: the longest clock of the complaints that the person stands in. Decides nothing.

What else keeps them (a legal hold), and what follows from it, is in `ledger.access`.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple, cast
from uuid import UUID

from ledger.application import Ledger
from ledger.complaint.state import Complaint, effective
from ledger.deadlines.clock import clocks
from ledger.deadlines.regime import Purpose, Regime, built_in_regimes
from ledger.policy.built_in import policies_stream
from ledger.policy.state import Policies
from ledger.record.reading import stream_events
from ledger.vault.merged import SamePerson
from ledger.vault.persons import streams_of
from ledger.vault.service import Vault


class Retention(NamedTuple):
    """The end of the longest retention, None where no clock ever ran; whether a complaint of the person is open; and how many
    legal holds stand for the person under ids that were merged with this one.
    """

    until: datetime | None
    is_open: bool
    held_elsewhere: int = 0


def retention_of(ledger: Ledger, vault: Vault, subject_id: UUID, same: SamePerson) -> Retention:
    """What keeps a person's values by the clocks in force now. Costs the folding of each of the person's complaints."""
    policies = cast("Policies", ledger.state("policies", policies_stream(ledger.id))[0])
    retention, calendars = list(_regimes(policies)), policies.newest_calendars()
    until: datetime | None = None
    is_open = False
    for stream_id in streams_of(ledger, vault, subject_id):
        complaint, _ = ledger.state("complaint", stream_id) if _is_complaint(ledger, stream_id) else (None, 0)
        if isinstance(complaint, Complaint):
            is_open |= complaint.closed_at is None and complaint.withdrawn_at is None
            ends = [
                c.due_at for c in clocks(effective(complaint.recorded), retention, calendars) if c.ended == "running"
            ]
            until = max([*ends, *([until] if until else [])], default=None)
    return Retention(until, is_open, same.held_elsewhere(subject_id))


def _regimes(policies: Policies) -> Iterator[Regime]:
    """What a book keeps files by: its published regimes of retention in their newest version, else the built-in ones.

    Whether one is in force is not asked: what is kept longest counts, and a shorter time is published as a new version.
    """
    named = {regime.name: regime for regime in built_in_regimes()}
    named |= {name: versions[-1] for name, versions in policies.regimes.items()}
    yield from (each for each in named.values() if all(c.purpose is Purpose.RETENTION for c in each.clocks))


def _is_complaint(ledger: Ledger, stream_id: UUID) -> bool:
    with ledger.record.pool.connection() as connection:
        first = stream_events(connection, ledger.book, stream_id, events_max=1)
    return bool(first) and first[0].name == "complaint-received"
