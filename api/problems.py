"""Where a refusal or a fault becomes a status code and a problem document (RFC 9457). Nothing is decided here.

`STATUS` is the one table; a test holds it against every refusal of the program.
"""

import inspect
from collections.abc import Mapping
from html import escape
from http import HTTPStatus
from typing import Any, NamedTuple

import eventsourcing.persistence
import orjson
import psycopg2
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from api import refusals as asked
from api.moments import institution_zone
from api.page import html
from api.tokens import IssuerUnreachable
from api.validation import parameter_errors
from ledger import application, standing
from ledger.access import refusals as access
from ledger.audit import rules as audit
from ledger.complaint import refusals as rules
from ledger.customer import refusals as customers
from ledger.database.faults import DatabaseUnavailable
from ledger.evidence import refusals as files
from ledger.improvement import refusals as improvements
from ledger.interaction import refusals as interactions
from ledger.leak import refusals as leaks
from ledger.policy import refusals as policies
from ledger.proof import asking as proofs
from ledger.proof import bundle, checkpoints, guard, succession
from ledger.record.reading import NoSuchBook
from ledger.refusal import Refusal
from ledger.returns import refusals as returns
from ledger.tables import refusals as tables
from ledger.vault import keys
from projections import asking as projections
from projections.indicators.definitions import NoSuchIndicator
from projections.indicators.periods import DayOutOfRange, TooManyPeriods
from projections.regulator.reading import DoorNotOpened
from projections.returns.asking import OtherForm
from projections.returns.definitions import NoSuchReturn
from projections.returns.documents import DocumentDiffers, DocumentNotReproduced

