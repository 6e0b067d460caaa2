"""What the rules of a complaint do not allow, each with what to do instead. No rule is decided here.

A refusal is shown and logged, so its fields are ids, times, versions, codes and names of fields:
never what somebody wrote, and never a value that a caller gave as text.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from ledger.refusal import Refusal


class ComplaintRefusal(Refusal):
    """A refusal by the rules of one complaint."""

    def __str__(self) -> str:
        """The sentence and the remedy, with lists written as a person would."""
        facts = self.facts().items()
        listed = {name: ", ".join(map(str, fact)) if isinstance(fact, tuple) else fact for name, fact in facts}
        return f"{self.says.format(**listed)} {self.remedy}"


@dataclass(eq=False)
class ComplaintNotFound(ComplaintRefusal):
    complaint_id: UUID

    says: ClassVar[str] = "No complaint {complaint_id} was received."
    remedy: ClassVar[str] = "Check the id, or record the receipt first."


@dataclass(eq=False)
class AlreadyReceived(ComplaintRefusal):
    complaint_id: UUID

    says: ClassVar[str] = "Complaint {complaint_id} is recorded already."
    remedy: ClassVar[str] = (
        "Repeat a request with the same Idempotency-Key; correct the receipt if it is wrong; "
        "give another complaint an id of its own."
    )


@dataclass(eq=False)
class InTheFuture(ComplaintRefusal):
    field: str
    given: datetime
    now: datetime

    says: ClassVar[str] = "{field} is {given}, and it is only {now}."
    remedy: ClassVar[str] = (
        "Record what has happened, when it has happened: a clock may be 5 seconds ahead of the ledger's, no more. "
        "Check the offset of the time, and the clock."
    )


@dataclass(eq=False)
class BeforeTheReceipt(ComplaintRefusal):
    field: str
    given: datetime
    received_at: datetime

    says: ClassVar[str] = "{field} is {given}, before the complaint was received at {received_at}."
    remedy: ClassVar[str] = "Correct the time; or correct the receipt, or note an earlier contact as a contact."


@dataclass(eq=False)
class OutOfOrder(ComplaintRefusal):
    field: str
    given: datetime
    before: str
    before_at: datetime

    says: ClassVar[str] = "{field} is {given}, before {before} at {before_at}."
    remedy: ClassVar[str] = "Correct this time, or the recorded one."


@dataclass(eq=False)
class AmountIncomplete(ComplaintRefusal):
    field: str
    missing: str

    says: ClassVar[str] = "{field} is given without {missing}."
    remedy: ClassVar[str] = "Give both, or neither."


@dataclass(eq=False)
class ComplaintIsClosed(ComplaintRefusal):
    closed_at: datetime

    says: ClassVar[str] = "The complaint was closed at {closed_at}."
    remedy: ClassVar[str] = "Reopen it first; a contact, rating, dispute, annulment or correction needs no reopening."


@dataclass(eq=False)
class ComplaintIsWithdrawn(ComplaintRefusal):
    withdrawn_at: datetime

    says: ClassVar[str] = "The customer withdrew the complaint at {withdrawn_at}."
    remedy: ClassVar[str] = (
        "Close it; if the withdrawal is a mistake, annul it; if the customer comes back, receive anew."
    )


@dataclass(eq=False)
class AlreadyRegistered(ComplaintRefusal):
    reference: str

    says: ClassVar[str] = "The complaint is registered as {reference}."
    remedy: ClassVar[str] = "Use that reference, or correct the registration."


@dataclass(eq=False)
class FirstReplyAlreadySent(ComplaintRefusal):
    sent_at: datetime

    says: ClassVar[str] = "The first reply was sent at {sent_at}."
    remedy: ClassVar[str] = "Note a further conversation as a contact, or correct the first reply."


@dataclass(eq=False)
class ReasonMissing(ComplaintRefusal):
    what: str

    says: ClassVar[str] = "The {what} of the complaint stands already, and no reason is given to change it."
    remedy: ClassVar[str] = "Give the reason."


@dataclass(eq=False)
class NothingToChange(ComplaintRefusal):
    what: str
    field: str

    says: ClassVar[str] = (
        "{field} is given to change the {what}, and there is nothing to change: none yet, or this one already."
    )
    remedy: ClassVar[str] = "Leave that field out; or record the earlier one first, or state another one."


@dataclass(eq=False)
class ApproverIsAuthor(ComplaintRefusal):
    field: str

    says: ClassVar[str] = "approved_by and {field} name the same person."
    remedy: ClassVar[str] = "Have a second person approve."


@dataclass(eq=False)
class DeciderIsEscalator(ComplaintRefusal):
    """Who submits a complaint to management does not decide for it."""

    decided_by: str

    says: ClassVar[str] = "{decided_by} submitted the escalation, and cannot decide it too."
    remedy: ClassVar[str] = "Have it decided by those to whom it was submitted."


@dataclass(eq=False)
class IdTaken(ComplaintRefusal):
    field: str
    taken: UUID

    says: ClassVar[str] = "{field} {taken} is recorded already."
    remedy: ClassVar[str] = (
        "Repeat a request with the same Idempotency-Key; leave the id out to have a new one made; "
        "or correct the recorded fact."
    )


@dataclass(eq=False)
class InvestigationUnknown(ComplaintRefusal):
    investigation_id: UUID
    known: tuple[UUID, ...]

    says: ClassVar[str] = "The complaint has no investigation {investigation_id}."
    remedy: ClassVar[str] = "Name one of those in `known`, or start one."


@dataclass(eq=False)
class InvestigationIsClosed(ComplaintRefusal):
    investigation_id: UUID

    says: ClassVar[str] = "Investigation {investigation_id} is closed."
    remedy: ClassVar[str] = "Start another, or annul its closing."


@dataclass(eq=False)
class ProposalUnknown(ComplaintRefusal):
    proposal_id: UUID
    known: tuple[UUID, ...]

    says: ClassVar[str] = "The complaint has no proposal {proposal_id}."
    remedy: ClassVar[str] = "Name one of those in `known`, or propose a solution."


@dataclass(eq=False)
class ProposalAnswered(ComplaintRefusal):
    proposal_id: UUID

    says: ClassVar[str] = "The customer has answered proposal {proposal_id}."
    remedy: ClassVar[str] = "Put another proposal, or annul the answer if it is a mistake."


@dataclass(eq=False)
class AlreadyResolved(ComplaintRefusal):
    resolution_id: UUID

    says: ClassVar[str] = "The complaint is resolved by {resolution_id}."
    remedy: ClassVar[str] = "Correct that resolution, or reopen the complaint and resolve it again."


@dataclass(eq=False)
class NothingToReply(ComplaintRefusal):
    says: ClassVar[str] = "There is no resolution that the customer could be told."
    remedy: ClassVar[str] = "Resolve the complaint first, or note a contact."


@dataclass(eq=False)
class ResolutionUnknown(ComplaintRefusal):
    resolution_id: UUID
    known: tuple[UUID, ...]

    says: ClassVar[str] = "The complaint has no resolution {resolution_id}."
    remedy: ClassVar[str] = "Name one of those in `known`."


@dataclass(eq=False)
class NotRepliedYet(ComplaintRefusal):
    resolution_id: UUID

    says: ClassVar[str] = "The customer was not told resolution {resolution_id}."
    remedy: ClassVar[str] = "Send the reply first."


@dataclass(eq=False)
class AlreadyRated(ComplaintRefusal):
    resolution_id: UUID

    says: ClassVar[str] = "The customer has rated resolution {resolution_id}."
    remedy: ClassVar[str] = "Correct that rating if it is wrong; a reopened complaint is rated anew."


@dataclass(eq=False)
class NothingToClose(ComplaintRefusal):
    says: ClassVar[str] = (
        "The customer was not told a result and has not withdrawn; it is not ruled out and not merged."
    )
    remedy: ClassVar[str] = "Resolve the complaint and send the reply, or record why that is not to come."


@dataclass(eq=False)
class NothingToReopen(ComplaintRefusal):
    says: ClassVar[str] = "The complaint is still being handled."
    remedy: ClassVar[str] = "Go on with it; note what the customer said as a contact."


@dataclass(eq=False)
class NothingToDispute(ComplaintRefusal):
    says: ClassVar[str] = "The complaint has no outcome yet."
    remedy: ClassVar[str] = "Record the resolution or the stated outcome first, or note a contact."


@dataclass(eq=False)
class TransferAlreadyReceived(ComplaintRefusal):
    body: str
    received_at: datetime

    says: ClassVar[str] = "This transfer by {body}, by its reference, reached us at {received_at}."
    remedy: ClassVar[str] = "Correct that fact if it is wrong; give another transfer its own reference."


@dataclass(eq=False)
class AppraisalUnknown(ComplaintRefusal):
    appraisal_id: UUID
    known: tuple[UUID, ...]

    says: ClassVar[str] = "The complaint has no outside appraisal {appraisal_id}."
    remedy: ClassVar[str] = "Name one of those in `known`, or record that one began."


@dataclass(eq=False)
class AppraisalHasEnded(ComplaintRefusal):
    appraisal_id: UUID

    says: ClassVar[str] = "The outside appraisal {appraisal_id} has ended."
    remedy: ClassVar[str] = "Correct its end if it is wrong, or record another appraisal."


@dataclass(eq=False)
class ResultWasTold(ComplaintRefusal):
    replied_at: datetime

    says: ClassVar[str] = "The customer was told the result at {replied_at}."
    remedy: ClassVar[str] = "Reopen the complaint, saying whether there are new facts; or note a contact."


@dataclass(eq=False)
class AlreadyRuledOut(ComplaintRefusal):
    ruled_out_at: datetime

    says: ClassVar[str] = "It was found to be no complaint at {ruled_out_at}."
    remedy: ClassVar[str] = "Correct that fact if it is wrong, or annul it."


@dataclass(eq=False)
class AlreadyMerged(ComplaintRefusal):
    into_complaint_id: UUID

    says: ClassVar[str] = "The complaint is merged into {into_complaint_id}."
    remedy: ClassVar[str] = "Correct that fact if it is wrong, or annul it."


@dataclass(eq=False)
class MergedIntoItself(ComplaintRefusal):
    complaint_id: UUID

    says: ClassVar[str] = "Complaint {complaint_id} cannot be merged into itself."
    remedy: ClassVar[str] = "Name the complaint with which it is handled from now on."


@dataclass(eq=False)
class NoSuchFact(ComplaintRefusal):
    version: int
    last_version: int

    says: ClassVar[str] = "The complaint has no fact of version {version}; its last is {last_version}."
    remedy: ClassVar[str] = "Name a version that its history lists."


@dataclass(eq=False)
class AmendmentIsFinal(ComplaintRefusal):
    version: int

    says: ClassVar[str] = "Version {version} is itself an annulment or a correction, or the proposal of one."
    remedy: ClassVar[str] = (
        "Correct the fact that it names once more, or record an annulled fact anew; decline a proposal that is open."
    )


@dataclass(eq=False)
class FactIsAnnulled(ComplaintRefusal):
    version: int

    says: ClassVar[str] = "The fact of version {version} was annulled."
    remedy: ClassVar[str] = "Record it anew, as it really happened; repeat a request with the same Idempotency-Key."


@dataclass(eq=False)
class AmendmentUnknown(ComplaintRefusal):
    proposed_version: int
    open: tuple[int, ...]

    says: ClassVar[str] = "Version {proposed_version} of the complaint proposes no amendment."
    remedy: ClassVar[str] = "Name one of those in `open`, or propose it first: somebody else than you approves it then."


@dataclass(eq=False)
class AmendmentSettled(ComplaintRefusal):
    proposed_version: int
    by_version: int

    says: ClassVar[str] = (
        "What version {proposed_version} proposes was carried out or declined by version {by_version}."
    )
    remedy: ClassVar[str] = "Propose it anew if it is still wanted; repeat a request with the same Idempotency-Key."


@dataclass(eq=False)
class AmendmentOutdated(ComplaintRefusal):
    """What is approved is what was proposed, about the fact that was known then."""

    proposed_version: int

    says: ClassVar[str] = "What version {proposed_version} proposes was to change has been changed since."
    remedy: ClassVar[str] = "Decline it, look at the complaint as it is now, and propose anew."


@dataclass(eq=False)
class ApproverProposedIt(ComplaintRefusal):
    """Four eyes: compared are the persons whom the two tokens speak for, not names that somebody states."""

    proposed_version: int
    proposed_by: str

    says: ClassVar[str] = "What version {proposed_version} proposes is of {proposed_by}, who cannot approve it too."
    remedy: ClassVar[str] = "Have somebody else approve it, with a token of their own."


@dataclass(eq=False)
class OnlyOfExtension(ComplaintRefusal):
    field: str

    says: ClassVar[str] = "{field} is said of the extension of a limit, and version {proposed_version} proposes none."
    remedy: ClassVar[str] = "Leave it out."

    proposed_version: int


@dataclass(eq=False)
class ReceiptStays(ComplaintRefusal):
    says: ClassVar[str] = "The receipt cannot be annulled: everything else stands on it."
    remedy: ClassVar[str] = "Correct it, or record the withdrawal."


@dataclass(eq=False)
class LaterFactsStandOnIt(ComplaintRefusal):
    version: int
    later: tuple[int, ...]

    says: ClassVar[str] = "Without version {version} as it is, these later versions could not stand: {later}."
    remedy: ClassVar[str] = "Annul or correct those first, the newest before the older ones."


@dataclass(eq=False)
class FieldUnknown(ComplaintRefusal):
    version: int
    known: tuple[str, ...]

    says: ClassVar[str] = "A field in changes is none that the fact of version {version} has."
    remedy: ClassVar[str] = "Name fields of `known` only."


@dataclass(eq=False)
class FieldFixed(ComplaintRefusal):
    field: str

    says: ClassVar[str] = "{field} cannot be corrected: other facts cite it, or it says by whose leave it is."
    remedy: ClassVar[str] = (
        "Annul the fact and record it anew, under another id or leave; the customer is corrected on the receipt."
    )


@dataclass(eq=False)
class ValueNotUnderstood(ComplaintRefusal):
    field: str
    expected: str

    says: ClassVar[str] = "The new value of {field} cannot be used: {expected}."
    remedy: ClassVar[str] = "Give it as the command that recorded the fact takes it."


@dataclass(eq=False)
class ValuesToGiveAgain(ComplaintRefusal):
    fields: tuple[str, ...]

    says: ClassVar[str] = "The fact was recorded under another customer, whose key still holds these values: {fields}."
    remedy: ClassVar[str] = "Give each of them again in changes, or null to leave an optional one out."


@dataclass(eq=False)
class ConflictOfInterest(ComplaintRefusal):
    field: str
    staff: str
    interest: str

    says: ClassVar[str] = "{staff}, named in {field}, may not handle this complaint: {interest}."
    remedy: ClassVar[str] = (
        "Name somebody who is not concerned in it; correct or annul the recorded interest if it is wrong."
    )


@dataclass(eq=False)
class NothingOpen(ComplaintRefusal):
    field: str
    given: UUID
    known: tuple[UUID, ...]

    says: ClassVar[str] = "Nothing is open in this complaint under {field} {given}."
    remedy: ClassVar[str] = "Name one of those in `known`, which are open; record its beginning first, if it has none."


@dataclass(eq=False)
class EvidenceUnknown(ComplaintRefusal):
    field: str
    evidence_id: UUID
    known: tuple[UUID, ...]

    says: ClassVar[str] = "{field} names evidence {evidence_id}, which is not on file."
    remedy: ClassVar[str] = "Name one of those in `known`, or put it on file first."


@dataclass(eq=False)
class FileUnknown(ComplaintRefusal):
    file_id: UUID

    says: ClassVar[str] = "No file {file_id} was taken in for this complaint and its customer."
    remedy: ClassVar[str] = "Upload it to this complaint first, and name the id that the answer gives."


@dataclass(eq=False)
class NotUrgent(ComplaintRefusal):
    says: ClassVar[str] = "The complaint is not graded urgent, and only an urgent one starts the emergency procedure."
    remedy: ClassVar[str] = "Grade it urgent first."


@dataclass(eq=False)
class EmergencyRuns(ComplaintRefusal):
    emergency_id: UUID

    says: ClassVar[str] = "The emergency procedure {emergency_id} has not ended."
    remedy: ClassVar[str] = "Go on with it, or end it first."


@dataclass(eq=False)
class EmergencyStepMissing(ComplaintRefusal):
    step: str
    before: str

    says: ClassVar[str] = "{step} stands on the step {before}, which was not taken."
    remedy: ClassVar[str] = "Record that step first."


@dataclass(eq=False)
class EmergencyNotEnded(ComplaintRefusal):
    emergency_id: UUID

    says: ClassVar[str] = "No emergency procedure {emergency_id} of this complaint has ended."
    remedy: ClassVar[str] = "Check the id, or record its end first."


@dataclass(eq=False)
class DepartmentMissing(ComplaintRefusal):
    category: str | None

    says: ClassVar[str] = "No department is given, and the routing names none for the category {category}."
    remedy: ClassVar[str] = "Name the department, or classify the complaint under a category that is routed."


@dataclass(eq=False)
class RoutedElsewhere(ComplaintRefusal):
    category: str
    department: str
    routing_version: int

    says: ClassVar[str] = (
        "The routing (version {routing_version}) gives {category} to {department}, and no reason is given."
    )
    remedy: ClassVar[str] = "Leave the department out, name that one, or give the reason for another."


@dataclass(eq=False)
class BeyondTheLimit(ComplaintRefusal):
    approver_rank: str | None
    currency: str
    amount_minor_max: int

    says: ClassVar[str] = "The rank {approver_rank} may approve up to {amount_minor_max} (minor units) in {currency}."
    remedy: ClassVar[str] = "Have somebody of a higher rank approve it, and name the rank in approver_rank."


@dataclass(eq=False)
class ReviewerHandledIt(ComplaintRefusal):
    staff: str

    says: ClassVar[str] = "{staff} had a part in handling this complaint."
    remedy: ClassVar[str] = "Have somebody review it who had none."


@dataclass(eq=False)
class NothingToReview(ComplaintRefusal):
    says: ClassVar[str] = "The handling has come to no end yet: no result was told, and it ended in no other way."
    remedy: ClassVar[str] = "Review it when it has."


@dataclass(eq=False)
class NotClosedYet(ComplaintRefusal):
    says: ClassVar[str] = "The complaint is not closed."
    remedy: ClassVar[str] = "Close it first."


@dataclass(eq=False)
class FileNotChecked(ComplaintRefusal):
    says: ClassVar[str] = "The file was not checked for completeness since the complaint was closed."
    remedy: ClassVar[str] = "Check it first."


@dataclass(eq=False)
class FileIncomplete(ComplaintRefusal):
    missing: tuple[str, ...]

    says: ClassVar[str] = "The file is not complete; these parts are missing: {missing}."
    remedy: ClassVar[str] = "Record what is missing, check again, and archive it then."


@dataclass(eq=False)
class AlreadyArchived(ComplaintRefusal):
    archived_at: datetime

    says: ClassVar[str] = "The file was archived at {archived_at}."
    remedy: ClassVar[str] = "Correct that fact if it is wrong; a reopening takes the file out again."


@dataclass(eq=False)
class RepeatOfItself(ComplaintRefusal):
    complaint_id: UUID

    says: ClassVar[str] = "Complaint {complaint_id} cannot take in itself."
    remedy: ClassVar[str] = "Name the repeat that is handled with it from now on."
