"""The effective facts of the complaints that a fold follows, and where each complaint stands by them.

It writes no row. What it keeps in memory is bounded, and everything in it can be read again from the book.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from itertools import groupby
from typing import Any, assert_never
from uuid import UUID

from ledger.complaint.events import (
    AutomaticReplySent,
    ComplaintAssigned,
    ComplaintClassified,
    ComplaintClosed,
    ComplaintEvent,
    ComplaintGraded,
    ComplaintReassigned,
    ComplaintReceived,
    ComplaintReclassified,
    ComplaintRegistered,
    ComplaintRegraded,
    ComplaintReopened,
    ComplaintResolved,
    ComplaintWithdrawn,
    ContactNoted,
    EvidenceProvided,
    FactAnnulled,
    FactCorrected,
    FindingMade,
    FirstReplySent,
    InvestigationClosed,
    InvestigationStarted,
    OutcomeDisputed,
    OutcomeStated,
    ProposalAccepted,
    ProposalDeclined,
    ReplySent,
    SatisfactionRated,
    SolutionProposed,
    known_event,
)
from ledger.complaint.moving import (
    AppraisalEnded,
    AppraisalStarted,
    ComplaintMerged,
    ComplaintRuledOut,
    ComplaintTransferred,
    DeadlineExtended,
    GroupRecognised,
    HoldingResponseSent,
    NewFactsReceived,
)
from ledger.complaint.state import effective
from ledger.database.sql import queries
from ledger.deadlines.clock import Clock, clocks
from ledger.deadlines.regime import built_in_regimes
from ledger.names import class_of
from ledger.record.envelope import opened
from ledger.record.reading import StoredRow
from projections.machine import Batch

FACTS_MAX = 200_000
"""Facts kept in memory by one fold: some 300 MB at the most, and a year of a large bank's open complaints."""

_SQL = queries(__file__)

Facts = list[tuple[int, ComplaintEvent]]
"""Version and fact, as they stand after annulments and corrections."""

NEUTRAL = frozenset(
    {"automatic-reply-sent", "contact-noted", "evidence-provided", "satisfaction-rated", "outcome-disputed"}
)
"""Facts that move no clock and change nothing of a `Situation`: they need not even be read."""


@cache
def read_by_clocks() -> frozenset[type[ComplaintEvent]]:
    """The facts that the regimes read; the clocks of a complaint are the same without all others."""
    rules = [rule for regime in built_in_regimes() for rule in regime.clocks]
    read: set[type[ComplaintEvent]] = {ComplaintGraded, ComplaintRegraded}
    for rule in rules:
        read |= rule.watched
    return frozenset(read)


_CORRECTIONS = frozenset({"fact-annulled", "fact-corrected"})


@dataclass(frozen=True, slots=True)
class Situation:
    """Where a complaint stands by its effective facts: what reports are broken down by."""

    received_at: datetime | None = None
    channel: str | None = None
    product: str | None = None
    category: str | None = None
    grade: str | None = None
    urgent: bool = False
    department: str | None = None
    handler: str | None = None
    reference: str | None = None
    external_reference: str | None = None
    stage: str | None = None
    is_open: bool = False


class Known:
    """One complaint in memory: those of its effective facts that clocks read, its clocks, and its situation.

    `rows` is for the fold to remember what it wrote of the complaint; None: nothing yet.
    """

    __slots__ = ("_clocks", "facts", "rows", "situation")

    def __init__(self, facts: Iterable[tuple[int, ComplaintEvent]] = ()) -> None:
        self.facts: Facts = []
        self.situation = Situation()
        self._clocks: list[Clock] | None = []
        self.rows: Mapping[Any, Any] | None = None
        for version, fact in facts:
            self.add(version, fact)

    def add(self, version: int, fact: ComplaintEvent) -> None:
        """One more effective fact, the latest."""
        self.situation = situation_after(self.situation, fact)
        if type(fact) in read_by_clocks():
            self.facts.append((version, fact))
            self._clocks = None

    @property
    def clocks(self) -> list[Clock]:
        """The clocks as they stand; computed only after a fact that may have moved them."""
        if self._clocks is None:
            self._clocks = clocks(self.facts)
        return self._clocks


