"""The commands over HTTP: one table of path and command, and the one endpoint that serves them all.

A command is decided and recorded in `ledger`; its refusals become answers in `api.problems`.
"""

import re
from collections.abc import Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from http import HTTPStatus
from typing import Any
from uuid import UUID

import anyio.to_thread
import orjson
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, Field, create_model

from api.access_routes import ACCESS_POSTED
from api.answers import receives
from api.body import Asked, read_command
from api.caller import Caller, Expected, Key, RestedOn, departments_of, refuse_rank, version_in
from api.description import command_description
from api.moments import house_calendar
from api.parties import POSTED
from api.refusals import DepartmentNotYours, DepartmentUnknown
from api.return_routes import RETURNS_POSTED
from api.tokens import Person
from ledger.access.commands import NameDeputy, RequestErasure
from ledger.access.four_eyes import looks_at_own_work, rank_stated, refuse_anothers_name, refuse_own_work
from ledger.application import Ledger, Receipt
from ledger.command import Command
from ledger.complaint import commands as ask
from ledger.complaint import ending_commands as end
from ledger.complaint import handling_commands as handle
from ledger.complaint.events import ComplaintAssigned, ComplaintReassigned
from ledger.database.pool import Pool
from ledger.event import Event
from ledger.policy import commands as policies
from ledger.record.envelope import opened
from ledger.record.reading import stream_events
from ledger.returns.commands import SendReturn
from ledger.subjects import subject_of
from ledger.tables import commands as tables
from ledger.vault.searching import Searcher, refuse_others_person
from ledger.vault.service import Vault
from projections import worklist
from projections.returns.asking import Pseudonyms, key_name
from projections.returns.documents import verified

Endpoint = Callable[..., Coroutine[Any, Any, Response]]

CALLERS_MAX = 128
"""Commands that may wait for their commit at once; they are gathered into few commits (group commit)."""


@dataclass(frozen=True, slots=True)
class CommandRoute:
    """Where a command is posted. `decides` marks what changes a decision: it needs `If-Match`."""

    path: str
    command: type[Command]
    decides: bool = False
    status: HTTPStatus = HTTPStatus.OK

    @property
    def path_ids(self) -> list[str]:
        """The fields of the command that stand in the path."""
        return re.findall(r"{(\w+)}", self.path)

    @property
    def subject(self) -> str:
        """What the command is about."""
        return subject_of(self.command).name


ONE = "/complaints/{complaint_id}"

