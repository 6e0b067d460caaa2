"""Who asks, and what a request says beside its body: principal, idempotency key, version rested on.

Whom a token speaks for is found out in `api.tokens`, what that person may do stands in `ledger/access/roles.toml`;
here the two meet: `allowed` is asked before anything else of a request is looked at.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any
from uuid import UUID

import anyio.to_thread
from fastapi import Depends, FastAPI, Header, Request
from fastapi.routing import APIRoute

from api.moments import is_month_begun, is_month_ended
from api.refusals import (
    BookNotYours,
    DepartmentNotYours,
    NotAllowed,
    NotForReceivers,
    RankNotYours,
    ReceiverNotYours,
    TokenMissing,
)
from api.tokens import SERVICE, Person, TokenReader
from api.validation import ETAG, KEY
from ledger.access.roles import FILE, Scope, roles
from ledger.application import Ledger
from ledger.complaint.grounds import same_person
from ledger.vault.reach import reaches, stands_in

OPEN_TO_ALL = frozenset({"/", "/health", "/openapi.json", "/problems", "/problems/{kind}"})
"""Health and documentation: the only paths that are answered without a token. They hold nothing of the book."""


ANSWERS_OF_ACCESS = frozenset({"approve-access", "decline-access"})
"""What is said to a request for access: it is an affair of the department that has the complaint."""


TOLD_OF_THEN = frozenset({"codes", "regimes", "calendars"})
"""What a regulator may ask as of any position besides its own door: it tells nothing of a complaint."""

BY_THE_DOOR = frozenset({"category", "cause", "channel", "grade", "issue", "outcome", "product", "region"})
"""By what a regulator's figures are broken down: columns of its door. What the door leaves out (tier, branch, department,
handler), or what narrows a cell below a month (hour, age), would be learnt of the single complaints of its rows."""


class RouteWithoutEntry(Exception):
    """A route has no line in the table of roles: the service does not start."""


def action_of(route: Any) -> str:
    """The name that a route has in the table of roles: its command's, or its function's with dashes."""
    return str(route.operation_id or route.name.replace("_", "-"))


def guarded(app: FastAPI) -> Iterator[APIRoute]:
    """Every route that demands a token. Raises RouteWithoutEntry for one that no dependency can guard."""
    for route in _each(app.routes):
        if getattr(route, "path_format", None) in OPEN_TO_ALL:
            continue
        if not isinstance(route, APIRoute):
            raise RouteWithoutEntry(f"{route} is no route of FastAPI's own: nothing asks its callers for a token")
        yield route


def _each(routes: Iterable[Any]) -> Iterator[Any]:
    for route in routes:
        included = getattr(route, "original_router", None)  # newer versions of FastAPI keep routers as they are
        yield from [route] if included is None else _each(included.routes)


def refuse_unlisted(app: FastAPI) -> None:
    """Raises RouteWithoutEntry, with the line to add, where a route has none in the table of roles."""
    missing = [
        f'{method} {route.path_format} has no line in {FILE}: add `{action_of(route)} = ["@everybody"]`, with the '
        f"roles that may, under [{'questions' if method == 'GET' else 'commands'}]"
        for route in guarded(app)
        if roles().of_action(action_of(route)) is None
        for method in sorted(route.methods or ())
    ]
    if missing:
        raise RouteWithoutEntry("\n".join(missing))


async def allowed(request: Request) -> Person | None:
    """Whom the request speaks for, as long as the table of roles lets that person do it; None where all may.

    Raises TokenMissing, TokenRefused, BookNotYours, NotAllowed, NotForReceivers, ReceiverNotYours or DepartmentNotYours: in this
    order, and before parameters or a body are looked at otherwise. A route that the table does not know is refused. Of which departments a list is, the route itself asks
    `departments_listed`, when its parameters are known to be of their form.
    """
    route = request.scope["route"]
    if route.path_format in OPEN_TO_ALL and route.path_regex.match(request.scope["path"]):
        return None
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise TokenMissing
    reader: TokenReader = request.app.state.tokens
    person = await reader.person(token.strip())
    request.state.person = person
    request.app.state.rates.take(person.id)
    ledger: Ledger = request.app.state.ledger
    if ledger.book not in person.books:
        raise BookNotYours(ledger.book)
    action = action_of(route)
    may = roles().of_action(action) or frozenset()
    if not may & person.roles:
        raise NotAllowed(action, sorted(may))
    scopes = {roles().roles[role].scope for role in may & person.roles}
    request.state.receives = scopes == {Scope.RECEIVERS}
    if request.state.receives:
        _refuse_narrowing(action, request)
    if Scope.BOOK in scopes or (Scope.RECEIVERS in scopes and _is_their_receiver(request, person)):
        return person
    if Scope.DEPARTMENTS not in scopes:
        raise ReceiverNotYours(sorted(person.receivers))
    await _within_departments(request, person)
    return person


def refuse_rank(rank: str | None, person: Person) -> None:
    """Raises RankNotYours where an approval states a rank that none of the person's own roles carries."""
    if rank is not None and not (may := roles().ranks.get(rank, frozenset())) & (person.roles - {SERVICE}):
        raise RankNotYours(rank, sorted(may))


