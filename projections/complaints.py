"""The effective facts of the complaints that a fold follows, and where each complaint stands by them.

It writes no row. What it keeps in memory is bounded, and everything in it can be read again from the book.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import groupby, islice
from typing import Any, NamedTuple, assert_never
from uuid import UUID

from psycopg2.extensions import connection as Connection

from ledger.complaint.aftercare import ComplaintArchived
from ledger.complaint.events import (
    AmendmentDeclined,
    AmendmentProposed,
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
    FurtherEvent,
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
from ledger.complaint.settlement import ComplaintEscalated, EscalationDecided
from ledger.complaint.state import effective
from ledger.database.sql import queries
from ledger.deadlines.clock import Clock, Kinds, Rulebook, Run
from ledger.deadlines.running import UNENDED
from ledger.names import NAME_OF, class_of
from ledger.policy.known import Deadlines
from ledger.record.envelope import opened
from ledger.record.reading import StoredRow, stored_rows
from projections.machine import Batch
from projections.pending import NOTHING, READ, Pending, pending_after
from projections.policies import Followed, Standing

FACTS_MAX = 20_000
"""Facts kept in memory by one fold, at 1.7 kB each with the clocks that follow from them: some 34 MB at the most, so that four
folds in one pass, or in one server, stay under 300 MB with all else.