STATUS: Mapping[type[Refusal], HTTPStatus] = {
    rules.ComplaintNotFound: HTTPStatus.NOT_FOUND,
    rules.InvestigationUnknown: HTTPStatus.NOT_FOUND,
    rules.ProposalUnknown: HTTPStatus.NOT_FOUND,
    rules.AppraisalUnknown: HTTPStatus.NOT_FOUND,
    rules.AlreadyReceived: HTTPStatus.CONFLICT,
    rules.ComplaintIsClosed: HTTPStatus.CONFLICT,
    rules.ComplaintIsWithdrawn: HTTPStatus.CONFLICT,
    rules.AlreadyRegistered: HTTPStatus.CONFLICT,
    rules.FirstReplyAlreadySent: HTTPStatus.CONFLICT,
    rules.NothingToChange: HTTPStatus.CONFLICT,
    rules.IdTaken: HTTPStatus.CONFLICT,
    rules.InvestigationIsClosed: HTTPStatus.CONFLICT,
    rules.ProposalAnswered: HTTPStatus.CONFLICT,
    rules.AlreadyResolved: HTTPStatus.CONFLICT,
    rules.NothingToReply: HTTPStatus.CONFLICT,
    rules.NotRepliedYet: HTTPStatus.CONFLICT,
    rules.AlreadyRated: HTTPStatus.CONFLICT,
    rules.NothingToClose: HTTPStatus.CONFLICT,
    rules.NothingToReopen: HTTPStatus.CONFLICT,
    rules.NothingToDispute: HTTPStatus.CONFLICT,
    rules.TransferAlreadyReceived: HTTPStatus.CONFLICT,
    rules.AppraisalHasEnded: HTTPStatus.CONFLICT,
    rules.ResultWasTold: HTTPStatus.CONFLICT,
    rules.AlreadyRuledOut: HTTPStatus.CONFLICT,
    rules.AlreadyMerged: HTTPStatus.CONFLICT,
    rules.AmendmentIsFinal: HTTPStatus.CONFLICT,
    rules.FactIsAnnulled: HTTPStatus.CONFLICT,
    rules.AmendmentUnknown: HTTPStatus.NOT_FOUND,
    rules.AmendmentSettled: HTTPStatus.CONFLICT,
    rules.AmendmentOutdated: HTTPStatus.CONFLICT,
    rules.ApproverProposedIt: HTTPStatus.FORBIDDEN,
    rules.OnlyOfExtension: HTTPStatus.UNPROCESSABLE_ENTITY,
    rules.ReceiptStays: HTTPStatus.CONFLICT,
    rules.LaterFactsStandOnIt: HTTPStatus.CONFLICT,
    rules.InTheFuture: HTTPStatus.UNPROCESSABLE_ENTITY,
    rules.BeforeTheReceipt: HTTPStatus.UNPROCESSABLE_ENTITY,
    rules.OutOfOrder: HTTPStatus.UNPROCESSABLE_ENTITY,
    tables.UnknownCode: HTTPStatus.UNPROCESSABLE_ENTITY,
    tables.CodesLost: HTTPStatus.CONFLICT,
    tables.CodeTwice: HTTPStatus.UNPROCESSABLE_ENTITY,
    tables.CodesFixed: HTTPStatus.CONFLICT,
    tables.PublishedInTheFuture: HTTPStatus.UNPROCESSABLE_ENTITY,
    tables.LimitTwice: HTTPStatus.UNPROCESSABLE_ENTITY,
    rules.AmountIncomplete: HTTPStatus.UNPROCESSABLE_ENTITY,
    rules.ReasonMissing: HTTPStatus.UNPROCESSABLE_ENTITY,
    rules.ApproverIsAuthor: HTTPStatus.UNPROCESSABLE_ENTITY,
    rules.DeciderIsEscalator: HTTPStatus.FORBIDDEN,
    rules.MergedIntoItself: HTTPStatus.UNPROCESSABLE_ENTITY,
    rules.ResolutionUnknown: HTTPStatus.UNPROCESSABLE_ENTITY,
    rules.NoSuchFact: HTTPStatus.UNPROCESSABLE_ENTITY,
    rules.FieldUnknown: HTTPStatus.UNPROCESSABLE_ENTITY,
    rules.FieldFixed: HTTPStatus.UNPROCESSABLE_ENTITY,
    rules.ValueNotUnderstood: HTTPStatus.UNPROCESSABLE_ENTITY,
    rules.ValuesToGiveAgain: HTTPStatus.UNPROCESSABLE_ENTITY,
    rules.ConflictOfInterest: HTTPStatus.CONFLICT,
    rules.NothingOpen: HTTPStatus.NOT_FOUND,
    rules.EvidenceUnknown: HTTPStatus.UNPROCESSABLE_ENTITY,
    rules.FileUnknown: HTTPStatus.UNPROCESSABLE_ENTITY,
    rules.NotUrgent: HTTPStatus.CONFLICT,
    rules.EmergencyRuns: HTTPStatus.CONFLICT,
    rules.EmergencyStepMissing: HTTPStatus.CONFLICT,
    rules.EmergencyNotEnded: HTTPStatus.CONFLICT,
    rules.DepartmentMissing: HTTPStatus.UNPROCESSABLE_ENTITY,
    rules.RoutedElsewhere: HTTPStatus.UNPROCESSABLE_ENTITY,
    rules.BeyondTheLimit: HTTPStatus.UNPROCESSABLE_ENTITY,
    rules.ReviewerHandledIt: HTTPStatus.CONFLICT,
    rules.NothingToReview: HTTPStatus.CONFLICT,
    rules.NotClosedYet: HTTPStatus.CONFLICT,
    rules.FileNotChecked: HTTPStatus.CONFLICT,
    rules.FileIncomplete: HTTPStatus.CONFLICT,
    rules.AlreadyArchived: HTTPStatus.CONFLICT,
    rules.RepeatOfItself: HTTPStatus.UNPROCESSABLE_ENTITY,
    policies.RegimeUnknown: HTTPStatus.NOT_FOUND,
    policies.CalendarUnpublished: HTTPStatus.NOT_FOUND,
    policies.VersionNotNext: HTTPStatus.CONFLICT,
    policies.NothingNew: HTTPStatus.CONFLICT,
    policies.NotInForce: HTTPStatus.CONFLICT,
    policies.CalendarUnknown: HTTPStatus.UNPROCESSABLE_ENTITY,
    policies.InForceTooEarly: HTTPStatus.UNPROCESSABLE_ENTITY,
    policies.SettledDaysLost: HTTPStatus.UNPROCESSABLE_ENTITY,
    policies.RegimeUnsound: HTTPStatus.UNPROCESSABLE_ENTITY,
    standing.SubjectNotFound: HTTPStatus.NOT_FOUND,
    standing.IdOfAnother: HTTPStatus.CONFLICT,
    standing.AlreadyBegun: HTTPStatus.CONFLICT,
    standing.VersionUnknown: HTTPStatus.UNPROCESSABLE_ENTITY,
    customers.ConsentUnknown: HTTPStatus.NOT_FOUND,
    customers.CustomerIsMerged: HTTPStatus.CONFLICT,
    customers.NothingToSplit: HTTPStatus.CONFLICT,
    customers.VulnerabilityNotNoted: HTTPStatus.CONFLICT,
    customers.ConsentIsWithdrawn: HTTPStatus.CONFLICT,
    customers.ConsentHasEnded: HTTPStatus.CONFLICT,
    customers.NoDetailGiven: HTTPStatus.UNPROCESSABLE_ENTITY,
    customers.CustomerMergedIntoItself: HTTPStatus.UNPROCESSABLE_ENTITY,
    customers.ConsentDoesNotCover: HTTPStatus.UNPROCESSABLE_ENTITY,
    customers.GroundIncomplete: HTTPStatus.UNPROCESSABLE_ENTITY,
    interactions.NothingWasAsked: HTTPStatus.CONFLICT,
    interactions.AlreadyAnswered: HTTPStatus.CONFLICT,
    interactions.StepMissing: HTTPStatus.CONFLICT,
    interactions.InteractionAlreadyRated: HTTPStatus.CONFLICT,
    interactions.NoSurvey: HTTPStatus.CONFLICT,
    interactions.SurveyAlreadyAnswered: HTTPStatus.CONFLICT,
    interactions.CallBackAlreadyPromised: HTTPStatus.CONFLICT,
    interactions.NoCallBackPromised: HTTPStatus.CONFLICT,
    interactions.IsAComplaint: HTTPStatus.CONFLICT,
    interactions.DueBeforePromise: HTTPStatus.UNPROCESSABLE_ENTITY,
    improvements.WarningUnknown: HTTPStatus.NOT_FOUND,
    improvements.ThresholdsVersionNotNext: HTTPStatus.CONFLICT,
    improvements.WarningIsLifted: HTTPStatus.CONFLICT,
    improvements.WarningAlreadyAcknowledged: HTTPStatus.CONFLICT,
    improvements.WarningNotActedUpon: HTTPStatus.CONFLICT,
    improvements.SurveyIsConcluded: HTTPStatus.CONFLICT,
    improvements.NothingToReport: HTTPStatus.CONFLICT,
    improvements.RiskIsClosed: HTTPStatus.CONFLICT,
    improvements.RiskTooHigh: HTTPStatus.CONFLICT,
    improvements.ActionIsClosed: HTTPStatus.CONFLICT,
    audit.FindingIsClosed: HTTPStatus.CONFLICT,
    audit.FindingWithoutAction: HTTPStatus.CONFLICT,
    audit.NoSuchAction: HTTPStatus.CONFLICT,
    audit.ActionOfSomethingElse: HTTPStatus.CONFLICT,
    audit.ActedOnItHimself: HTTPStatus.CONFLICT,
    improvements.ActionIsCompleted: HTTPStatus.CONFLICT,
    improvements.ActionNotCompleted: HTTPStatus.CONFLICT,
    improvements.EffectNotMeasured: HTTPStatus.CONFLICT,
    improvements.EffectNotReached: HTTPStatus.CONFLICT,
    improvements.NothingToTakeUpAgain: HTTPStatus.CONFLICT,
    improvements.ThresholdsOutOfOrder: HTTPStatus.UNPROCESSABLE_ENTITY,
    improvements.PeriodBackwards: HTTPStatus.UNPROCESSABLE_ENTITY,
    improvements.MoreAnsweredThanInvited: HTTPStatus.UNPROCESSABLE_ENTITY,
    improvements.ResidualBeforeTreatment: HTTPStatus.UNPROCESSABLE_ENTITY,
    improvements.OwnerMeasuresOwnAction: HTTPStatus.UNPROCESSABLE_ENTITY,
    improvements.DayNotLater: HTTPStatus.UNPROCESSABLE_ENTITY,
    leaks.LeakIsClosed: HTTPStatus.CONFLICT,
    leaks.AlreadyIsolated: HTTPStatus.CONFLICT,
    leaks.LeakStepsMissing: HTTPStatus.CONFLICT,
    application.ExpectedVersionStale: HTTPStatus.PRECONDITION_FAILED,
    application.SubjectBusy: HTTPStatus.CONFLICT,
    application.IdempotencyKeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
    keys.SubjectErased: HTTPStatus.CONFLICT,
    checkpoints.NoSuchCheckpoint: HTTPStatus.NOT_FOUND,
    bundle.TooManyComplaints: HTTPStatus.UNPROCESSABLE_ENTITY,
    bundle.TooMuchAttached: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    succession.NothingLost: HTTPStatus.CONFLICT,
    proofs.NoSuchPosition: HTTPStatus.NOT_FOUND,
    proofs.CheckpointsReversed: HTTPStatus.UNPROCESSABLE_ENTITY,
    guard.BookForked: HTTPStatus.SERVICE_UNAVAILABLE,
    projections.BadCursor: HTTPStatus.UNPROCESSABLE_ENTITY,
    access.AccessRequestUnknown: HTTPStatus.NOT_FOUND,
    access.NoSuchPerson: HTTPStatus.NOT_FOUND,
    access.LegalHoldUnknown: HTTPStatus.NOT_FOUND,
    access.AccessRequestAnswered: HTTPStatus.CONFLICT,
    access.ErasedAlready: HTTPStatus.CONFLICT,
    access.ErasureNotRequested: HTTPStatus.CONFLICT,
    access.ErasureNotApproved: HTTPStatus.CONFLICT,
    access.ErasureOnAnotherGround: HTTPStatus.CONFLICT,
    access.NoPerson: HTTPStatus.CONFLICT,
    access.StillRetained: HTTPStatus.CONFLICT,
    access.UnderLegalHold: HTTPStatus.CONFLICT,
    access.ApproverIsRequester: HTTPStatus.FORBIDDEN,
    access.NotTheRequester: HTTPStatus.FORBIDDEN,
    access.NotInAnothersName: HTTPStatus.FORBIDDEN,
    access.LookNotAllowed: HTTPStatus.FORBIDDEN,
    access.RequestNotOfThisLook: HTTPStatus.FORBIDDEN,
    access.ProcessingRestricted: HTTPStatus.FORBIDDEN,
    access.AccessTooLong: HTTPStatus.UNPROCESSABLE_ENTITY,
    access.NoSuchValue: HTTPStatus.UNPROCESSABLE_ENTITY,
    access.TooFewCharacters: HTTPStatus.UNPROCESSABLE_ENTITY,
    access.DeputyNamesHimself: HTTPStatus.FORBIDDEN,
    access.PeriodNotOver: HTTPStatus.UNPROCESSABLE_ENTITY,
    asked.TokenMissing: HTTPStatus.UNAUTHORIZED,
    asked.TokenRefused: HTTPStatus.UNAUTHORIZED,
    asked.BookNotYours: HTTPStatus.FORBIDDEN,
    asked.NotAllowed: HTTPStatus.FORBIDDEN,
    asked.RankNotYours: HTTPStatus.FORBIDDEN,
    asked.TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
    asked.DepartmentNotYours: HTTPStatus.FORBIDDEN,
    asked.DepartmentUnknown: HTTPStatus.UNPROCESSABLE_ENTITY,
    asked.ReceiverNotYours: HTTPStatus.FORBIDDEN,
    asked.NotForReceivers: HTTPStatus.FORBIDDEN,
    asked.NoSuchSubmission: HTTPStatus.NOT_FOUND,
    asked.NoSuchCell: HTTPStatus.UNPROCESSABLE_ENTITY,
    files.FileTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    files.FileEmpty: HTTPStatus.UNPROCESSABLE_ENTITY,
    files.ContentTypeNotTaken: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    files.ContentIsOfAnotherType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    files.NoSuchFile: HTTPStatus.NOT_FOUND,
    files.FileErased: HTTPStatus.GONE,
    NoSuchReturn: HTTPStatus.NOT_FOUND,
    returns.SubmissionUnknown: HTTPStatus.NOT_FOUND,
    returns.QuestionUnknown: HTTPStatus.NOT_FOUND,
    returns.ReturnAlreadySent: HTTPStatus.CONFLICT,
    returns.SubmissionAlreadyAcknowledged: HTTPStatus.CONFLICT,
    returns.SubmissionSuperseded: HTTPStatus.CONFLICT,
    returns.NothingRestated: HTTPStatus.CONFLICT,
    returns.DigestDiffers: HTTPStatus.UNPROCESSABLE_ENTITY,
    returns.DueTooEarly: HTTPStatus.UNPROCESSABLE_ENTITY,
    DocumentDiffers: HTTPStatus.UNPROCESSABLE_ENTITY,
    OtherForm: HTTPStatus.UNPROCESSABLE_ENTITY,
    DocumentNotReproduced: HTTPStatus.CONFLICT,
    DoorNotOpened: HTTPStatus.NOT_FOUND,
    returns.PeriodUnfinished: HTTPStatus.UNPROCESSABLE_ENTITY,
    returns.SentBeforeJudged: HTTPStatus.UNPROCESSABLE_ENTITY,
    returns.PeriodReversed: HTTPStatus.UNPROCESSABLE_ENTITY,
    NoSuchIndicator: HTTPStatus.NOT_FOUND,
    DayOutOfRange: HTTPStatus.UNPROCESSABLE_ENTITY,
    TooManyPeriods: HTTPStatus.UNPROCESSABLE_ENTITY,
    asked.RequestMalformed: HTTPStatus.BAD_REQUEST,
    asked.MalformedJson: HTTPStatus.BAD_REQUEST,
    asked.JsonTooDeep: HTTPStatus.BAD_REQUEST,
    asked.NoSuchPage: HTTPStatus.NOT_FOUND,
    asked.NoSuchTile: HTTPStatus.NOT_FOUND,
    asked.MethodNotAllowed: HTTPStatus.METHOD_NOT_ALLOWED,
    asked.BodyTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    asked.BodyTooSlow: HTTPStatus.REQUEST_TIMEOUT,
    asked.ContentTypeNotJson: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    asked.HostNotServed: HTTPStatus.MISDIRECTED_REQUEST,
    asked.InvalidRequest: HTTPStatus.UNPROCESSABLE_ENTITY,
    asked.PreconditionRequired: HTTPStatus.PRECONDITION_REQUIRED,
    asked.ProgramFailed: HTTPStatus.INTERNAL_SERVER_ERROR,
    asked.LedgerUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    projections.BeyondTheBook: HTTPStatus.UNPROCESSABLE_ENTITY,
    projections.NotReached: HTTPStatus.SERVICE_UNAVAILABLE,
    projections.NotBuilt: HTTPStatus.SERVICE_UNAVAILABLE,
}

