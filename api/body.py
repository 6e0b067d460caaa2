"""Reads a command from a request: the body's limit, its JSON, and the command class's own rules of form.

What a command may mean is decided in `ledger`; nothing here answers or records.
"""

import json
import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, get_args, get_origin

import anyio
import orjson
from fastapi import Request
from pydantic import ValidationError

from api.refusals import (
    BodyTooLarge,
    BodyTooSlow,
    ContentTypeNotJson,
    FieldError,
    InvalidRequest,
    JsonTooDeep,
    MalformedJson,
)
from api.validation import SAYS, field_errors, shown_name
from ledger.command import Command, asking_fields, assigned_fields
from ledger.complaint.commands import reference_number
from ledger.ids import new_id

BODY_BYTES_MAX = 1024 * 1024
BODY_SECONDS_MAX = 30
"""For all of a body to come: whoever sends a byte now and then keeps no place for ever."""

DEPTH_MAX = 32
"""Objects and lists within one another, the body itself included; no command needs more than a few."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A command as it was asked for."""

    command: Command
    given: bytes
    """Canonical JSON of method, path and body: what a repeated idempotency key is compared by."""
    assigned: tuple[str, ...]
    """The fields that the program filled, because the caller left them out."""


async def read_command(kind: type[Command], request: Request) -> Asked:
    """The command of the class `kind` that a request makes; raises what `api.refusals` has for one that makes none."""
    ids = dict(request.path_params)
    if asking_fields(kind):
        ids |= dict.fromkeys(asking_fields(kind), request.state.person.id)
    return command_of(kind, await read_body(request), request.method, request.scope["path"], ids)


async def read_body(request: Request) -> bytes:
    """The body, as long as it says it is JSON and is not longer than the limit."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise ContentTypeNotJson
    parts: list[bytes] = []
    size = 0
    try:
        with anyio.fail_after(BODY_SECONDS_MAX):
            async for part in request.stream():
                size += len(part)
                if size > BODY_BYTES_MAX:
                    raise BodyTooLarge(BODY_BYTES_MAX)
                parts.append(part)
    except TimeoutError:
        raise BodyTooSlow(BODY_SECONDS_MAX) from None
    return b"".join(parts)


def command_of(kind: type[Command], body: bytes, method: str, path: str, path_ids: Mapping[str, str]) -> Asked:
    """The command of the class `kind` that a body and the ids of its path make."""
    given = _object(body)
    wrong = [*_in_the_path(given, path_ids), *_loosely_typed(kind, given)]
    if wrong:
        raise InvalidRequest(wrong)
    filled = {
        field: ASSIGNED.get(field, new_id)()
        for field in assigned_fields(kind)
        if field not in given and field not in path_ids
    }
    try:
        command = kind.model_validate_json(orjson.dumps({**filled, **given, **path_ids}))
    except ValidationError as error:
        raise InvalidRequest(
            field_errors(error.errors(include_url=False, include_input=False), {"path": path_ids})
        ) from None
    _refuse_repeated(body)
    fingerprinted = {"body": given, "method": method, "path": path}
    return Asked(command, orjson.dumps(fingerprinted, option=orjson.OPT_SORT_KEYS), tuple(filled))


def _new_reference() -> str:
    return reference_number(datetime.now(UTC).year, secrets.randbits(40))


ASSIGNED: Mapping[str, Callable[[], object]] = {"reference": _new_reference}
"""How the program fills a field that the caller left out; the others are ids."""


def _object(body: bytes) -> dict[str, Any]:
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if "limit" in error.msg:  # orjson's own depth, 1024
            raise JsonTooDeep(DEPTH_MAX) from None
        raise MalformedJson(error.lineno, error.colno) from None
    _refuse_deep(given)
    if not isinstance(given, dict):
        raise InvalidRequest([FieldError(place="body", field=shown_name(""), says=SAYS["model_type"])])
    return given


def _refuse_deep(given: object) -> None:
    """Goes down level by level: what writes and compares JSON later goes into itself for each level, and fails in the deep."""
    level = [given] if isinstance(given, dict | list) else []
    for _ in range(DEPTH_MAX):
        level = [
            part
            for each in level
            for part in (each.values() if isinstance(each, dict) else each)
            if isinstance(part, dict | list)
        ]
        if not level:
            return
    raise JsonTooDeep(DEPTH_MAX)


def _in_the_path(given: Mapping[str, Any], path_ids: Mapping[str, str]) -> list[FieldError]:
    says = "stands in the path, or in the token: leave it out of the body"
    return [FieldError(place="body", field=name, says=says) for name in path_ids if name in given]


def _loosely_typed(kind: type[Command], given: Mapping[str, Any]) -> list[FieldError]:
    """What pydantic would read kindly and the description does not allow: "5" or true for a number, 1 for true."""
    return [
        FieldError(place="body", field=name, says=SAYS[f"{exact.__name__}_type"])
        for name, exact in _exact_fields(kind)
        if isinstance(given.get(name), str | bool if exact is int else str | int | float)
        and not (exact is bool and isinstance(given[name], bool))
    ]


@cache
def _exact_fields(kind: type[Command]) -> tuple[tuple[str, type], ...]:
    """The fields of a command that hold a number or a yes or no."""
    return tuple(
        (name, exact)
        for name, field in kind.model_fields.items()
        for exact in (int, bool)
        if _mentions(field.annotation, exact)
    )


def _mentions(annotation: Any, exact: type) -> bool:
    return annotation is exact or (
        get_origin(annotation) is not dict and any(_mentions(part, exact) for part in get_args(annotation))
    )


def _refuse_repeated(body: bytes) -> None:
    """A name given twice in one object has no agreed meaning (RFC 8259, section 4), so none is recorded."""
    try:
        json.loads(body, object_pairs_hook=_once)
    except RecursionError:  # the deep part stands under a name given twice, and its second value is not deep
        raise JsonTooDeep(DEPTH_MAX) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        times = Counter(name for name, _ in pairs)
        repeated = sorted(name for name in times if times[name] > 1)
        raise InvalidRequest(
            [FieldError(place="body", field=shown_name(name), says=SAYS["repeated"]) for name in repeated]
        )
    return found
