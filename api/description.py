"""What OpenAPI says of the service, made from the tables that serve it; nothing here serves a request.

Tests hold every answer of the running service against it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api import refusals as asked
from api.answers import OfTheBook
from api.examples import EXAMPLES
from api.problems import MEDIA_TYPE, STATUS, Problem, title_of
from api.shared import share
from ledger.access.commands import NameDeputy
from ledger.command import Command, assigned_fields
from ledger.complaint.commands import AssignComplaint, CorrectFact
from ledger.refusal import Refusal
from ledger.returns.commands import AcknowledgeReturn, QuestionReturn, SendReturn
from projections.asking import BeyondTheBook, NotBuilt, NotReached
from projections.indicators.periods import DayOutOfRange
from projections.returns.definitions import NoSuchReturn
from projections.returns.documents import DocumentDiffers

REF = "#/components/schemas/{model}"

EVERYWHERE = (asked.HostNotServed, asked.ProgramFailed, asked.LedgerUnavailable)
"""What any route may answer."""

TO_KNOWN_CALLERS = (
    asked.TokenMissing,
    asked.TokenRefused,
    asked.BookNotYours,
    asked.NotAllowed,
    asked.DepartmentNotYours,
    asked.ReceiverNotYours,
    asked.NotForReceivers,
    asked.TooManyRequests,
)
"""What any route that demands a token may answer."""

COMMAND_ONLY = (
    asked.MalformedJson,
    asked.JsonTooDeep,
    asked.BodyTooLarge,
    asked.BodyTooSlow,
    asked.ContentTypeNotJson,
    asked.InvalidRequest,
)

INTRODUCTION = """
A complaint is received with `POST /complaints`; what happens to it afterwards is a POST to one of its
sub-resources. Every accepted command answers with a receipt: where in the book it stands.

- Every address but health and documentation demands `Authorization: Bearer …`. Which role may do what stands in
  `ledger/access/roles.toml` of the program.