COMMANDS = (
    CommandRoute("/complaints", ask.ReceiveComplaint, status=HTTPStatus.CREATED),
    CommandRoute(f"{ONE}/registration", ask.RegisterComplaint),
    CommandRoute(f"{ONE}/automatic-replies", ask.NoteAutomaticReply),
    CommandRoute(f"{ONE}/first-reply", ask.SendFirstReply),
    CommandRoute(f"{ONE}/contacts", ask.NoteContact),
    CommandRoute(f"{ONE}/classification", ask.ClassifyComplaint, decides=True),
    CommandRoute(f"{ONE}/grade", ask.GradeComplaint, decides=True),
    CommandRoute(f"{ONE}/assignment", ask.AssignComplaint, decides=True),
    CommandRoute(f"{ONE}/investigations", ask.StartInvestigation),
    CommandRoute(f"{ONE}/investigations/{{investigation_id}}/findings", ask.MakeFinding),
    CommandRoute(f"{ONE}/investigations/{{investigation_id}}/closing", ask.CloseInvestigation),
    CommandRoute(f"{ONE}/evidence", ask.ProvideEvidence),
    CommandRoute(f"{ONE}/proposals", ask.ProposeSolution),
    CommandRoute(f"{ONE}/proposals/{{proposal_id}}/acceptance", ask.AcceptProposal),
    CommandRoute(f"{ONE}/proposals/{{proposal_id}}/decline", ask.DeclineProposal),
    CommandRoute(f"{ONE}/resolution", ask.ResolveComplaint, decides=True),
    CommandRoute(f"{ONE}/replies", ask.SendReply),
    CommandRoute(f"{ONE}/satisfaction", ask.RateSatisfaction),
    CommandRoute(f"{ONE}/closing", ask.CloseComplaint, decides=True),
    CommandRoute(f"{ONE}/reopening", ask.ReopenComplaint, decides=True),
    CommandRoute(f"{ONE}/withdrawal", ask.WithdrawComplaint, decides=True),
    CommandRoute(f"{ONE}/stated-outcomes", ask.StateOutcome),
    CommandRoute(f"{ONE}/disputes", ask.DisputeOutcome),
    CommandRoute(f"{ONE}/transfers", ask.ReceiveTransfer),
    CommandRoute(f"{ONE}/extensions", ask.ExtendDeadline, decides=True),
    CommandRoute(f"{ONE}/appraisals", ask.StartAppraisal),
    CommandRoute(f"{ONE}/appraisals/{{appraisal_id}}/end", ask.EndAppraisal),
    CommandRoute(f"{ONE}/new-facts", ask.ReceiveNewFacts),
    CommandRoute(f"{ONE}/holding-responses", ask.SendHoldingResponse),
    CommandRoute(f"{ONE}/ruling-out", ask.RuleOutComplaint, decides=True),
    CommandRoute(f"{ONE}/merger", ask.MergeComplaint, decides=True),
    CommandRoute(f"{ONE}/group", ask.RecogniseGroup),
    CommandRoute(f"{ONE}/representatives", handle.NameRepresentative),
    CommandRoute(f"{ONE}/representatives/{{representative_id}}/end", handle.EndRepresentation),
    CommandRoute(f"{ONE}/persons-complained-about", handle.NamePersonComplainedAbout),
    CommandRoute(f"{ONE}/interests", handle.DeclareInterest),
    CommandRoute(f"{ONE}/investigation-team", handle.FormInvestigationTeam, decides=True),
    CommandRoute(f"{ONE}/emergencies", handle.StartEmergency),
    CommandRoute(f"{ONE}/emergencies/{{emergency_id}}/steps", handle.TakeEmergencyStep),
    CommandRoute(f"{ONE}/emergencies/{{emergency_id}}/end", handle.EndEmergency),
    CommandRoute(f"{ONE}/emergencies/{{emergency_id}}/review", handle.ReviewEmergency),
    CommandRoute(f"{ONE}/preliminary-checks", handle.MakePreliminaryCheck),
    CommandRoute(f"{ONE}/evidence-requests", handle.RequestEvidence),
    CommandRoute(f"{ONE}/assistance", handle.RequestAssistance),
    CommandRoute(f"{ONE}/assistance/{{assistance_id}}/answer", handle.GiveAssistance),
    CommandRoute(f"{ONE}/root-causes", handle.FindRootCause),
    CommandRoute(f"{ONE}/negotiations", end.HoldNegotiation),
    CommandRoute(f"{ONE}/compensations", end.ApproveCompensation, decides=True),
    CommandRoute(f"{ONE}/compensations/{{compensation_id}}/provision", end.ProvideCompensation),
    CommandRoute(f"{ONE}/escalations", end.EscalateComplaint),
    CommandRoute(f"{ONE}/escalations/{{escalation_id}}/decision", end.DecideEscalation, decides=True),
    CommandRoute(f"{ONE}/written-notices", end.SendWrittenNotice),
    CommandRoute(f"{ONE}/follow-up-calls", end.MakeFollowUpCall),
    CommandRoute(f"{ONE}/reviews", end.ReviewHandling),
    CommandRoute(f"{ONE}/proceedings", end.OpenProceedings),
    CommandRoute(f"{ONE}/proceedings/{{proceedings_id}}/end", end.EndProceedings),
    CommandRoute(f"{ONE}/repeats", end.TakeInRepeat, decides=True),
    CommandRoute(f"{ONE}/repairs", end.RepairRelationship),
    CommandRoute(f"{ONE}/completeness-checks", end.CheckCompleteness),
    CommandRoute(f"{ONE}/archiving", end.ArchiveComplaint, decides=True),
    CommandRoute(f"{ONE}/annulments", ask.AnnulFact, decides=True),
    CommandRoute(f"{ONE}/corrections", ask.CorrectFact, decides=True),
    CommandRoute(f"{ONE}/amendments/{{proposed_version}}/approval", ask.ApproveAmendment, decides=True),
    CommandRoute(f"{ONE}/amendments/{{proposed_version}}/decline", ask.DeclineAmendment),
    CommandRoute("/regimes", policies.PublishRegime),
    CommandRoute("/regimes/{name}/force", policies.PutRegimeInForce, decides=True),
    CommandRoute("/regimes/{name}/retirement", policies.RetireRegime, decides=True),
    CommandRoute("/calendars", policies.PublishCalendar),
    CommandRoute("/codes", tables.PublishCodeTables),
    CommandRoute("/codes/routing", tables.PublishRouting),
    CommandRoute("/codes/approval-limits", tables.PublishApprovalLimits),
    CommandRoute("/codes/emergency-plan-exercises", tables.ExerciseEmergencyPlan),
    *(CommandRoute(*posted) for posted in (*POSTED, *ACCESS_POSTED, *RETURNS_POSTED)),
)
"""Every command, by subject, those of a complaint in the order of its life."""


