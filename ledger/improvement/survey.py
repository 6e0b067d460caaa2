"""One survey and one periodic review: what is known of each, what may follow what. Pure."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import assert_never

from ledger.event import Event
from ledger.given import Given
from ledger.improvement import commands as ask
from ledger.improvement.events import (
    ReviewEvent,
    ReviewFactAnnulled,
    ReviewHeld,
    ReviewReported,
    SurveyConcluded,
    SurveyEvent,
    SurveyFactAnnulled,
    SurveyOpened,
    SurveyReported,
    known_review_event,
    known_survey_event,
)
from ledger.improvement.refusals import MoreAnsweredThanInvited, NothingToReport, PeriodBackwards, SurveyIsConcluded
from ledger.standing import Rules, Standing, not_before


@dataclass(frozen=True)
class Survey(Standing):
    """One survey as the rules see it; `Survey()` is one of which nothing is recorded."""

    title: str | None = None
    opened_at: datetime | None = None
    invited: int | None = None
    closes_on: date | None = None
    concluded_at: datetime | None = None


@dataclass(frozen=True)
class Review(Standing):
    """One periodic review as the rules see it; `Review()` is one of which nothing is recorded."""

    held_at: datetime | None = None


def decide(survey: Survey, command: ask.SurveyCommand, given: Given) -> list[Event]:
    """The facts that a command about a survey leads to now; `[]` when it is already so; raises a Refusal otherwise."""
    return RULES.decide(survey, command, given)


def decide_review(review: Review, command: ask.ReviewCommand, given: Given) -> list[Event]:
    """The facts that a command about a review leads to now; `[]` when it is already so; raises a Refusal otherwise."""
    return REVIEW_RULES.decide(review, command, given)


def evolve(survey: Survey, event: SurveyEvent) -> Survey:
    """The survey after one more recorded fact. Total: no fact is ever refused here."""
    return RULES.evolve(survey, event)


def evolve_review(review: Review, event: ReviewEvent) -> Review:
    """The review after one more recorded fact. Total: no fact is ever refused here."""
    return REVIEW_RULES.evolve(review, event)


def applied(survey: Survey, event: SurveyEvent) -> Survey:
    """The survey with one fact that stands. Total: no fact is ever refused here."""
    fact = known_survey_event(event)
    match fact:
        case SurveyOpened():
            named = replace(survey, title=fact.title, invited=fact.invited)
            return replace(named, opened_at=fact.opened_at, closes_on=fact.closes_on)
        case SurveyConcluded():
            return replace(survey, concluded_at=fact.concluded_at)
        case SurveyReported() | SurveyFactAnnulled():
            return survey  # no rule reads them
        case _:
            assert_never(fact)


def may_follow(survey: Survey, event: SurveyEvent) -> None:
    """Raises the refusal that keeps this fact from following what stands; otherwise does nothing."""
    fact = known_survey_event(event)
    not_before(fact, "the survey was opened", survey.opened_at)
    match fact:
        case SurveyOpened():
            if fact.closes_on < fact.opens_on:
                raise PeriodBackwards(fact.opens_on, fact.closes_on)
        case SurveyConcluded():
            if survey.concluded_at is not None:
                raise SurveyIsConcluded(survey.concluded_at)
            if survey.invited is not None and fact.answered > survey.invited:
                raise MoreAnsweredThanInvited(fact.answered, survey.invited)
        case SurveyReported():
            if survey.concluded_at is None:
                raise NothingToReport
            not_before(fact, "the survey was concluded", survey.concluded_at)
        case SurveyFactAnnulled():
            pass
        case _:
            assert_never(fact)


def applied_review(review: Review, event: ReviewEvent) -> Review:
    """The review with one fact that stands. Total: no fact is ever refused here."""
    fact = known_review_event(event)
    match fact:
        case ReviewHeld():
            return replace(review, held_at=fact.held_at)
        case ReviewReported() | ReviewFactAnnulled():
            return review  # no rule reads them
        case _:
            assert_never(fact)


def review_may_follow(review: Review, event: ReviewEvent) -> None:
    """Raises the refusal that keeps this fact from following what stands; otherwise does nothing."""
    fact = known_review_event(event)
    not_before(fact, "the review was held", review.held_at)
    if isinstance(fact, ReviewHeld) and fact.period_to < fact.period_from:
        raise PeriodBackwards(fact.period_from, fact.period_to)


RULES: Rules[Survey] = Rules(
    name="survey",
    own_id="survey_id",
    begins=SurveyOpened,
    annulled=SurveyFactAnnulled,
    facts={
        ask.OpenSurvey: SurveyOpened,
        ask.ConcludeSurvey: SurveyConcluded,
        ask.ReportSurvey: SurveyReported,
        ask.AnnulSurveyFact: SurveyFactAnnulled,
    },
    nothing=Survey(),
    applied=applied,
    may_follow=may_follow,
)

REVIEW_RULES: Rules[Review] = Rules(
    name="review",
    own_id="review_id",
    begins=ReviewHeld,
    annulled=ReviewFactAnnulled,
    facts={
        ask.HoldReview: ReviewHeld,
        ask.ReportReview: ReviewReported,
        ask.AnnulReviewFact: ReviewFactAnnulled,
    },
    nothing=Review(),
    applied=applied_review,
    may_follow=review_may_follow,
    tables={ReviewHeld: {"kind": "review-kind", "breakdowns": "breakdown"}},
)