FAULTS: tuple[type[Exception], ...] = (
    psycopg2.OperationalError,
    psycopg2.InterfaceError,
    eventsourcing.persistence.OperationalError,
    eventsourcing.persistence.InterfaceError,
    DatabaseUnavailable,
    NoSuchBook,
    IssuerUnreachable,
)
"""The world is away: answered by 503, in one place."""

RETRY_AFTER_SECONDS = 1

ADDED: Mapping[HTTPStatus, Mapping[str, str]] = {
    HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": str(RETRY_AFTER_SECONDS)},
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": "Bearer"},
}
"""The headers that every answer of a status has."""

QUESTIONS = frozenset({"GET", "HEAD"})
"""The methods that record nothing: who could not be answered asks again, and needs no key for it."""

MEDIA_TYPE = "application/problem+json"

INTEGER_MAX = 2**63 - 1

log = structlog.get_logger("api")


class Problem(BaseModel):
    """What went wrong and what to do (RFC 9457)."""

    type: str = Field(description="Names the problem, for ever: the address of its documentation.")
    title: str
    status: int
    detail: str = Field(description="This case, in a sentence.")
    remedy: str = Field(description="What to do.")
    request_id: str = Field(description="Stands in the log, and in the header `X-Request-Id`.")
    facts: dict[str, Any] = Field(description="The facts of the case, by name; never a personal value.")