That is 3,000 complaints; one that comes back after it was forgotten is read again, those of a batch in one statement.
"""

FACTS_OF_A_COMPLAINT = 2
"""What a complaint itself counts for beside its facts, so that complaints without any are bounded too."""

STREAMS_MAX = 1000
"""How many complaints are read again at once, when a policy touches them."""

_SQL = queries(__file__)

Facts = list[tuple[int, ComplaintEvent]]
"""Version and fact, as they stand after annulments and corrections."""

_CORRECTIONS = frozenset({"fact-annulled", "fact-corrected"})


class Situation(NamedTuple):
    """Where a complaint stands by its effective facts: what reports are broken down by."""

    received_at: datetime | None = None
    channel: str | None = None
    product: str | None = None
    category: str | None = None
    grade: str | None = None
    cause: str | None = None
    first_category: str | None = None
    first_grade: str | None = None
    urgent: bool = False
    department: str | None = None
    handler: str | None = None
    reference: str | None = None
    external_reference: str | None = None
    stage: str | None = None
    is_open: bool = False
    pending: Pending = NOTHING


class Reading(NamedTuple):
    """What a fold reads of complaints beside their clocks: facts of these kinds, and what it makes of one more of them.

    All others change nothing that the fold writes; where no clock of the book watches them, they are not even parsed.
    """

    kinds: Kinds
    after: Callable[[Situation, ComplaintEvent], Situation]


class Known:
    """One complaint in memory: those of its effective facts that clocks watch, its clocks, and its situation.

    `rows` is for the fold to remember what it wrote of the complaint; None: nothing yet.
    """

    __slots__ = ("deadlines", "facts", "reading", "rows", "runs", "situation")

    def __init__(self, reading: Reading, deadlines: Deadlines | None = None) -> None:
        self.reading = reading
        self.deadlines = Deadlines() if deadlines is None else deadlines
        self.facts: Facts = []
        self.runs: list[Run] = []
        self.situation = Situation()
        self.rows: Mapping[Any, Any] | None = None

    def add(self, version: int, fact: ComplaintEvent, watched: Kinds) -> None:
        """One more effective fact, the latest; its clocks are not asked for anew."""
        kind = type(fact)
        if kind in self.reading.kinds:
            self.situation = self.reading.after(self.situation, fact)
        if kind in watched:
            self.facts.append((version, fact))

    def ask(self, rulebook: Rulebook, recorded_at: datetime) -> None:
        """Computes its clocks as known by an event that was recorded then."""
        self.runs = self.deadlines.runs(self.facts, rulebook, recorded_at)

    def amended(self, facts: Iterable[tuple[int, ComplaintEvent]], watched: Kinds) -> "Known":
        """The same complaint by other facts, after an annulment or a correction: what was issued stays issued."""
        known = Known(self.reading, self.deadlines)
        for version, fact in facts:
            known.add(version, fact, watched)
        return known

    @property
    def clocks(self) -> list[Clock]:
        """The clocks as they stand."""
        return [run.clock for run in self.runs]

    @property
    def is_provisional(self) -> bool:
        """Whether a calendar that is published may change a due time."""
        return is_provisional(self.runs)


def is_provisional(runs: Iterable[Run]) -> bool:
    """Whether one of these due times would be issued anew by a calendar that is published."""
    return any(run.clock.provisional and run.clock.ended in UNENDED for run in runs)


class Part(NamedTuple):
    """Events of a batch that are worked in together: of complaints, or one policy by itself."""

    batch: Batch
    policy: Standing | None


class Complaints:
    """The complaints that a fold has seen lately, the least recently seen forgotten first, and the policies they go by."""

    def __init__(self, facts_max: int, reading: Reading) -> None:
        self._facts_max = facts_max
        self._reading = reading
        self._names: frozenset[str] = frozenset()
        self._facts = 0
        self._known: OrderedDict[UUID, Known] = OrderedDict()
        self._corrected: dict[UUID, list[StoredRow]] = {}
        self._policies: Followed | None = None

    def parts(self, batch: Batch) -> Iterator[Part]:
        """A batch in parts, in order: each holds in every complaint from its position on."""
        if self._policies is None:
            self._policies = Followed.up_to(batch.connection, batch.book, batch.rows[0].position - 1)
        for is_policy, found in groupby(batch.rows, key=self._is_policy):
            rows = list(found)
            if not is_policy:
                self._names = _stored_names(self._reading.kinds | self._policies.rulebook.watched)
                yield Part(Batch(batch.connection, batch.book, batch.schema, rows), None)
                continue
            for row in rows:
                watched = self._policies.rulebook.watched
                standing = self._policies.take(row)
                if not standing.policies.rulebook.watched <= watched:
                    self._forget_all()  # facts that were not kept may matter from now on
                yield Part(Batch(batch.connection, batch.book, batch.schema, [row]), standing)

    def matters(self, row: StoredRow) -> bool:
        """Whether an event may change what the fold writes of its complaint; raises UnknownStoredName for a name not ours."""
        if row.name in self._names:
            return True
        class_of(row.name)
        return False

    def load(self, batch: Batch) -> None:
        """Reads, in one statement, the complaints that a batch goes on with and that are missing, or that it corrects."""
        self._forget_oldest()
        first, last = batch.rows[0].position, batch.rows[-1].position
        # a stream that begins in the batch has nothing before it
        begun = {row.stream_id for row in batch.rows if row.version <= 1}
        missing = {row.stream_id for row in batch.rows if self.matters(row)} - begun - self._known.keys()
        corrected = {row.stream_id for row in batch.rows if row.name in _CORRECTIONS}
        self._corrected = {}
        if not missing | corrected:
            return
        for stream_id, events in streams(batch.connection, batch.book, missing | corrected, last):
            if stream_id in missing:
                self._keep(stream_id, replayed(events, self._followed, first - 1, self._reading))
            if stream_id in corrected:
                self._corrected[stream_id] = events

    def touched(self, part: Part, complaint_ids: Iterable[UUID]) -> Iterator[tuple[UUID, Known]]:
        """Complaints as they stood before a policy, which may have their deadlines issued anew; the fold asks for them.

        They are those that the fold knows by its rows, and those in memory: what they remember would be short of it.
        """
        assert part.policy is not None, "only a policy touches complaints that have no event of their own"
        remembered = [complaint_id for complaint_id, known in self._known.items() if known.is_provisional]
        for chunk in _chunks({*complaint_ids, *remembered}):
            missing = set(chunk) - self._known.keys()
            for stream_id, events in (
                streams(part.batch.connection, part.batch.book, missing, part.policy.position) if missing else ()
            ):
                self._keep(stream_id, replayed(events, self._followed, part.policy.position - 1, self._reading))
            yield from ((complaint_id, self._known[complaint_id]) for complaint_id in chunk)
            self._forget_oldest()

    def before(self, row: StoredRow) -> Known:
        """A complaint as it stood before an event of the batch that was loaded."""
        known = self._known.get(row.stream_id)
        if known is None:
            known = self._keep(row.stream_id, Known(self._reading))
        self._known.move_to_end(row.stream_id)
        return known

    def after(self, row: StoredRow) -> Known:
        """A complaint as it stands after an event that matters; a correction folds the whole stream again.

        Raises UnknownStoredName, or a ValueError for a state that is no such event.
        """
        rulebook = self._followed.rulebook
        known = self.before(row)
        facts = size_of(known)
        if row.name in _CORRECTIONS:
            rows = [each for each in self._corrected[row.stream_id] if each.position <= row.position]
            known = known.amended(effective([complaint_event(each) for each in rows]), rulebook.watched)
            self._known[row.stream_id] = known
            known.ask(rulebook, row.recorded_at)
        else:
            fact = complaint_event(row)
            known.add(row.version, fact, rulebook.watched)
            if type(fact) in rulebook.watched:
                known.ask(rulebook, row.recorded_at)
        self._facts += size_of(known) - facts
        return known

    @property
    def _followed(self) -> Followed:
        assert self._policies is not None, "the parts of a batch are asked for first"
        return self._policies

    def _is_policy(self, row: StoredRow) -> bool:
        return row.stream_id == self._followed.stream_id

    def _keep(self, stream_id: UUID, known: Known) -> Known:
        self._known[stream_id] = known
        self._facts += size_of(known)
        return known

    def _forget_oldest(self) -> None:
        while self._facts > self._facts_max and self._known:
            _, known = self._known.popitem(last=False)
            self._facts -= size_of(known)

    def _forget_all(self) -> None:
        self._known.clear()
        self._facts = 0


@lru_cache(maxsize=32)
def _stored_names(kinds: Kinds) -> frozenset[str]:
    """The names under which facts of these kinds are stored, and what annuls or corrects one."""
    return frozenset(NAME_OF[kind] for kind in kinds) | _CORRECTIONS


def size_of(known: Known) -> int:
    """What a complaint counts for in memory, in facts."""
    return FACTS_OF_A_COMPLAINT + len(known.facts)


def replayed(rows: Sequence[StoredRow], followed: Followed, position: int, reading: "Reading | None" = None) -> Known:
    """A complaint from its whole stream as it was at a position, each deadline issued by what the book went by then.

    Equals what `ledger.policy.known.timeline` says at that position. Its clocks are asked for only at events that may
    change them: a calendar, and a fact that a rule watches.
    """
    watched = followed.rulebook.watched
    known = Known(CLOCKS if reading is None else reading)
    told: list[ComplaintEvent] = []
    waiting = [each for each in followed.standings if each.position <= position]
    waiting.reverse()
    for row in rows:
        if row.position > position:
            break
        while waiting and waiting[-1].position < row.position:
            _reissue(known, waiting.pop())
        rulebook = followed.at(row.position).rulebook
        event = complaint_event(row)
        told.append(event)
        if row.name in _CORRECTIONS:
            known = known.amended(effective(told), watched)
            known.ask(rulebook, row.recorded_at)
        else:
            known.add(row.version, event, watched)
            if type(event) in watched:
                known.ask(rulebook, row.recorded_at)
    for standing in reversed(waiting):
        _reissue(known, standing)
    return known


def _reissue(known: Known, standing: Standing) -> None:
    if known.is_provisional:
        known.ask(standing.policies.rulebook, standing.recorded_at)


def _chunks(complaint_ids: Iterable[UUID]) -> Iterator[list[UUID]]:
    waiting = iter(sorted(complaint_ids))
    while chunk := list(islice(waiting, STREAMS_MAX)):
        yield chunk


def streams(
    connection: Connection, book: str, stream_ids: Iterable[UUID], position: int
) -> Iterator[tuple[UUID, list[StoredRow]]]:
    """Whole streams up to a position, read in one statement."""
    asked = {"book": book, "stream_ids": [str(each) for each in stream_ids], "position": position}
    with connection.cursor() as cursor:
        cursor.execute(_SQL["streams"], asked)
        rows = stored_rows(cursor.fetchall())
    for stream_id, stream in groupby(rows, key=lambda row: row.stream_id):
        yield stream_id, list(stream)


def effective_facts(rows: Iterable[StoredRow]) -> Facts:
    """What stands of a whole stream."""
    return effective([complaint_event(row) for row in rows])


def complaint_event(row: StoredRow) -> ComplaintEvent:
    """The event of a row of a complaint's stream."""
    event = opened(row).event
    assert isinstance(event, ComplaintEvent), f"{row.name} is no event of a complaint"
    return event