class Recorded(BaseModel):
    """The receipt for an accepted command; it has the id of the subject beside these, such as `complaint_id`."""

    book: str
    version: int = Field(description="The subject's version now, also in the header `ETag`.")
    first_position: int | None = Field(
        description="Where in the book the first new fact stands; null: already so, nothing was recorded."
    )
    last_position: int | None = Field(
        description="Where the last new fact stands, also in the header `Ledger-Position`."
    )
    tree_size: int = Field(description="The size of the book after it.")
    root: str = Field(description="The root of the book's Merkle tree at that size, in hex.")
    recorded_at: datetime | None
    replayed: bool = Field(
        description="This request was recorded before, under the same idempotency key: here is its first outcome."
    )
    assigned: dict[str, str] = Field(
        description="What the program filled in, by field: the id of a new investigation, for example."
    )


@cache
def receipt_of(subject: str) -> type[Recorded]:
    """The receipt of a command about a subject, which it names by its id."""
    name = f"{subject.title().replace('-', '')}Recorded"
    fields: dict[str, Any] = {id_field(subject): (UUID, ...)}
    if subject == "return":  # a receiver, who confirms one, is told no place in the book
        fields = {id_field(subject): (UUID | None, ...), "tree_size": (int | None, ...), "root": (str | None, ...)}
    return create_model(name, __base__=Recorded, __doc__="The receipt for an accepted command.", **fields)


def id_field(subject: str) -> str:
    """The name of the id of a subject: `complaint_id`."""
    return f"{subject.replace('-', '_')}_id"


def install(app: FastAPI, ledger: Ledger, pool: Pool, vault: Vault) -> None:
    """Serves every command of the table."""
    recorder = Recorder(ledger, pool, vault)
    for route in COMMANDS:
        app.add_api_route(
            route.path,
            _endpoint(route, recorder),
            methods=["POST"],
            status_code=route.status,
            response_class=Response,
            operation_id=route.command.command_name(),
            **command_description(
                route.path_ids, route.command, receipt_of(route.subject), decides=route.decides, status=route.status
            ),
        )


def _endpoint(route: CommandRoute, recorder: "Recorder") -> Endpoint:
    """Serves one line of the table: parses, hands over, answers."""

    async def decide(request: Request, principal: Caller, if_match: RestedOn, key: Key = None) -> Response:
        return await recorder.record(route, await _asked(request), principal, key, if_match)

    async def note(request: Request, principal: Caller, if_match: Expected = None, key: Key = None) -> Response:
        asked, is_receivers = await _asked(request), receives(request)
        return await recorder.record(route, asked, principal, key, if_match, is_receivers=is_receivers)

    async def _asked(request: Request) -> Asked:
        asked = await read_command(route.command, request)
        if not request.state.person.speaks_for_others:
            await recorder.refuse_two_roles(asked.command, request.state.person)
        own = departments_of(request)
        if own is not None and (given_to := await recorder.department_written(asked.command)):
            await recorder.refuse_unknown_department(given_to, own)
        if own is not None and isinstance(asked.command, NameDeputy):
            for person in (asked.command.person, asked.command.deputy):
                await anyio.to_thread.run_sync(recorder.refuse_others_staff, person, own)
        if isinstance(asked.command, RequestErasure):
            who = Searcher(request.state.person.id, own)
            await anyio.to_thread.run_sync(recorder.refuse_others_person, asked.command.subject_id, who)
        return asked

    return decide if route.decides else note


