"""Computes a return at one position, freezes it as a document, and opens any of its cells. It records nothing.

A document is JSON with sorted keys, in UTF-8, without blanks; its digest is the SHA-256 of those bytes.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

import orjson
from psycopg2.extensions import connection as Connection

from ledger import moment
from ledger.database.sql import queries
from ledger.deadlines.calendar import Calendar
from ledger.refusal import Refusal
from projections import sla
from projections.indicators import tables
from projections.indicators.asking import Case, Ground, grounded
from projections.indicators.periods import Period, within_range
from projections.indicators.places import table_of
from projections.returns.definitions import Column, Form

_SQL = queries(__file__)

FORMAT = "complaint-ledger/return/v1"
LINES_PER_PAGE = 5_000
CASES_MAX = 100_000
"""Rows behind a cell that one query reads; most cells have fewer."""
MONTHS_OF_WORKING_DAYS = 9
"""Working days are counted from so many months before the period: what is older is far beyond three of them."""


PLACED = {"jrt_channel": "channel", "jrt_business": "product", "jrt_reason": "category"}
"""Of each place of JR/T 0169-2018 that a form's query may read, the field whose code it is the place of."""


class NotAsPrepared(ValueError):
    """A document of a return is not what this program makes at its position."""


@dataclass(eq=False)
class OtherForm(Refusal):
    """Documents of two returns have no cell in common."""

    first: str
    then: str

    says: ClassVar[str] = "One document is of the return {first}, the other of {then}."
    remedy: ClassVar[str] = "Compare two documents of one return."


class Pseudonyms(NamedTuple):
    """Names of complaints and events for one receiver: nobody links them with another receiver's or with ours."""

    key: bytes

    def of(self, kind: str, what: object) -> str:
        """128 bits of HMAC-SHA-256, in hex."""
        return hmac.digest(self.key, f"{kind}/{what}".encode(), hashlib.sha256).hex()[:32]

    def in_order(self, found: Iterable[Case]) -> list[Case]:
        """Cases in the order of the receiver's own names: in that of our ids, two receivers could tell which of theirs are one."""
        return sorted(found, key=lambda case: self.of("complaint", case.complaint_id))


def key_name(book: str, receiver: str) -> str:
    """The name of the secret that the names for a receiver are made with."""
    return f"receiver/{book}/{receiver}"


def prepared(
    connection: Connection,
    on: Ground,
    form: Form,
    period: Period,
    receiver: str,
    origin: str,
    root: str,
    names: Pseudonyms,
) -> dict[str, Any]:
    """The document of a return, computed on the ground given; costs one reading of the facts, and its own size."""
    document = {
        "format": FORMAT,
        "return": {"name": form.name, "version": form.version, "zh": form.zh, "en": form.en, "says": form.says},
        "counting_rule": form.counting,
        "receiver": receiver,
        "period": {"from": str(period.begins_on), "to": str(period.ends_on)},
        "origin": origin,
        "known_at": {"position": on.at.position, "root": root},
        "judged_at": moment.written(on.at.now),
        "computed_by": {
            "query_sha256": hashlib.sha256(form.query.encode()).hexdigest(),
            "projections": {each.name: each.version for each in (tables.PROJECTION, sla.PROJECTION)},
            "code_tables": on.tables.version,
        },
        "rows_by": [{"name": key.name, "zh": key.zh, "en": key.en} for key in form.rows],
        "columns": [column.model_dump() for column in form.columns],
    }
    if form.kind == "list":
        rows = [
            [*keys, names.of("complaint", complaint_id)] for complaint_id, keys in _lines(connection, on, form, period)
        ]
        return {
            **document,
            "rows": sorted(rows, key=lambda row: [each or "" for each in row]),
            "totals": {"row": len(rows)},
        }
    cells, totals = _cells(connection, on, form, period)
    return {
        **document,
        "labels": _labels(on, form, [keys for keys, _ in cells]),
        "rows": [{"keys": list(keys), "cells": row} for keys, row in cells],
        "totals": totals if form.has_totals else {},
        "without_place": _without_place(connection, on, form, period),
    }


def written(document: Mapping[str, Any]) -> bytes:
    """A document as the bytes that are sent and hashed."""
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def digest_of(document: bytes) -> str:
    """The digest of a document as it was written."""
    return hashlib.sha256(document).hexdigest()


def cases(
    connection: Connection, on: Ground, form: Form, period: Period, keys: Sequence[str | None] | None, column: str
) -> list[Case]:
    """All complaints behind a cell, or behind a column's total where no keys are given, in the order of their ids.

    Costs what the return costs, once for every 100,000 of them.
    """
    asked = {"keys": None if keys is None else list(keys), "col": "row" if form.kind == "list" else column}
    found: list[Case] = []
    while True:
        page = {"after": len(found), "rows_max": CASES_MAX}
        rows = _fetch(connection, on, form, period, "cases", {**asked, **page})
        found += [Case(*row) for row in rows]
        if len(rows) < CASES_MAX:
            return found


