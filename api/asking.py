"""The questions over HTTP: each route parses, hands over to a projection or the record, and answers.

Nothing is computed here, and nothing is recorded.
"""

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, TypeVar
from uuid import UUID

import anyio
import anyio.to_thread
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.responses import HTMLResponse
from psycopg2.extensions import connection as Connection

from api import answers, problems
from api.answers import answer
from api.caller import departments_listed
from api.description import problem_responses, question_description
from api.moments import Beginning, ClassifiedPlace, Ending, Instant, Place, take_days_of
from api.page import first_page
from api.refusals import InvalidRequest, NoSuchPage
from api.standing import ComplaintNow
from api.validation import unknown_parameters
from ledger.application import Ledger
from ledger.circumstances import tables_at
from ledger.command import Term
from ledger.complaint.refusals import ComplaintNotFound
from ledger.database.pool import CONNECTIONS_MAX, Pool
from ledger.event import Code, Reference
from ledger.record.reading import head
from ledger.standing import SubjectNotFound
from ledger.tables.state import Tables
from projections import derivation, history, sla, worklist
from projections.asking import BadCursor, BeyondTheBook, NotBuilt, NotReached, reached, status, within_the_book
from projections.catalogue import PROJECTIONS
from projections.policies import Followed, Remembered

WAIT_SECONDS_MAX = 2.0
POLL_SECONDS = 0.02
PAGE_MAX = 500
PAGE_DEFAULT = 50
CURSOR_CHARACTERS_MAX = 1000

Found = TypeVar("Found")

DAY_WRITTEN = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
COUNTED_BY_DAYS = ("/figures", "/returns")

PROJECTION = (NotReached, NotBuilt, BeyondTheBook)
"""What a question to a projection may have to say instead of an answer."""


async def position_named(
    position: Annotated[
        int | None,
        Query(
            ge=0, lt=2**62, description="Answer only when this position is worked in; waits for two seconds at most."
        ),
    ] = None,
    ledger_position: Annotated[
        int | None,
        Header(alias="Ledger-Position", ge=0, lt=2**62, description="The same, as a command's answer gave it."),
    ] = None,
) -> int:
    """The position that an answer must have reached, from the query or the header; 0 asks for none."""
    return max(position or 0, ledger_position or 0)


async def only_known_parameters(request: Request) -> None:
    """Refuses a question with a parameter that it does not have: a misspelt filter would answer another question."""
    known = set(_parameters(request.scope["route"].dependant))
    unknown = [name for name in dict.fromkeys(request.query_params) if name not in known]
    if unknown:
        raise InvalidRequest(unknown_parameters(unknown, known))


def _parameters(asked: Dependant) -> Iterator[str]:
    yield from (field.alias for field in asked.query_params)
    for dependency in asked.dependencies:
        yield from _parameters(dependency)


AtLeast = Annotated[int, Depends(position_named)]
AsOf = Annotated[Place | None, Query(description="As known at this position, at this instant, or when this day ended.")]
From = Annotated[
    Beginning | None, Query(alias="from", description="Deadlines that began at this instant, or on this day, or later.")
]
To = Annotated[
    Ending | None, Query(description="Deadlines that began before this instant, or on this day at the latest.")
]
Now = Annotated[Instant | None, Query(description="Judge what runs at this instant.")]
Limit = Annotated[int, Query(ge=1, le=PAGE_MAX)]
After = Annotated[
    str | None,
    Query(
        max_length=CURSOR_CHARACTERS_MAX, pattern=r"^[A-Za-z0-9_-]*$", description="`next_cursor` of the page before."
    ),
]


