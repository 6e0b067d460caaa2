"""Four eyes: what one person proposed, another approves or declines. Who they are, two tokens say, and no stated name.

What is approved is what was proposed, taken from the proposal itself: nobody states it again, so it cannot differ, and its
personal values keep the digests under which the vault has them.
"""

from typing import Any, assert_never

from ledger.complaint.amendments import judged_now, may_annul, may_correct, proposal
from ledger.complaint.commands import ApproveAmendment, DeclineAmendment, ExtendDeadline, GradeComplaint
from ledger.complaint.events import (
    Amendment,
    AmendmentDeclined,
    AmendmentProposed,
    ComplaintEvent,
    ComplaintGraded,
    ComplaintRegraded,
    FactAnnulled,
    FactCorrected,
    done_by,
)
from ledger.complaint.grounds import not_before, same_person, unconcerned
from ledger.complaint.moving import DeadlineExtended
from ledger.complaint.refusals import (
    AmendmentOutdated,
    AmendmentSettled,
    AmendmentUnknown,
    ApproverProposedIt,
    InTheFuture,
    OnlyOfExtension,
    OutOfOrder,
)
from ledger.complaint.state import Complaint, effective, fold
from ledger.complaint.stated import FUTURE_SKEW, not_from_the_future, stated
from ledger.given import Given


def regrade(complaint: Complaint, command: GradeComplaint, given: Given) -> AmendmentProposed:
    """Proposes another grade, by its criteria and reason."""
    assert complaint.customer_id is not None, "a complaint that was received has a customer"
    graded = stated(ComplaintGraded, command, complaint.customer_id)
    return proposal(complaint, Amendment.REGRADE, graded, given, proposed_at=command.graded_at)


def extend(complaint: Complaint, command: ExtendDeadline, given: Given) -> AmendmentProposed:
    """Proposes a longer limit of one clock."""
    assert complaint.customer_id is not None, "a complaint that was received has a customer"
    extended = stated(DeadlineExtended, command, complaint.customer_id)
    return proposal(complaint, Amendment.EXTENSION, extended, given, proposed_at=command.extended_at)


def approved(complaint: Complaint, command: ApproveAmendment, given: Given) -> ComplaintEvent:
    """The fact to which a proposal leads by leave of somebody else than who made it.

    An annulment or a correction is checked here once more, by what is known now; whether another fact may be recorded, its
    own guards say. Cost: proportional to the number of facts of this complaint.
    """
    assert given.principal, "what takes two people is approved by somebody who is known"
    proposed = _open(complaint, command.proposed_version)
    _refuse_first_eyes(proposed, given)
    unconcerned(complaint, "approved_by", given.principal)
    if command.approved_at > given.now + FUTURE_SKEW:
        raise InTheFuture("approved_at", command.approved_at, given.now)
    if command.approved_at < proposed.proposed_at:
        raise OutOfOrder("approved_at", command.approved_at, "it was proposed", proposed.proposed_at)
    if proposed.amendment is not Amendment.EXTENSION:
        for field in ("approver_rank", "complainant_told_at"):
            if getattr(command, field) is not None:
                raise OnlyOfExtension(field, command.proposed_version)
    before = fold(complaint.recorded[: command.proposed_version])
    if _grounds(before, proposed) != _grounds(complaint, proposed):
        raise AmendmentOutdated(command.proposed_version)
    fact = _carried_out(proposed, command, given)
    if isinstance(fact, FactAnnulled):
        may_annul(complaint, fact.annulled_version, fact, given)
    elif isinstance(fact, FactCorrected):
        may_correct(complaint, fact.corrected_version, fact.fact, fact, given)
    return fact


def decline(complaint: Complaint, command: DeclineAmendment, given: Given) -> list[ComplaintEvent]:
    """Leaves undone what was proposed; who proposed it may take it back so, even where he is concerned by the complaint."""
    proposed = _open(complaint, command.proposed_version)
    if not same_person(proposed.proposed_by, given.principal):
        unconcerned(complaint, "declined_by", given.principal)
    assert complaint.customer_id is not None, "a complaint that was received has a customer"
    declined = stated(AmendmentDeclined, command, complaint.customer_id, declined_by=given.principal)
    not_from_the_future(declined, given.now)
    not_before(declined, "it was proposed", proposed.proposed_at)
    return [declined]


def _open(complaint: Complaint, version: int) -> AmendmentProposed:
    """The proposal of that version; refuses one that is none, was carried out or was declined."""
    settled = {
        cited: place
        for place, event in enumerate(complaint.recorded, start=1)
        if not isinstance(event, AmendmentProposed) and (cited := getattr(event, "proposed_version", None)) is not None
    }
    proposed = next(iter(complaint.recorded[version - 1 : version]), None)
    if not isinstance(proposed, AmendmentProposed):
        made = [event.proposed_version for event in complaint.recorded if isinstance(event, AmendmentProposed)]
        raise AmendmentUnknown(version, tuple(each for each in made if each not in settled))
    if version in settled:
        raise AmendmentSettled(version, settled[version])
    return proposed


def _refuse_first_eyes(proposed: AmendmentProposed, given: Given) -> None:
    """Refuses who proposed it by the token, and whom a grade or an extension names as the one who asked for it."""
    first = [proposed.proposed_by]
    if proposed.amendment in (Amendment.REGRADE, Amendment.EXTENSION):
        first += [by] if (by := done_by(proposed.fact)) is not None else []
    for one in first:
        if same_person(one, given.principal):
            raise ApproverProposedIt(proposed.proposed_version, one)


def _grounds(complaint: Complaint, proposed: AmendmentProposed) -> tuple[object, ...]:
    """What a proposal rests on, and what it replaces."""
    match proposed.amendment:
        case Amendment.ANNULMENT | Amendment.CORRECTION:
            replaced: object = dict(effective(complaint.recorded)).get(proposed.amended_version or 0)
        case Amendment.REGRADE:
            replaced = complaint.grade
        case Amendment.EXTENSION:
            replaced = None
        case _:
            assert_never(proposed.amendment)
    return complaint.customer_id, replaced


def _carried_out(proposed: AmendmentProposed, command: ApproveAmendment, given: Given) -> ComplaintEvent:
    """The fact that was proposed, as of its approval."""
    said = {name: getattr(proposed.fact, name) for name in type(proposed.fact).model_fields}
    leave: dict[str, Any] = {"approved_by": given.principal, "proposed_version": proposed.proposed_version}
    amends: dict[str, Any] = {"customer_id": proposed.customer_id, "reason": proposed.reason, **leave}
    place: Any = proposed.amended_version
    match proposed.amendment:
        case Amendment.ANNULMENT:
            return FactAnnulled(
                **amends,
                annulled_version=place,
                annulled_by=proposed.proposed_by,
                annulled_at=command.approved_at,
            )
        case Amendment.CORRECTION:
            return FactCorrected(
                **amends,
                corrected_version=place,
                name=proposed.name,
                fact=judged_now(proposed.fact, given),
                corrected_by=proposed.proposed_by,
                corrected_at=command.approved_at,
            )
        case Amendment.REGRADE:
            return ComplaintRegraded(**{**said, **leave, "graded_at": command.approved_at})
        case Amendment.EXTENSION:
            told_at = command.complainant_told_at or said["complainant_told_at"]
            ranked = {**leave, "approver_rank": command.approver_rank, "complainant_told_at": told_at}
            return DeadlineExtended(**{**said, **ranked, "extended_at": command.approved_at})
        case _:
            assert_never(proposed.amendment)