class Recorder:
    """Hands commands to the ledger on threads, so that waiting for a commit keeps nobody else waiting."""

    def __init__(self, ledger: Ledger, pool: Pool, vault: Vault) -> None:
        self._ledger, self._pool, self._vault = ledger, pool, vault
        self._places = anyio.CapacityLimiter(CALLERS_MAX)

    async def record(
        self,
        route: CommandRoute,
        asked: Asked,
        principal: str,
        key: str | None,
        if_match: str | None,
        *,
        is_receivers: bool = False,
    ) -> Response:
        """The receipt, of this request or of its first time; refusals rise. A receiver is told no place in the book."""
        work = partial(self._record, route, asked, principal, key, version_in(if_match), is_receivers=is_receivers)
        return await anyio.to_thread.run_sync(work, limiter=self._places)

    def _record(
        self,
        route: CommandRoute,
        asked: Asked,
        principal: str,
        key: str | None,
        version: int | None,
        *,
        is_receivers: bool,
    ) -> Response:
        if isinstance(asked.command, SendReturn):  # and RestateReturn, which is one
            self._verify_return(asked.command)
        receipt = self._ledger.handle(
            asked.command, principal=principal, key=key, given=asked.given, expected_version=version
        )
        return _answer(route, receipt, self._assigned(route, asked, receipt), is_receivers=is_receivers)

    def _verify_return(self, command: SendReturn) -> None:
        """Computes a return again before it is recorded as sent."""
        names = Pseudonyms(self._ledger.keys.secret(key_name(self._ledger.book, command.receiver)))
        with self._pool.connection() as connection:
            verified(connection, self._ledger.book, command, names, house_calendar())

    async def refuse_two_roles(self, command: Command, person: Person) -> None:
        """Raises what four eyes refuse: a second person who is only named, one who was the first, and a rank not his."""
        refuse_anothers_name(command, person.id)
        recorded: list[tuple[Event, str]] = []
        if looks_at_own_work(command):
            recorded = await anyio.to_thread.run_sync(self._recorded, command, limiter=self._places)
            refuse_own_work(command, person.id, recorded)
        refuse_rank(rank_stated(command, recorded), person)

    async def department_written(self, command: Command) -> str | None:
        """The department that a command gives a complaint to, by an assignment or by the correction of one; else None."""
        if isinstance(command, ask.AssignComplaint):
            return command.department
        if isinstance(command, ask.CorrectFact) and isinstance(written := command.changes.get("department"), str):
            recorded = await anyio.to_thread.run_sync(self._recorded, command, limiter=self._places)
            corrected = [fact for fact, _ in recorded[command.version - 1 : command.version]]
            return written if isinstance(next(iter(corrected), None), ComplaintAssigned | ComplaintReassigned) else None
        return None

    async def refuse_unknown_department(self, department: str, own: Collection[str]) -> None:
        """Raises DepartmentUnknown where a routing was published, and names neither this one nor is it the caller's own."""
        if department in own:
            return
        tables = await anyio.to_thread.run_sync(self._ledger.tables, limiter=self._places)
        known = {*tables.routes.values(), *own}
        if tables.routes and department not in known:
            raise DepartmentUnknown(department, sorted(known))

    def refuse_others_staff(self, person: str, own: Collection[str]) -> None:
        """Raises DepartmentNotYours where somebody, who is named deputy or stood in for, had work from another department.

        The deputy would reach it, and whoever names him does not. Raises NotBuilt. Costs a look at everything that is open.
        """
        with self._pool.connection() as connection:
            has_open = worklist.departments_of(connection, self._ledger.book, person)
        for department in has_open:
            if department not in own:
                raise DepartmentNotYours(department, sorted(own))

    def refuse_others_person(self, subject_id: UUID, who: Searcher) -> None:
        """Raises NoSuchPerson for whom this caller cannot ask to be erased."""
        refuse_others_person(self._ledger, self._vault, subject_id, who)

    def _recorded(self, command: Command) -> list[tuple[Event, str]]:
        """The facts of the stream that a command is about, with who recorded each. Costs one read of it."""
        stream_id = subject_of(type(command)).stream(command, self._ledger.id)
        with self._pool.connection() as connection:
            rows = [opened(row) for row in stream_events(connection, self._ledger.book, stream_id)]
        return [(row.event, row.recorded_by) for row in rows]

    def _assigned(self, route: CommandRoute, asked: Asked, receipt: Receipt) -> dict[str, object]:
        """What the program filled in. A repeated request is told what was recorded the first time, not what was made up now."""
        if not asked.assigned or receipt.first_position is None:
            return {}
        if not receipt.replayed:
            return {field: getattr(asked.command, field) for field in asked.assigned}
        with self._pool.connection() as connection:
            rows = stream_events(connection, receipt.book, receipt.stream_id, up_to_position=receipt.last_position)
        facts = [opened(row).event for row in rows if row.position >= receipt.first_position]
        recorded = {
            field: getattr(fact, field)
            for fact in facts
            for field in asked.assigned
            if field in type(fact).model_fields
        }
        own = id_field(route.subject)
        return {own: receipt.stream_id, **recorded} if own in asked.assigned else recorded


def _answer(route: CommandRoute, receipt: Receipt, assigned: Mapping[str, object], *, is_receivers: bool) -> Response:
    places = {
        id_field(route.subject): receipt.stream_id,
        "first_position": receipt.first_position,
        "last_position": receipt.last_position,
        "tree_size": receipt.tree_size,
        "root": receipt.root,
    }
    content = {
        "book": receipt.book,
        "version": receipt.version,
        "recorded_at": receipt.recorded_at,
        "replayed": receipt.replayed,
        "assigned": assigned,
        **(dict.fromkeys(places) if is_receivers else places),
    }
    headers = {"ETag": f'"{receipt.version}"'}
    if not is_receivers:
        headers["Ledger-Position"] = str(receipt.last_position or receipt.tree_size)
    if route.status == HTTPStatus.CREATED:
        headers["Location"] = f"{route.path}/{receipt.stream_id}"
    return Response(orjson.dumps(content, option=orjson.OPT_UTC_Z), route.status, headers, "application/json")
