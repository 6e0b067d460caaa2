"""What the rules know of one interaction, folded from its facts. Nothing here refuses or decides."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import assert_never
from uuid import UUID

from ledger.interaction.events import (
    CallBackMade,
    CallBackPromised,
    InteractionAnswered,
    InteractionAssigned,
    InteractionBecameComplaint,
    InteractionDealtWith,
    InteractionEvent,
    InteractionFactAnnulled,
    InteractionKind,
    InteractionLookedInto,
    InteractionRated,
    InteractionRecorded,
    InteractionReviewed,
    SurveyAnswered,
    known_interaction_event,
)
from ledger.standing import Standing

ASKING = frozenset(
    {
        InteractionKind.ENQUIRY,
        InteractionKind.SERVICE_REQUEST,
        InteractionKind.SUGGESTION,
        InteractionKind.FEEDBACK,
        InteractionKind.COMPLAINT_CONTACT,
    }
)
"""The kinds in which the customer asks for something, and waits for an answer."""


IN_STEPS = frozenset({InteractionKind.SUGGESTION, InteractionKind.FEEDBACK})
"""The kinds that are looked into before they are answered, and reviewed afterwards."""


@dataclass(frozen=True)
class Interaction(Standing):
    """One interaction as the rules see it; `Interaction()` is one of which nothing is recorded."""

    customer_id: UUID | None = None
    kind: InteractionKind | None = None
    channel: str | None = None
    asked_at: datetime | None = None
    survey_id: UUID | None = None
    department: str | None = None
    assignee: str | None = None
    assigned_at: datetime | None = None
    looked_into_at: datetime | None = None
    dealt_with_at: datetime | None = None
    answered_at: datetime | None = None
    reviewed_at: datetime | None = None
    rated_at: datetime | None = None
    survey_answered_at: datetime | None = None
    call_back_due_on: date | None = None
    call_back_by: str | None = None
    call_back_promised_at: datetime | None = None
    complaint_id: UUID | None = None
    became_complaint_at: datetime | None = None

    @property
    def response_seconds(self) -> float | None:
        """The response time 响应速度; None while the customer waits."""
        if self.asked_at is None or self.answered_at is None:
            return None
        return (self.answered_at - self.asked_at).total_seconds()

    @property
    def waits(self) -> bool:
        """Whether the customer asked for something here and waits for the answer."""
        return self.kind in ASKING and self.answered_at is None and self.became_complaint_at is None


def applied(interaction: Interaction, event: InteractionEvent) -> Interaction:  # noqa: C901, PLR0912 - one case a fact
    """The interaction with one fact that stands. Total: no fact is ever refused here."""
    fact = known_interaction_event(event)
    match fact:
        case InteractionRecorded():
            return replace(
                interaction,
                customer_id=fact.customer_id,
                kind=fact.kind,
                channel=fact.channel,
                asked_at=fact.asked_at,
                survey_id=fact.survey_id,
                complaint_id=fact.complaint_id,
            )
        case InteractionAssigned():
            return replace(
                interaction, department=fact.department, assignee=fact.assignee, assigned_at=fact.assigned_at
            )
        case InteractionLookedInto():
            return replace(interaction, looked_into_at=interaction.looked_into_at or fact.looked_into_at)
        case InteractionDealtWith():
            return replace(interaction, dealt_with_at=interaction.dealt_with_at or fact.dealt_with_at)
        case InteractionAnswered():
            return replace(interaction, answered_at=fact.answered_at)
        case InteractionReviewed():
            return replace(interaction, reviewed_at=fact.reviewed_at)
        case InteractionRated():
            return replace(interaction, rated_at=fact.rated_at)
        case SurveyAnswered():
            return replace(interaction, survey_answered_at=fact.answered_at)
        case CallBackPromised():
            return replace(
                interaction,
                call_back_due_on=fact.due_on,
                call_back_by=fact.assignee,
                call_back_promised_at=fact.promised_at,
            )
        case CallBackMade():
            return replace(interaction, call_back_due_on=None, call_back_by=None, call_back_promised_at=None)
        case InteractionBecameComplaint():
            return replace(interaction, complaint_id=fact.complaint_id, became_complaint_at=fact.turned_at)
        case InteractionFactAnnulled():
            return interaction  # the fold has taken it into account
        case _:
            assert_never(fact)