def problem_answer(
    refusal: Refusal, request_id: str, headers: Mapping[str, str] | None = None, *, remedy: str | None = None
) -> Response:
    """The answer for a refusal; a class outside the table is a bug, which the test of the table finds first."""
    status = STATUS[type(refusal)]
    document = {
        "type": f"/problems/{refusal.kind()}",
        "title": title_of(type(refusal)),
        "status": status,
        "detail": refusal.told(institution_zone()),
        "remedy": remedy or refusal.remedy,
        "request_id": request_id,
        "facts": _written(refusal.facts()),
    }
    added = dict(ADDED.get(status, {}))
    if isinstance(refusal, asked.TooManyRequests):
        added["Retry-After"] = str(refusal.seconds)
    return Response(
        orjson.dumps(document, default=str, option=orjson.OPT_UTC_Z), status, {**added, **(headers or {})}, MEDIA_TYPE
    )


def _written(value: object) -> object:
    """The same, with whole numbers beyond 64 bits as text: JSON's writer has no others, and a refusal is always told."""
    match value:
        case int() if not -INTEGER_MAX <= value <= INTEGER_MAX:
            return str(value)
        case Mapping():
            return {name: _written(each) for name, each in value.items()}
        case list() | tuple():
            return [_written(each) for each in value]
        case _:
            return value