class Asker:
    """Asks the projections and the record, on threads with connections of their own."""

    def __init__(self, ledger: Ledger, pool: Pool, wake: Callable[[], None]) -> None:
        self.ledger, self._pool, self._wake = ledger, pool, wake
        self._places = anyio.CapacityLimiter(CONNECTIONS_MAX)
        self._policies = Remembered(ledger.book)

    def routes(self) -> APIRouter:
        """Routes for questions: none is answered that names a parameter it does not have."""
        known = [Depends(only_known_parameters), Depends(self.in_its_days)]
        return APIRouter(default_response_class=Response, dependencies=known)

    async def ask(self, question: Callable[..., Found], *args: Any, **asked: Any) -> Found:
        """A question about the book."""
        return await self._on_a_thread(partial(self._ask, question, *args, **asked))

    async def in_its_days(self, request: Request) -> None:
        """Has the days that a question names, and those that figures are counted by, be days of the book's calendar.

        A question that names no day costs nothing; another one costs an indexed read.
        """
        named = any(DAY_WRITTEN.fullmatch(value) for value in request.query_params.values())
        if named or request.scope["path"].startswith(COUNTED_BY_DAYS):
            take_days_of((await self.ask(self._policies_of)).now)

    def _policies_of(self, connection: Connection, _book: str) -> Followed:
        return self._policies.now(connection)

    async def tables(self, as_of: Place | None = None) -> Tables:
        """The code tables in force, or those of a place. Raises BeyondTheBook."""
        if as_of is None:
            return await self._on_a_thread(self.ledger.tables)
        if isinstance(as_of, int):
            await self.ask(within_the_book, as_of)
        return await self.ask(tables_at, as_of=as_of)

    async def ask_projection(
        self, name: str, at_least: int, question: Callable[..., Found], *args: Any, **asked: Any
    ) -> Found:
        """A question to a projection, once it has reached a position. Raises NotReached after two seconds."""
        await self._wait_for(name, at_least)
        return await self.ask(question, *args, **asked)

    async def end(self, at_least: int) -> int:
        """Where the book ends. Raises BeyondTheBook where it does not reach the position."""
        if at_least:
            await self.ask(within_the_book, at_least)
        return (await self.ask(head)).size

    async def complaint(self, complaint_id: UUID) -> ComplaintNow:
        """A complaint from the record itself: it is never behind."""
        return await self._on_a_thread(partial(self._complaint, complaint_id))

    def _complaint(self, complaint_id: UUID) -> ComplaintNow:
        complaint = self.ledger.complaint(complaint_id)
        with self._pool.connection() as connection:
            followed = self._policies.now(connection)
            clocks = derivation.clocks_of(
                connection, self.ledger.book, complaint_id, followed, up_to_version=complaint.version
            )
        since = None if complaint.customer_id is None else self.ledger.restricted_since(complaint.customer_id)
        return ComplaintNow.of(complaint_id, complaint, clocks, datetime.now(UTC), since)

    async def state(self, subject: str, subject_id: UUID) -> tuple[Any, int]:
        """A subject from the record itself, and its version. Raises SubjectNotFound."""
        state, version = await self._on_a_thread(partial(self.ledger.state, subject, subject_id))
        if version == 0:
            raise SubjectNotFound(subject, subject_id)
        return state, version

    def _ask(self, question: Callable[..., Found], *args: Any, **asked: Any) -> Found:
        with self._pool.connection() as connection:
            return question(connection, self.ledger.book, *args, **asked)

    async def _on_a_thread(self, work: Callable[[], Found]) -> Found:
        return await anyio.to_thread.run_sync(work, limiter=self._places)

    async def _wait_for(self, name: str, at_least: int) -> None:
        until = time.monotonic() + WAIT_SECONDS_MAX
        come = at_least and await self.ask(reached, name)
        if come < at_least:
            await self.ask(within_the_book, at_least)
        while come < at_least:
            if time.monotonic() > until:
                raise NotReached(self.ledger.book, name, at_least, come)
            self._wake()
            await asyncio.sleep(POLL_SECONDS)
            come = await self.ask(reached, name)


def router(asker: Asker) -> APIRouter:
    """Every question, bound to a book."""
    questions = asker.routes()
    _add_complaints(questions, asker)
    _add_worklist(questions, asker)
    _add_reports(questions, asker)
    _add_service(questions, asker)
    pages = APIRouter(default_response_class=Response)
    _add_pages(pages, asker)
    routes = APIRouter()
    routes.include_router(questions)
    routes.include_router(pages)
    return routes