def situation_after(situation: Situation, fact: ComplaintEvent) -> Situation:
    """Where a complaint stands after one more effective fact, and what is to be done in it."""
    stands = standing_after(situation, fact)
    pending = pending_after(situation.pending, fact)
    return stands if pending is stands.pending else stands._replace(pending=pending)


def standing_after(situation: Situation, fact: ComplaintEvent) -> Situation:  # noqa: C901, PLR0912 - one case a fact
    """Where a complaint stands after one more effective fact; what is to be done in it stays as it was."""
    event = known_event(fact)
    if isinstance(event, FurtherEvent):
        return _stage_after(situation, event)
    match event:
        case ComplaintReceived():
            return situation._replace(
                received_at=event.received_at,
                channel=event.channel,
                product=situation.product or event.product,
                external_reference=event.external_reference,
                stage="received",
                is_open=True,
            )
        case ComplaintRegistered():
            return situation._replace(reference=event.reference)
        case ComplaintClassified() | ComplaintReclassified():
            return _classified(situation, event)
        case ComplaintGraded() | ComplaintRegraded():
            grade = event.grade.value
            return situation._replace(grade=grade, urgent=event.urgent, first_grade=situation.first_grade or grade)
        case ComplaintAssigned() | ComplaintReassigned():
            return situation._replace(department=event.department, handler=event.assignee, stage="assigned")
        case InvestigationStarted():
            return situation._replace(stage="investigating")
        case FindingMade():
            return situation._replace(cause=event.cause or situation.cause)
        case InvestigationClosed():
            return situation._replace(stage="investigated")
        case SolutionProposed():
            return situation._replace(stage="proposed")
        case ProposalAccepted():
            return situation._replace(stage="accepted")
        case ProposalDeclined():
            return situation._replace(stage="declined")
        case ComplaintResolved():
            return situation._replace(stage="resolved")
        case ReplySent():
            return situation._replace(stage="replied")
        case ComplaintReopened():
            return situation._replace(stage="reopened", is_open=True)
        case ComplaintClosed():
            return situation._replace(stage="closed", is_open=False)
        case ComplaintWithdrawn():
            return situation._replace(stage="withdrawn", is_open=False)
        case OutcomeStated():
            return situation._replace(stage="ended-elsewhere", is_open=False) if event.final else situation
        case ComplaintRuledOut():
            return situation._replace(stage="ruled-out", is_open=False)
        case ComplaintMerged():
            return situation._replace(stage="merged", is_open=False)
        case AutomaticReplySent() | ContactNoted() | EvidenceProvided() | SatisfactionRated() | OutcomeDisputed():
            return situation
        case ComplaintTransferred() | DeadlineExtended() | AppraisalStarted() | AppraisalEnded():
            return situation  # deadlines read them
        case NewFactsReceived() | HoldingResponseSent() | GroupRecognised() | FirstReplySent():
            return situation
        case AmendmentProposed() | AmendmentDeclined():
            return situation  # it changes nothing until it is carried out
        case FactAnnulled() | FactCorrected():
            return situation  # never effective themselves
        case _:
            assert_never(event)