def differences(first: Mapping[str, Any], then: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The cells of two documents of one return that differ, by keys and column: what a restatement shows.

    A total has no keys (None). Raises OtherForm for documents of two returns.
    """
    if first["return"]["name"] != then["return"]["name"]:
        raise OtherForm(first["return"]["name"], then["return"]["name"])
    before, after = _by_place(first), _by_place(then)
    places = sorted(before.keys() | after.keys(), key=str)
    return [
        {
            "keys": None if keys is None else list(keys),
            "column": column,
            "before": before.get((keys, column)),
            "after": after.get((keys, column)),
        }
        for keys, column in places
        if before.get((keys, column)) != after.get((keys, column))
    ]


def _by_place(document: Mapping[str, Any]) -> dict[tuple[tuple[str | None, ...] | None, str], Any]:
    found: dict[tuple[tuple[str | None, ...] | None, str], Any] = {
        (None, column): value for column, value in document["totals"].items()
    }
    for row in document["rows"]:
        if isinstance(row, list):  # a line of a list: it is there or it is not
            found[tuple(row), "row"] = 1
        else:
            found.update({(tuple(row["keys"]), column): value for column, value in row["cells"].items()})
    return found


def _cells(
    connection: Connection, on: Ground, form: Form, period: Period
) -> tuple[list[tuple[tuple[str | None, ...], dict[str, Any]]], dict[str, Any]]:
    columns = {column.name: column for column in form.columns}
    rows: dict[tuple[str | None, ...], dict[str, Any]] = {}
    totals: dict[str, Any] = {}
    for keys, col, *numbers, is_total in _fetch(connection, on, form, period, "cells", {}):
        value = _value(columns[col], numbers)
        if is_total:
            totals[col] = value
        else:
            rows.setdefault(tuple(keys), {})[col] = value
    codes = on.tables.codes

    def place(row: tuple[tuple[str | None, ...], object]) -> list[tuple[bool, int, str]]:
        return [key.place(code, codes) for key, code in zip(form.rows, row[0], strict=True)]

    return sorted(rows.items(), key=place), totals


def _labels(on: Ground, form: Form, rows: Sequence[tuple[str | None, ...]]) -> dict[str, dict[str, str]]:
    """What the book's tables of then called the codes that stand in the rows: a document needs no other file to be read."""
    found: dict[str, dict[str, str]] = {}
    for number, key in enumerate(form.rows):
        told = {code: key.label(code, on.tables.codes) for code in dict.fromkeys(row[number] for row in rows) if code}
        found[key.name] = {code: label for code, label in told.items() if label is not None}
    return found


def _without_place(connection: Connection, on: Ground, form: Form, period: Period) -> list[dict[str, Any]]:
    """The codes that the standard has no place for: counted in the rows of what is not known, and named so."""
    fields = [field for place, field in PLACED.items() if place in form.query]
    if not fields:
        return []
    found = []
    for field, scheme, code, number in _fetch(connection, on, form, period, "without_place", {"fields": fields}):
        coded = on.tables.codes.get(table_of(field, scheme), {}).get(code)
        label = None if coded is None else f"{coded.zh} {coded.en}"
        found.append({"field": field, "scheme": scheme, "code": code, "label": label, "complaints": number})
    return found


def _value(column: Column, numbers: Sequence[Any]) -> int | float | None:
    count, total, mean, median = numbers
    match column.kind:
        case "count":
            return int(count)
        case "sum":
            return int(total or 0)
        case "share":
            return None if mean is None else round(mean, 6)
        case "median":
            return None if median is None else round(median, 6)
        case "text":
            raise AssertionError("a list has no cells to count")


def _lines(
    connection: Connection, on: Ground, form: Form, period: Period
) -> Iterator[tuple[UUID, Sequence[str | None]]]:
    after: UUID | None = None
    while True:
        page = _fetch(
            connection,
            on,
            form,
            period,
            "lines",
            {"after": None if after is None else str(after), "rows_max": LINES_PER_PAGE},
        )
        yield from page
        if len(page) < LINES_PER_PAGE:
            return
        after = page[-1][0]


def _fetch(
    connection: Connection, on: Ground, form: Form, period: Period, query: str, more: Mapping[str, object]
) -> list[tuple[Any, ...]]:
    within_range(period.begins_on, period.ends_on)
    working = list(_working(on.calendar, period))
    statement, parameters = grounded(on, form.query, _SQL[query], [period], ("keys", "col", "complaint_id", "value"))
    days = {"zone": on.calendar.zone, "working_begin": [a for a, _ in working], "working_end": [b for _, b in working]}
    with connection.cursor() as cursor:
        cursor.execute(statement, {**parameters, **days, **more})
        return cursor.fetchall()


def _working(calendar: Calendar, period: Period) -> Iterator[tuple[Any, Any]]:
    day = period.begins_on - timedelta(days=30 * MONTHS_OF_WORKING_DAYS)
    while day <= period.ends_on + timedelta(days=20):
        if calendar.is_working_day(day):
            yield calendar.day_begins_at(day), calendar.day_begins_at(day + timedelta(days=1))
        day += timedelta(days=1)