def _add_complaints(routes: APIRouter, asker: Asker) -> None:
    @routes.get(
        "/complaints/{complaint_id}",
        **question_description(ComplaintNow, ComplaintNotFound, BeyondTheBook, etag=True, stands=True),
    )
    async def complaint(complaint_id: UUID, at_least: AtLeast) -> Response:
        """A complaint as it stands now, with its deadlines. Read from the record: every position is always in it."""
        end = await asker.end(at_least)
        found = await asker.complaint(complaint_id)
        return answer(ComplaintNow, found, {"ETag": f'"{found.version}"', "Ledger-Position": str(end)})

    @routes.get(
        "/complaints/{complaint_id}/history",
        **question_description(answers.History, ComplaintNotFound, *PROJECTION, BadCursor),
    )
    async def complaint_history(
        complaint_id: UUID, at_least: AtLeast, as_of: AsOf = None, limit: Limit = PAGE_MAX, cursor: After = None
    ) -> Response:
        """Everything that was recorded of a complaint, in order: what, who, when it happened, when it was recorded."""
        found = await asker.ask_projection(
            "history", at_least, history.of, complaint_id, as_of=as_of, rows_max=limit, cursor=cursor
        )
        return answer(answers.History, _known(found))

    @routes.get("/complaints/{complaint_id}/clocks", **question_description(answers.KnownClocks, *PROJECTION))
    async def complaint_clocks(complaint_id: UUID, at_least: AtLeast, as_of: AsOf = None) -> Response:
        """Every state of a complaint's deadlines that was ever known, and from which position to which."""
        found = await asker.ask_projection("sla", at_least, sla.of, complaint_id, as_of=as_of)
        now = datetime.now(UTC) if not isinstance(as_of, datetime) else as_of
        return answer(answers.KnownClocks, {"clocks": [answers.KnownClock.judged_at(each, now) for each in found]})

    @routes.get("/complaints", **question_description(answers.Found, *PROJECTION))
    async def complaints_by_reference(
        reference: Annotated[Reference, Query(description="A reference number, ours or somebody else's, or an id.")],
        at_least: AtLeast,
        as_of: AsOf = None,
    ) -> Response:
        """The complaints that a reference may mean; somebody else's reference may mean several."""
        found = await asker.ask_projection("history", at_least, history.find, reference, as_of=as_of)
        return answer(answers.Found, {"complaint_ids": found})


def _add_worklist(routes: APIRouter, asker: Asker) -> None:
    @routes.get("/worklist", **question_description(answers.Worklist, *PROJECTION, BadCursor))
    async def open_complaints(
        request: Request,
        at_least: AtLeast,
        department: Annotated[Term | None, Query()] = None,
        assignee: Annotated[Term | None, Query()] = None,
        to_do: Annotated[
            Code | None, Query(description="What is open or not, where this is to be done, such as `archive`.")
        ] = None,
        limit: Limit = PAGE_DEFAULT,
        cursor: After = None,
    ) -> Response:
        """What is open, for whom, due when, and what is to be done in it, soonest first.

        Without `department`, a caller who works within departments is given those of the token, and what no department has
        yet; and with `assignee` naming the caller, everything that was given to it.
        """
        found = await asker.ask_projection(
            "worklist",
            at_least,
            worklist.page,
            departments=await departments_listed(request, department, assignee),
            or_of_none=department is None,
            assignee=assignee,
            to_do=to_do,
            rows_max=limit,
            cursor=cursor,
        )
        return answer(answers.Worklist, found)


