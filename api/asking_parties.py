"""The questions about customers, interactions, improvement and leaks: each parses, hands over, and answers."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from api import party_answers as answers
from api.answers import answer
from api.asking import PAGE_DEFAULT, PAGE_MAX, PROJECTION, After, Asker, AsOf, AtLeast, Limit
from api.caller import departments_listed
from api.description import question_description
from ledger.command import Term
from ledger.standing import SubjectNotFound
from projections import duties, timeline
from projections.asking import BadCursor

PLURALS = {
    "customers": "customer",
    "interactions": "interaction",
    "indicators": "indicator",
    "surveys": "survey",
    "reviews": "review",
    "risks": "risk",
    "actions": "action",
    "leaks": "leak",
    "audit-findings": "finding",
}
"""The resources, and the subject that each is of."""


def router(asker: Asker) -> APIRouter:
    """Every question of this module, bound to a book."""
    routes = asker.routes()
    for plural, subject in PLURALS.items():
        _add_subject(routes, asker, plural, subject)
    _add_customers(routes, asker)
    _add_duties(routes, asker)
    return routes


def _add_subject(routes: APIRouter, asker: Asker, plural: str, subject: str) -> None:
    path = f"/{plural}/{{{subject}_id}}"
    Id = Annotated[UUID, Path(alias=f"{subject}_id")]  # noqa: N806 - a type, made here because its name differs

    @routes.get(
        path,
        operation_id=f"{subject}-now",
        summary=f"The {subject} as it stands",
        **question_description(answers.SubjectNow, SubjectNotFound, etag=True),
    )
    async def now(subject_id: Id, _reached: AtLeast) -> Response:
        """Read from the record: every position is always in it."""
        state, version = await asker.state(subject, subject_id)
        found = answers.SubjectNow.of(subject, subject_id, state)
        return answer(answers.SubjectNow, found, {"ETag": f'"{version}"'})

    @routes.get(
        f"{path}/history",
        operation_id=f"{subject}-history",
        summary=f"Everything that was recorded of the {subject}",
        **question_description(answers.SubjectHistory, SubjectNotFound, *PROJECTION, BadCursor),
    )
    async def history(
        subject_id: Id, at_least: AtLeast, as_of: AsOf = None, limit: Limit = PAGE_MAX, cursor: After = None
    ) -> Response:
        """In order: what, who, when it happened, when it was recorded."""
        found = await asker.ask_projection(
            "timeline",
            at_least,
            timeline.of_subject,
            subject,
            subject_id,
            as_of=as_of,
            rows_max=limit,
            cursor=cursor,
        )
        return answer(answers.SubjectHistory, _known(found))


def _add_customers(routes: APIRouter, asker: Asker) -> None:
    @routes.get("/customers/{customer_id}/timeline", **question_description(answers.Timeline, *PROJECTION, BadCursor))
    async def customer_timeline(
        customer_id: UUID, at_least: AtLeast, as_of: AsOf = None, limit: Limit = PAGE_MAX, cursor: After = None
    ) -> Response:
        """All that concerns a customer in the order in which it happened: complaints, interactions, consents, leaks."""
        found = await asker.ask_projection(
            "timeline", at_least, timeline.of_customer, customer_id, as_of=as_of, rows_max=limit, cursor=cursor
        )
        return answer(answers.Timeline, found)

    @routes.get("/complaints/{complaint_id}/links", **question_description(answers.Links, *PROJECTION, BadCursor))
    async def complaint_links(
        complaint_id: UUID, at_least: AtLeast, as_of: AsOf = None, limit: Limit = PAGE_MAX, cursor: After = None
    ) -> Response:
        """What names a complaint: the interaction it grew from, contacts about it, warnings, risks, actions, leaks and audit findings."""
        found = await asker.ask_projection(
            "timeline", at_least, timeline.of_complaint, complaint_id, as_of=as_of, rows_max=limit, cursor=cursor
        )
        return answer(answers.Links, found)


def _add_duties(routes: APIRouter, asker: Asker) -> None:
    @routes.get("/surveys/{survey_id}/scores", **question_description(answers.SurveyScores, *PROJECTION))
    async def survey_scores(request: Request, survey_id: UUID, at_least: AtLeast, as_of: AsOf = None) -> Response:
        """How many answered a survey and what they gave on average, counted from the answers; annulled ones left out."""
        found = await asker.ask_projection("timeline", at_least, timeline.of_survey, survey_id, as_of=as_of)
        return answer(answers.SurveyScores, found, to=request)

    @routes.get("/duties", **question_description(answers.Duties, *PROJECTION, BadCursor))
    async def duties_to_be_done(
        request: Request,
        at_least: AtLeast,
        kind: Annotated[duties.Kind | None, Query()] = None,
        who: Annotated[Term | None, Query()] = None,
        department: Annotated[Term | None, Query()] = None,
        limit: Limit = PAGE_DEFAULT,
        cursor: After = None,
    ) -> Response:
        """What somebody has to do besides complaints: actions, warnings, risks, leaks, audit findings, answers and calls that are owed."""
        found = await asker.ask_projection(
            "duties",
            at_least,
            duties.page,
            kind=kind,
            who=who,
            departments=await departments_listed(request, department, who),
            rows_max=limit,
            cursor=cursor,
        )
        return answer(answers.Duties, found)


def _known(found: timeline.SubjectHistory) -> timeline.SubjectHistory:
    """Raises SubjectNotFound where nothing was known of the subject then."""
    if not found.lines:
        raise SubjectNotFound(found.subject, found.subject_id)
    return found