def _refuse_narrowing(action: str, request: Request) -> None:
    """Raises NotForReceivers where a route that names no receiver is asked as of another time, by what the door leaves out,
    or for less than a month: two such answers, one beside the other, tell of the one complaint between them.

    `from` and `to` of figures need no look: they name whole periods, whatever their days.
    """
    if action in TOLD_OF_THEN or "receiver" in request.path_params:
        return
    given = request.query_params
    by_instants = action == "sla-report"
    for parameter, is_refused in (
        ("as_of", "as_of" in given),
        ("now", "now" in given),
        ("classified", any(each != "first" for each in given.getlist("classified"))),
        ("by", not BY_THE_DOOR.issuperset(given.getlist("by"))),
        ("period", "day" in given.getlist("period")),
        ("from", by_instants and not all(is_month_begun(each) for each in given.getlist("from"))),
        ("to", by_instants and not all(is_month_ended(each) for each in given.getlist("to"))),
    ):
        if is_refused:
            raise NotForReceivers(parameter)


def _is_their_receiver(request: Request, person: Person) -> bool:
    """Whether a route names a receiver of the person's, or has none to name; a list that can name one must."""
    if "receiver" in request.path_params:
        return request.path_params["receiver"] in person.receivers
    return "receiver" not in _parameters(request) or request.query_params.get("receiver") in person.receivers


def departments_of(request: Request) -> frozenset[str] | None:
    """The departments that a caller who was let in reaches by this route; None who reaches the whole book."""
    person: Person = request.state.person
    may = (roles().of_action(action_of(request.scope["route"])) or frozenset()) & person.roles
    whole = any(roles().roles[role].scope is Scope.BOOK for role in may)
    return None if whole else person.departments


async def _within_departments(request: Request, person: Person) -> None:
    """Raises DepartmentNotYours for a complaint of another department, unless it was given to the person by name.

    A complaint that no department has yet, or that is not there, is for all; one of whom the person stands in for now is
    his too. Costs one read of its stream.
    """
    answered = "request_id" in request.path_params and action_of(request.scope["route"]) in ANSWERS_OF_ACCESS
    if "complaint_id" in request.path_params or answered:
        await anyio.to_thread.run_sync(_refuse_others, request.app.state.ledger, request.path_params, person)


def _refuse_others(ledger: Ledger, ids: Mapping[str, Any], person: Person) -> None:
    try:
        complaint_id = UUID(str(ids["complaint_id"])) if "complaint_id" in ids else _asked_for(ledger, ids)
        complaint, _ = ledger.state("complaint", complaint_id)
    except ValueError:
        return  # no id: the route itself says so
    if not reaches(ledger, complaint, person.id, person.departments):
        raise DepartmentNotYours(complaint.assignment.department, sorted(person.departments))


def _asked_for(ledger: Ledger, ids: Mapping[str, Any]) -> UUID:
    """The complaint that a request for access is for; raises ValueError where there is no such request."""
    request, _ = ledger.state("access-request", UUID(str(ids["request_id"])))
    if request.requested is None:
        raise ValueError("there is no such request")
    complaint_id: UUID = request.requested.complaint_id
    return complaint_id


async def departments_listed(request: Request, department: str | None, staff: str | None) -> list[str] | None:
    """The departments that a list is of: the one that was named, or else all that are the caller's; None for every one.

    Somebody's own work is listed whole, whatever department is written beside his name, and so is that of whom he stands in
    for now. Raises DepartmentNotYours.
    """
    own = departments_of(request)
    if department is not None:
        if own is not None and department not in own:
            raise DepartmentNotYours(department, sorted(own))
        return [department]
    if own is None or (staff is not None and await _his_or_of_whom_he_stands_in_for(request, staff)):
        return None
    return sorted(own)


async def _his_or_of_whom_he_stands_in_for(request: Request, staff: str) -> bool:
    person: Person = request.state.person
    if same_person(staff, person.id):
        return True
    return await anyio.to_thread.run_sync(stands_in, request.app.state.ledger, staff, person.id)


def _parameters(request: Request) -> frozenset[str]:
    return frozenset(field.alias for field in request.scope["route"].dependant.query_params)


async def caller(request: Request) -> str:
    """The principal: the one dependency that says who asks."""
    person: Person = request.state.person
    return person.id


Caller = Annotated[str, Depends(caller)]

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=KEY,
        description="Makes a retry safe: the same key with the same request gives the first outcome again, "
        "with another request it is refused. 1 to 200 printable ASCII characters. The program makes one where it is absent.",
        examples=["3f1c7d1e-9f0a-4a55-8a3e-0d0f6f0f2b11"],
    ),
]
"""The caller's own name for a request, scoped by book and principal."""

RestedOn = Annotated[
    str,
    Header(
        alias="If-Match",
        pattern=ETAG,
        description="The `ETag` of the complaint as it was read: this command changes a decision. "
        "Absent: 428. No longer the complaint's version: 412.",
        examples=['"4"'],
    ),
]
"""The version that a decision rests on; a request without it is answered 428 (`api.problems`)."""

Expected = Annotated[
    str | None,
    Header(
        alias="If-Match",
        pattern=ETAG,
        description="The `ETag` of the complaint as it was read, where nothing may have come between. No longer its version: 412.",
        examples=['"4"'],
    ),
]
"""The version that the caller insists on, if any."""


def version_in(if_match: str | None) -> int | None:
    """The version that an entity tag of ours names."""
    return int(if_match.strip('"')) if if_match else None