class Complaints:
    """The complaints that a fold has seen lately, the least recently seen forgotten first."""

    def __init__(self, facts_max: int) -> None:
        self._facts_max = facts_max
        self._facts = 0
        self._known: OrderedDict[UUID, Known] = OrderedDict()
        self._corrected: dict[UUID, list[StoredRow]] = {}

    def load(self, batch: Batch) -> None:
        """Reads, in one statement, the complaints that a batch goes on with and that are missing, or that it corrects."""
        self._forget_oldest()
        first, last = batch.rows[0].position, batch.rows[-1].position
        # a stream that begins in the batch has nothing before it
        begun = {row.stream_id for row in batch.rows if row.version <= 1}
        missing = {row.stream_id for row in batch.rows if matters(row)} - begun - self._known.keys()
        corrected = {row.stream_id for row in batch.rows if row.name in _CORRECTIONS}
        self._corrected = {}
        if not missing | corrected:
            return
        wanted = [str(each) for each in missing | corrected]
        found = batch.fetch(_SQL["streams"], {"book": batch.book, "stream_ids": wanted, "position": last})
        rows = [StoredRow(p, s, v, n, bytes(state), at) for p, s, v, n, state, at in found]
        for stream_id, stream in groupby(rows, key=lambda row: row.stream_id):
            events = list(stream)
            if stream_id in missing:
                self._keep(stream_id, known_from(events, first - 1))
            if stream_id in corrected:
                self._corrected[stream_id] = events

    def before(self, row: StoredRow) -> Known:
        """A complaint as it stood before an event of the batch that was loaded."""
        known = self._known.get(row.stream_id)
        if known is None:
            known = self._keep(row.stream_id, Known())
        self._known.move_to_end(row.stream_id)
        return known

    def after(self, row: StoredRow) -> Known:
        """A complaint as it stands after an event that matters; a correction folds the whole stream again.

        Raises UnknownStoredName, or a ValueError for a state that is no such event.
        """
        if row.name in _CORRECTIONS:
            self._facts -= len(self.before(row).facts)
            return self._keep(row.stream_id, known_from(self._corrected[row.stream_id], row.position))
        known = self.before(row)
        facts = len(known.facts)
        known.add(row.version, complaint_event(row))
        self._facts += len(known.facts) - facts
        return known

    def _keep(self, stream_id: UUID, known: Known) -> Known:
        self._known[stream_id] = known
        self._facts += len(known.facts)
        return known

    def _forget_oldest(self) -> None:
        while self._facts > self._facts_max and self._known:
            _, known = self._known.popitem(last=False)
            self._facts -= len(known.facts)


def matters(row: StoredRow) -> bool:
    """Whether an event may change a complaint's clocks or situation; raises UnknownStoredName for a name not ours."""
    return issubclass(class_of(row.name), ComplaintEvent) and row.name not in NEUTRAL


def complaint_event(row: StoredRow) -> ComplaintEvent:
    """The event of a row of a complaint's stream."""
    event = opened(row).event
    assert isinstance(event, ComplaintEvent), f"{row.name} is no event of a complaint"
    return event


def known_from(rows: Sequence[StoredRow], position: int) -> Known:
    """A complaint from its whole stream, as it was at a position."""
    return Known(effective([complaint_event(row) for row in rows if row.position <= position]))


def situation_after(situation: Situation, fact: ComplaintEvent) -> Situation:  # noqa: C901, PLR0912 - one case a fact
    """Where a complaint stands after one more effective fact."""
    event = known_event(fact)
    match event:
        case ComplaintReceived():
            return replace(
                situation,
                received_at=event.received_at,
                channel=event.channel,
                product=situation.product or event.product,
                external_reference=event.external_reference,
                stage="received",
                is_open=True,
            )
        case ComplaintRegistered():
            return replace(situation, reference=event.reference)
        case ComplaintClassified() | ComplaintReclassified():
            return replace(situation, category=event.category, product=event.product or situation.product)
        case ComplaintGraded() | ComplaintRegraded():
            return replace(situation, grade=event.grade.value, urgent=event.urgent)
        case ComplaintAssigned() | ComplaintReassigned():
            return replace(situation, department=event.department, handler=event.assignee, stage="assigned")
        case FirstReplySent():
            return situation
        case InvestigationStarted():
            return replace(situation, stage="investigating")
        case FindingMade():
            return situation
        case InvestigationClosed():
            return replace(situation, stage="investigated")
        case SolutionProposed():
            return replace(situation, stage="proposed")
        case ProposalAccepted():
            return replace(situation, stage="accepted")
        case ProposalDeclined():
            return replace(situation, stage="declined")
        case ComplaintResolved():
            return replace(situation, stage="resolved")
        case ReplySent():
            return replace(situation, stage="replied")
        case ComplaintReopened():
            return replace(situation, stage="reopened", is_open=True)
        case ComplaintClosed():
            return replace(situation, stage="closed", is_open=False)
        case ComplaintWithdrawn():
            return replace(situation, stage="withdrawn", is_open=False)
        case OutcomeStated():
            return replace(situation, stage="ended-elsewhere", is_open=False) if event.final else situation
        case ComplaintRuledOut():
            return replace(situation, stage="ruled-out", is_open=False)
        case ComplaintMerged():
            return replace(situation, stage="merged", is_open=False)
        case AutomaticReplySent() | ContactNoted() | EvidenceProvided() | SatisfactionRated() | OutcomeDisputed():
            return situation
        case ComplaintTransferred() | DeadlineExtended() | AppraisalStarted() | AppraisalEnded():
            return situation  # deadlines read them
        case NewFactsReceived() | HoldingResponseSent() | GroupRecognised():
            return situation
        case FactAnnulled() | FactCorrected():
            return situation  # never effective themselves
        case _:
            assert_never(event)
