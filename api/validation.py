"""Turns pydantic's validation errors into sentences that name the field and what to do.

Nothing that was sent may pass through here: not a value, and not the name of an unknown field unless
it looks like the name of a field.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from itertools import islice
from typing import Any, get_args

from api.refusals import FieldError
from ledger.command import Name, StaffId, Words
from ledger.event import Code, Currency, Label, Reference, Sha256Hex

FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}(\.[a-z0-9_]{1,40})*|[A-Za-z]+(-[A-Za-z]+)*", re.ASCII)

INSTANT = "must be a date and time with its offset, like 2025-09-30T16:05:00+08:00"
ETAG = r'^"(0|[1-9][0-9]{0,17})"$'
"""The version of a subject as a strong entity tag, as `GET /complaints/{complaint_id}` gives a complaint's."""

KEY = r"^[ -~]+$"
"""An idempotency key."""

IDENTIFIER = "must be a UUID"

SAYS: Mapping[str, str] = {
    "missing": "is required",
    "extra_forbidden": "is not a field of this request: leave it out, or check its spelling",
    "repeated": "is given twice: give it once",
    "string_type": "must be text",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must match {pattern}",
    "string_unicode": "must be valid Unicode",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing_size": "is too large a number",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "greater_than": "must be more than {gt}",
    "less_than": "must be less than {lt}",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "enum": "must be one of {expected}",
    "literal_error": "must be one of {expected}",
    "uuid_type": IDENTIFIER,
    "uuid_parsing": IDENTIFIER,
    "is_instance_of": IDENTIFIER,
    "datetime_type": INSTANT,
    "datetime_parsing": INSTANT,
    "datetime_from_date_parsing": INSTANT,
    "datetime_object_invalid": INSTANT,
    "timezone_aware": INSTANT,
    "date_type": "must be a day, like 2025-09-30",
    "date_parsing": "must be a day, like 2025-09-30",
    "date_from_datetime_parsing": "must be a day, like 2025-09-30",
    "date_from_datetime_inexact": "must be a day, like 2025-09-30",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be a JSON object",
    "model_attributes_type": "must be a JSON object",
    "too_long": "must have at most {max_length} entries",
    "too_short": "must have at least {min_length} entries",
    "value_error": "{error}",  # our own validators' sentences, which hold no value
}
"""Pydantic's error types, as what to do about each; filled from the constraint, never from the value."""

ERRORS_MAX = 50
"""Things wrong with one request that are named: a body of a megabyte has room for a hundred thousand."""

OTHERWISE = "is not of the form that /openapi.json describes"


def _pattern(annotation: Any) -> str:
    return str(get_args(annotation)[1].pattern)


def _constraint(annotation: Any) -> str:
    return str(get_args(annotation)[1].pattern)


PATTERN_SAYS: Mapping[str, str] = {
    _pattern(Words): "must hold more than blanks, and no NUL character (U+0000)",
    _pattern(Name): "must be one line with more than blanks in it, and no control character",
    _constraint(StaffId): "must be 1 to 64 letters, digits, dots, hyphens or underscores, a letter or digit first: the "
    "number or account name that the institution gave; no e-mail address, for it stands in the record for ever",
    _constraint(Code): "must be a code of its table (see /codes): lower-case letters, digits and hyphens",
    _constraint(Label): "must be one line, without a control character",
    _constraint(
        Reference
    ): "must be 1 to 64 letters, digits, dots, slashes, hyphens or underscores, a letter or digit first",
    _constraint(Sha256Hex): "must be a SHA-256 digest: 64 characters, 0-9 and a-f",
    _constraint(Currency): "must be three capital letters of ISO 4217, such as CNY",
    ETAG: 'must be an ETag as an answer gave it: a version in double quotes, such as "3"',
    KEY: "must be printable ASCII characters",
}
"""The patterns that say less to a reader than a sentence does."""


def field_errors(errors: Iterable[Mapping[str, Any]], places: Mapping[str, Collection[str]]) -> list[FieldError]:
    """The first of pydantic's errors on a command; `places` says which fields did not come from the body."""
    return [
        _field_error(_place(str(error["loc"][0]) if error["loc"] else "", places), error["loc"], error)
        for error in islice(errors, ERRORS_MAX)
    ]


def parameter_errors(errors: Iterable[Mapping[str, Any]]) -> list[FieldError]:
    """FastAPI's errors on parameters, whose location begins with path, query or header."""
    return [_field_error(str(error["loc"][0]), error["loc"][1:], error) for error in errors]


def unknown_parameters(names: Iterable[str], known: Iterable[str]) -> list[FieldError]:
    """What a question does not ask for, each with what it does ask for."""
    has = ", ".join(sorted(known))
    says = f"is not known here: leave it out, or use one of {has}" if has else "is not known here: no parameter is"
    return [FieldError(place="query", field=shown_name(name), says=says) for name in names]


def _place(field: str, places: Mapping[str, Collection[str]]) -> str:
    return next((place for place, fields in places.items() if field in fields), "body")


def _field_error(place: str, location: Iterable[int | str], error: Mapping[str, Any]) -> FieldError:
    field = shown_name(".".join(map(str, location)))
    says = _sentence(error)
    if place == "path" and field == "complaint_id" and says == IDENTIFIER:
        says += "; by a reference number, ask /complaints?reference=… for it"
    return FieldError(place=place, field=field, says=says)


def shown_name(field: str) -> str:
    """The field's name if it looks like one; else nothing of it, because it may be somebody's name."""
    return (
        field if FIELD_NAME.fullmatch(field) else "(a field with a name that is not shown)" if field else "(the whole)"
    )


def _sentence(error: Mapping[str, Any]) -> str:
    context = error.get("ctx", {})
    if context.get("pattern") in PATTERN_SAYS:
        return PATTERN_SAYS[context["pattern"]]
    return SAYS.get(error["type"], OTHERWISE).format_map(context)