def _classified(situation: Situation, event: ComplaintClassified) -> Situation:
    return situation._replace(
        category=event.category,
        product=event.product or situation.product,
        cause=event.cause or situation.cause,
        first_category=situation.first_category or event.category,
    )


def _stage_after(situation: Situation, event: FurtherEvent) -> Situation:
    """Of the facts beside the main way, three say where the complaint stands."""
    if isinstance(event, ComplaintEscalated):
        return situation._replace(stage="escalated")
    if isinstance(event, EscalationDecided):
        return situation._replace(stage="decided-by-management")
    return situation._replace(stage="archived") if isinstance(event, ComplaintArchived) else situation


CLOCKS = Reading(frozenset(), standing_after)
"""Nothing but the clocks."""

BREAKDOWN = Reading(
    frozenset(
        {
            *(ComplaintReceived, ComplaintRegistered, ComplaintClassified, ComplaintReclassified, ComplaintGraded),
            *(ComplaintRegraded, ComplaintAssigned, ComplaintReassigned, FindingMade, ComplaintReopened),
            *(ComplaintClosed, ComplaintWithdrawn, OutcomeStated, ComplaintRuledOut, ComplaintMerged),
        }
    ),
    standing_after,
)
"""What a report is broken down by, and whether the complaint is open. Stages that come between are not among it."""

TASK = Reading(
    BREAKDOWN.kinds
    | READ
    | {
        *(InvestigationStarted, InvestigationClosed, SolutionProposed, ProposalAccepted, ProposalDeclined),
        *(ComplaintResolved, ReplySent, ComplaintEscalated, EscalationDecided, ComplaintArchived),
    },
    situation_after,
)
"""The whole situation, and what is to be done."""