- `Idempotency-Key` makes a retry safe. `If-Match` says which version a decision rests on.
- Every problem is `application/problem+json`; its `type` is the address of its documentation.
- A question takes `position` (or the header `Ledger-Position`): it is answered when that much is worked in.
- Instants carry their offset. Amounts are integers in the currency's minor unit.
""".strip()


RECOMPUTED: list[type[Refusal]] = [DocumentDiffers, DayOutOfRange, NoSuchReturn, NotBuilt, NotReached, BeyondTheBook]
"""What may also be answered where a return is computed again before it is recorded as sent."""


BY_RECEIVERS: frozenset[type[Command]] = frozenset({AcknowledgeReturn, QuestionReturn})
"""What a receiver may record too: it is not told where in the book that stands."""


def command_description(
    path_ids: Sequence[str],
    command: type[Command],
    answer: type[BaseModel],
    *,
    decides: bool,
    status: HTTPStatus,
) -> dict[str, Any]:
    """What OpenAPI says of one command, as arguments of `add_api_route`."""
    refusals = [*_of_the_ledger(), *COMMAND_ONLY, *EVERYWHERE, *((asked.PreconditionRequired,) if decides else ())]
    refusals += [asked.DepartmentUnknown] if command in {AssignComplaint, CorrectFact} else []
    refusals += [asked.RankNotYours] if "approver_rank" in command.model_fields else []
    refusals += [NotBuilt] if command is NameDeputy else []
    refusals += RECOMPUTED if issubclass(command, SendReturn) else []
    position = _header("Where in the book it stands: ask with it to see it in an answer.", "integer")
    headers = {
        "ETag": _header("The subject's version after it.", "string"),
        "Ledger-Position": position | ({"required": False} if command in BY_RECEIVERS else {}),
        **({"Location": _header("What was made.", "string")} if status == HTTPStatus.CREATED else {}),
    }
    return {
        "summary": (command.__doc__ or "").partition("\n")[0].rstrip("."),
        "tags": ["commands"],
        "responses": {
            int(status): {"description": "Recorded.", "headers": headers, "content": _json_of(answer)},
            **problem_responses(refusals),
        },
        "openapi_extra": {
            "parameters": [
                {"name": name, "in": "path", "required": True, "schema": _path_schema(command, name)}
                for name in path_ids
            ],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {"$ref": REF.format(model=command.__name__)},
                        "examples": {command.command_name(): {"value": dict(EXAMPLES[command])}},
                    }
                },
            },
        },
    }


def question_description(
    answer: type[BaseModel], *refusals: type[Refusal], etag: bool = False, stands: bool = False
) -> dict[str, Any]:
    """What OpenAPI says of one question, as arguments of `get`; an answer with a `position` stands as of one."""
    stated = answer.model_fields.get("position")
    position = _header("As of which position the answer stands.", "integer")
    if stated is not None and any(isinstance(mark, OfTheBook) for mark in stated.metadata):
        position = {**position, "description": "As of which position the answer stands; not told to a receiver."}
        position["required"] = False
    headers = {
        **({"Ledger-Position": position} if stands or stated is not None else {}),
        **({"ETag": _header("The complaint's version, for `If-Match`.", "string")} if etag else {}),
    }
    return {
        "tags": ["questions"],
        "responses": {
            200: {
                "description": (answer.__doc__ or "").partition("\n")[0],
                "headers": headers,
                "content": _json_of(answer),
            },
            **problem_responses([*refusals, asked.InvalidRequest, *EVERYWHERE]),
        },
    }


def problem_responses(refusals: Iterable[type[Refusal]]) -> dict[int | str, dict[str, Any]]:
    """The problem answers of a route, by status, each naming the problems behind it."""
    by_status: dict[int, list[type[Refusal]]] = {}
    for refusal in dict.fromkeys(refusals):
        by_status.setdefault(int(STATUS[refusal]), []).append(refusal)
    return {status: _problem_response(found) for status, found in sorted(by_status.items())}


def described(
    app: FastAPI,
    commands: Mapping[type[Command], Sequence[str]],
    answers: Sequence[type[BaseModel]],
    open_to_all: Collection[str],
) -> dict[str, Any]:
    """The whole description; `commands` gives of each command the fields that stand in its path, `open_to_all` the paths
    that are answered without a token."""
    document = get_openapi(title=app.title, version=app.version, description=INTRODUCTION, routes=app.routes)
    models = [
        *((command, "validation") for command in commands),
        *((answer, "serialization") for answer in (*answers, Problem)),
    ]
    _, definitions = models_json_schema(models, ref_template=REF)  # type: ignore[arg-type]  # the literals are inferred as str
    schemas = definitions["$defs"]
    for command, path_ids in commands.items():
        _leave_to_the_caller(schemas[command.__name__], path_ids, assigned_fields(command))
    document.setdefault("components", {}).setdefault("schemas", {}).update(schemas)
    document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    for path, operations in document["paths"].items():
        for operation in operations.values() if path not in open_to_all else ():
            _demand_a_token(operation)
    share(document)
    return document


def _demand_a_token(operation: dict[str, Any]) -> None:
    """Says of an operation that it demands a token, and what is answered without a fit one."""
    operation["security"] = [{"token": []}]
    for status, response in problem_responses(TO_KNOWN_CALLERS).items():
        there = operation["responses"].setdefault(str(status), response)
        if there is not response:
            kinds, more = (_kinds(each) for each in (there, response))
            kinds.extend(kind for kind in more if kind not in kinds)
            there["description"] = f"{there['description'].rstrip('.')}; {response['description']}"


def _kinds(response: Mapping[str, Any]) -> list[str]:
    kinds: list[str] = response["content"][MEDIA_TYPE]["schema"]["allOf"][1]["properties"]["type"]["enum"]
    return kinds


def _path_schema(command: type[Command], name: str) -> dict[str, Any]:
    """What stands in a path is an id, a version, or the name of something that an institution named itself."""
    field = command.model_json_schema()["properties"][name]
    told = ("type", "format", "pattern", "maxLength", "minimum", "maximum")
    return {"type": "string"} | {each: field[each] for each in told if each in field}


def _leave_to_the_caller(schema: dict[str, Any], path_ids: Sequence[str], assigned: Sequence[str]) -> None:
    """Takes the path's ids out of a command's body, and makes optional what the program fills."""
    for name in path_ids:
        del schema["properties"][name]
    schema["required"] = [name for name in schema.get("required", []) if name not in {*path_ids, *assigned}]


def _of_the_ledger() -> list[type[Refusal]]:
    return [refusal for refusal in STATUS if refusal.__module__.startswith("ledger.")]


def _problem_response(refusals: Sequence[type[Refusal]]) -> dict[str, Any]:
    status = STATUS[refusals[0]]
    named = {
        "type": {"enum": [f"/problems/{refusal.kind()}" for refusal in refusals]},
        "status": {"const": int(status)},
    }
    response: dict[str, Any] = {
        "description": "; ".join(title_of(refusal) for refusal in refusals) + ".",
        "content": {MEDIA_TYPE: {"schema": {"allOf": [{"$ref": REF.format(model="Problem")}, {"properties": named}]}}},
    }
    if status == HTTPStatus.UNAUTHORIZED:
        response["headers"] = {"WWW-Authenticate": _header("How to say who asks.", "string")}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response["headers"] = {
            "Retry-After": _header("Seconds to wait before the same request is sent again.", "integer")
        }
    return response


def _header(description: str, kind: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": kind}}


def _json_of(answer: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": REF.format(model=answer.__name__)}}}