def _add_reports(routes: APIRouter, asker: Asker) -> None:
    @routes.get("/sla", **question_description(answers.SlaReport, *PROJECTION))
    async def sla_report(
        request: Request,
        at_least: AtLeast,
        starts_from: From = None,
        to: To = None,
        as_of: AsOf = None,
        now: Now = None,
        by: Annotated[sla.Part | None, Query(description="Break the counts down by this.")] = None,
        period: Annotated[
            sla.Period | None, Query(description="And by the day, month … on which clocks began.")
        ] = None,
        classified: Annotated[
            ClassifiedPlace | None,
            Query(description="Parts by the classification that was set `first`, or as known at this place."),
        ] = None,
    ) -> Response:
        """First replies and resolutions: how many deadlines were met, missed, and run. A past report is asked for by `as_of`."""
        found = await asker.ask_projection(
            "sla",
            at_least,
            sla.report,
            starts_from=starts_from,
            starts_before=to,
            as_of=as_of,
            now=_judged_at(as_of, now),
            part=by,
            period=period,
            classified=classified,
        )
        return answer(answers.SlaReport, found, to=request)

    @routes.get("/sla/overdue", **question_description(answers.OverduePage, *PROJECTION, BadCursor))
    async def overdue_deadlines(
        at_least: AtLeast,
        starts_from: From = None,
        to: To = None,
        as_of: AsOf = None,
        now: Now = None,
        limit: Limit = PAGE_DEFAULT,
        cursor: After = None,
    ) -> Response:
        """What is still open and past its due time, the longest overdue first. Send `now` and `as_of` with each page."""
        found = await asker.ask_projection(
            "sla",
            at_least,
            sla.overdue,
            starts_from=starts_from,
            starts_before=to,
            as_of=as_of,
            now=_judged_at(as_of, now),
            rows_max=limit,
            cursor=cursor,
        )
        return answer(answers.OverduePage, found)


def _add_service(routes: APIRouter, asker: Asker) -> None:
    @routes.get("/book", **question_description(answers.Book))
    async def book() -> Response:
        """The book's origin, its size and the root of its tree."""
        return answer(answers.Book, answers.Book.of(await asker.ask(head)))

    @routes.get("/projections", **question_description(answers.Projections))
    async def projections() -> Response:
        """How far each projection has come."""
        return answer(answers.Projections, {"projections": await asker.ask(status, tuple(PROJECTIONS))})

    @routes.get("/codes", **question_description(answers.CodeTables, BeyondTheBook))
    async def codes(as_of: AsOf = None) -> Response:
        """The code tables, with labels in Chinese and English, the routing and the limits of approval.

        Those in force, or those of `as_of`: a fact is read by the tables that stood at its position.
        """
        return answer(answers.CodeTables, answers.CodeTables.of(await asker.tables(as_of)))

    @routes.get("/health", **question_description(answers.Health))
    async def health() -> Response:
        """Whether the service and its database answer."""
        found = await asker.ask(head)
        return answer(answers.Health, {"status": "ok", "book": found.book, "position": found.size})


def _add_pages(routes: APIRouter, asker: Asker) -> None:
    @routes.get("/", include_in_schema=False)
    async def index() -> Response:
        return HTMLResponse(first_page(asker.ledger.book))

    @routes.get("/problems", response_class=HTMLResponse, responses=_problems_described(), tags=["problems"])
    async def every_problem(request: Request) -> Response:
        """Every problem and what to do about it: a page, or JSON for who accepts `application/json`."""
        if "application/json" in request.headers.get("accept", ""):
            return answer(answers.KnownProblems, {"problems": problems.every_problem()}, {"Vary": "Accept"})
        return HTMLResponse(problems.index(), headers={"Vary": "Accept"})

    @routes.get(
        "/problems/{kind}",
        response_class=HTMLResponse,
        responses=problem_responses([NoSuchPage, InvalidRequest]),
        tags=["problems"],
    )
    async def problem(kind: str) -> Response:
        """What a problem means and what to do about it, for a person to read."""
        return HTMLResponse(problems.page(kind))


def _problems_described() -> dict[int | str, dict[str, Any]]:
    schema = {"$ref": "#/components/schemas/KnownProblems"}
    return {200: {"content": {"application/json": {"schema": schema}}}, **problem_responses(())}


def _known(found: history.History) -> history.History:
    """Raises ComplaintNotFound where nothing was known of the complaint then."""
    if not found.lines:
        raise ComplaintNotFound(found.complaint_id)
    return found


def _judged_at(as_of: int | datetime | None, now: datetime | None) -> datetime | None:
    """A report of the present is judged now, one of the past at its own time unless the asker says otherwise."""
    return datetime.now(UTC) if as_of is None and now is None else now
