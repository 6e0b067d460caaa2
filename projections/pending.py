"""What somebody has to do next in a complaint, fact by fact. It writes no row and reads no clock.

A deed is named by a slug, such as `decide-escalation`; one that belongs to something with an id (an escalation, a
request) stands once for each.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from ledger.complaint import aftercare, concerned, emergency, events, inquiry, moving, settlement
from ledger.complaint.events import ComplaintEvent, Grade


class Deed(NamedTuple):
    """Something to do; `about` is the id, or the version, of what it belongs to, None where it belongs to the complaint itself."""

    slug: str
    about: UUID | int | None = None


class Pending(NamedTuple):
    """What is to be done, and what must be remembered to know it: the handler, and who must stand aside."""

    deeds: frozenset[Deed] = frozenset()
    handler: str | None = None
    concerned: frozenset[str] = frozenset()

    @property
    def slugs(self) -> list[str]:
        """The deeds by name, each once, in the order of the alphabet."""
        return sorted({deed.slug for deed in self.deeds})

    def with_(self, *deeds: Deed | str) -> "Pending":
        return self._replace(deeds=self.deeds | set(_deeds(deeds)))

    def without(self, *deeds: Deed | str) -> "Pending":
        left = self.deeds.difference(_deeds(deeds))
        return self if len(left) == len(self.deeds) else self._replace(deeds=left)


def _deeds(given: Iterable[Deed | str]) -> list[Deed]:
    return [_deed(each) if isinstance(each, str) else each for each in given]


@cache
def _deed(slug: str) -> Deed:
    return Deed(slug)


HANDLING = frozenset(
    {"register", "send-first-reply", "classify", "grade", "assign", "reassign", "form-team", "start-emergency"}
    | {"resolve", "send-reply", "obtain-evidence", "give-assistance", "decide-escalation"}
)
"""What there is no need for once a complaint has ended."""

BEGINS: Mapping[type[ComplaintEvent], tuple[str, str]] = {
    inquiry.EvidenceRequested: ("obtain-evidence", "evidence_request_id"),
    inquiry.AssistanceRequested: ("give-assistance", "assistance_id"),
    settlement.ComplaintEscalated: ("decide-escalation", "escalation_id"),
    settlement.CompensationApproved: ("provide-compensation", "compensation_id"),
    emergency.EmergencyStarted: ("go-on-with-emergency", "emergency_id"),
    emergency.EmergencyEnded: ("review-emergency", "emergency_id"),
    events.AmendmentProposed: ("approve-amendment", "proposed_version"),
}
"""Facts that ask for something under an id of their own."""

ENDS: Mapping[type[ComplaintEvent], tuple[str, str]] = {
    events.EvidenceProvided: ("obtain-evidence", "evidence_request_id"),
    inquiry.AssistanceGiven: ("give-assistance", "assistance_id"),
    settlement.EscalationDecided: ("decide-escalation", "escalation_id"),
    settlement.CompensationProvided: ("provide-compensation", "compensation_id"),
    emergency.EmergencyEnded: ("go-on-with-emergency", "emergency_id"),
    emergency.EmergencyReviewed: ("review-emergency", "emergency_id"),
    events.AmendmentDeclined: ("approve-amendment", "proposed_version"),
    events.ComplaintRegraded: ("approve-amendment", "proposed_version"),
    moving.DeadlineExtended: ("approve-amendment", "proposed_version"),
}
"""Facts by which it is done; an annulment or a correction takes its proposal away with it (`ledger.complaint.state`)."""

DONE_BY: Mapping[type[ComplaintEvent], tuple[str, ...]] = {
    events.ComplaintRegistered: ("register",),
    events.FirstReplySent: ("send-first-reply",),
    events.ComplaintClassified: ("classify",),
    concerned.InvestigationTeamFormed: ("form-team",),
    emergency.EmergencyStarted: ("start-emergency",),
    aftercare.ComplaintArchived: ("archive",),
}
"""Facts by which something is done that belongs to the complaint itself."""


READ: frozenset[type[ComplaintEvent]] = frozenset(
    {
        *BEGINS,
        *ENDS,
        *DONE_BY,
        *(concerned.PersonComplainedAbout, concerned.InterestDeclared),
        *(events.ComplaintAssigned, events.ComplaintReassigned, events.ComplaintGraded, events.ComplaintRegraded),
        *(events.ComplaintReclassified, events.ComplaintReceived, events.ComplaintReopened, events.ComplaintResolved),
        *(events.ReplySent, events.ComplaintWithdrawn, moving.ComplaintRuledOut, moving.ComplaintMerged),
        *(events.ComplaintClosed, events.OutcomeStated),
    }
)
"""Every fact that may change what is to be done."""


def pending_after(known: Pending, fact: ComplaintEvent) -> Pending:
    """What is to be done after one more effective fact. Facts that are named nowhere here ask for nothing."""
    kind = type(fact)
    if kind not in READ:
        return known
    known = _under_an_id(known, fact)
    if kind in DONE_BY:
        known = known.without(*DONE_BY[kind])
    if isinstance(fact, concerned.PersonComplainedAbout | concerned.InterestDeclared):
        return _standing_aside(known, fact.staff)
    if isinstance(fact, events.ComplaintAssigned | events.ComplaintReassigned):
        known = known._replace(handler=None if fact.assignee is None else fact.assignee.casefold())
        return _standing_aside(known.without("assign", "reassign"), None)
    if isinstance(fact, events.ComplaintGraded | events.ComplaintRegraded):
        return _graded(known.without("grade"), fact)
    return _ended_or_begun(known, fact)


def _under_an_id(known: Pending, fact: ComplaintEvent) -> Pending:
    done = ENDS.get(type(fact))
    if done is not None:
        known = known.without(Deed(done[0], getattr(fact, done[1])))
    begun = BEGINS.get(type(fact))
    return known if begun is None else known.with_(Deed(begun[0], getattr(fact, begun[1])))


def _standing_aside(known: Pending, staff: str | None) -> Pending:
    if staff is not None:
        known = known._replace(concerned=known.concerned | {staff.casefold()})
    return known.with_("reassign") if known.handler in known.concerned else known


def _graded(known: Pending, fact: Any) -> Pending:
    grave = fact.grade is not Grade.GENERAL
    known = known.with_("form-team") if grave else known.without("form-team")
    runs = any(deed.slug in {"go-on-with-emergency", "review-emergency"} for deed in known.deeds)
    return known.with_("start-emergency") if fact.urgent and not runs else known.without("start-emergency")


def _ended_or_begun(known: Pending, fact: ComplaintEvent) -> Pending:
    match fact:
        case events.ComplaintReceived():
            return known.with_("register", "send-first-reply", "classify", "grade", "assign", "resolve")
        case events.ComplaintReopened():
            return known.without("archive", "close").with_("resolve")
        case events.ComplaintResolved():
            return known.without("resolve").with_("send-reply")
        case events.ReplySent():
            return known.without("send-reply", "send-first-reply").with_("close")
        case events.ComplaintWithdrawn() | moving.ComplaintRuledOut() | moving.ComplaintMerged():
            return _without_handling(known).with_("close")
        case events.ComplaintClosed():
            return _without_handling(known).without("close").with_("archive")
        case events.OutcomeStated():
            return _without_handling(known) if fact.final else known
        case _:
            return known  # it ends and begins nothing


def _without_handling(known: Pending) -> Pending:
    return known._replace(deeds=frozenset(deed for deed in known.deeds if deed.slug not in HANDLING))


NOTHING = Pending()
"""Of a complaint of which nothing is recorded."""