def install(app: FastAPI) -> None:
    """Makes every failure inside the service a problem document."""
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _unserved)
    for fault in FAULTS:
        app.add_exception_handler(fault, _away)
    app.add_exception_handler(eventsourcing.persistence.DatabaseError, _unnamed)


def _answered(
    request: Request, refusal: Refusal, headers: Mapping[str, str] | None = None, *, remedy: str | None = None
) -> Response:
    request.state.problem = refusal.kind()  # for the log line of the request
    return problem_answer(refusal, request.state.request_id, headers, remedy=remedy)


async def _refused(request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)
    return _answered(request, refusal)


async def _invalid(request: Request, error: Exception) -> Response:
    """FastAPI's own word on parameters: `If-Match` missing is a problem of its own, with a status of its own."""
    assert isinstance(error, RequestValidationError)
    errors = parameter_errors(error.errors())
    unconditional = any(wrong["field"].lower() == "if-match" and wrong["says"] == "is required" for wrong in errors)
    return _answered(request, asked.PreconditionRequired() if unconditional else asked.InvalidRequest(errors))


async def _unserved(request: Request, error: Exception) -> Response:
    """The router found no route, or none with this method; nothing else raises HTTPException."""
    assert isinstance(error, HTTPException)
    refusal = asked.MethodNotAllowed() if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED else asked.NoSuchPage()
    return _answered(request, refusal, _allowed(request) or error.headers)


def _allowed(request: Request) -> dict[str, str]:
    """The methods that the description names for this path: the router itself knows one route at a time."""
    template = getattr(request.scope.get("route"), "path_format", None)
    methods = request.app.openapi()["paths"].get(template, {})
    allowed = {method.upper() for method in methods} | ({"HEAD"} if "get" in methods else set())
    return {"Allow": ", ".join(sorted(allowed))} if methods else {}


async def _away(request: Request, fault: Exception) -> Response:
    log.warning("ledger unavailable", request_id=request.state.request_id, exc_info=fault)
    unavailable = asked.LedgerUnavailable()
    is_question = request.method in QUESTIONS
    return _answered(
        request, unavailable, remedy=unavailable.to_a_question if is_question else unavailable.to_a_command
    )


async def _unnamed(request: Request, fault: Exception) -> Response:
    """A database error outside `FAULTS` is a bug of ours, unless the server did not say it: then the connection broke."""
    cause = fault.__cause__
    if type(cause) is psycopg2.DatabaseError and cause.pgcode is None:
        return await _away(request, fault)
    raise fault


def title_of(refusal: type[Refusal]) -> str:
    """`NothingToReply` is titled "Nothing to reply"."""
    return refusal.kind().replace("-", " ").capitalize()


KINDS: Mapping[str, type[Refusal]] = {refusal.kind(): refusal for refusal in STATUS}


def page(kind: str) -> str:
    """The documentation of one problem, for a person; raises NoSuchPage for a name that is none."""
    refusal = KINDS.get(kind)
    if refusal is None:
        raise asked.NoSuchPage
    return html(
        title_of(refusal),
        f"<p>{escape(_meaning(refusal))}</p>"
        f"<p>Status {STATUS[refusal].value} {escape(STATUS[refusal].phrase)}, type <code>/problems/{kind}</code>.</p>"
        f"<h2>What it says</h2><p>{escape(refusal.says)}</p>"
        f"<h2>What to do</h2><p>{escape(refusal.remedy)}</p>"
        '<p><a href="/problems">All problems</a></p>',
    )


class KnownProblem(NamedTuple):
    """A problem that can be answered; `says` is what `detail` says, with the facts of the case by name in braces."""

    type: str
    title: str
    status: int
    says: str
    remedy: str


def every_problem() -> list[KnownProblem]:
    """Every problem, by status and name."""
    return [
        KnownProblem(f"/problems/{refusal.kind()}", title_of(refusal), status.value, refusal.says, refusal.remedy)
        for refusal, status in sorted(STATUS.items(), key=lambda row: (row[1], row[0].kind()))
    ]


def index() -> str:
    """The list of every problem, for a person."""
    rows = "".join(
        f'<tr><td>{each.status}</td><td><a href="{each.type}">{each.title}</a></td>'
        f"<td>{escape(each.says)}</td><td>{escape(each.remedy)}</td></tr>"
        for each in every_problem()
    )
    heads = "<tr><th>Status</th><th>Problem</th><th>Says</th><th>What to do</th></tr>"
    return html("Problems", f"<table>{heads}{rows}</table>")


def _meaning(refusal: type[Refusal]) -> str:
    """The docstring, where its author wrote one: a dataclass writes its signature where he did not."""
    written = refusal.__doc__ or ""
    return "" if written.startswith(f"{refusal.__name__}(") else inspect.cleandoc(written)
