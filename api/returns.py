"""Returns over HTTP: what was sent, what is due, a document as it was sent, and a cell opened. Nothing is computed here.

Complaints and events bear the names here that they have for the receiver: no position and no stream is given out.
"""

import base64
import hashlib
from datetime import UTC, date, datetime
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from psycopg2.extensions import connection as Connection

from api import return_answers as answers
from api.answers import answer
from api.asking import PAGE_DEFAULT, PROJECTION, After, Asker, AsOf, AtLeast, Limit
from api.description import question_description
from api.moments import house_calendar
from api.refusals import NoSuchCell, NoSuchSubmission
from api.return_routes import ONE
from ledger.command import Day
from ledger.event import Code
from ledger.returns.commands import ReturnCommand
from ledger.returns.refusals import PeriodReversed
from ledger.vault.keys import SubjectKeys
from projections.asking import Asked, BadCursor, Cursor, asked, reached
from projections.indicators.asking import READ, events_of, ground
from projections.indicators.periods import DayOutOfRange, Period
from projections.returns import documents, sent
from projections.returns.asking import Pseudonyms, cases, key_name, written
from projections.returns.calendar import calendar
from projections.returns.cells import Cell, Cells, in_places
from projections.returns.definitions import NoSuchReturn, form_named, forms
from projections.returns.documents import DocumentNotReproduced
from projections.returns.sent import Submission
from projections.returns.writing import as_csv, as_xlsx

Kind = Literal["json", "csv", "xlsx"]
MEDIA: dict[Kind, str] = {
    "json": "application/json",
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
As = Annotated[Kind, Query(alias="as", description="The document itself, or the same figures for Excel.")]
Name = Annotated[Code, Path(description="Of the return, such as `jrt-0169`.")]
Receiver = Annotated[Code, Path(description="Who receives it, such as `pboc`.")]
Begins = Annotated[Day, Path(description="The first day of its period.")]
Ends = Annotated[Day, Path(description="The last day of its period.")]


def names_for(keys: SubjectKeys, book: str, receiver: str) -> Pseudonyms:
    """The names that complaints and events have for a receiver, and for nobody else."""
    return Pseudonyms(keys.secret(key_name(book, receiver)))


def router(asker: Asker, keys: SubjectKeys) -> APIRouter:
    """Every question about returns, bound to a book."""
    routes = asker.routes()
    _add_lists(routes, asker)
    _add_documents(routes, asker, keys)
    _add_cells(routes, asker, keys, Cells())
    return routes


def _add_lists(routes: APIRouter, asker: Asker) -> None:
    projection = sent.PROJECTION.name

    @routes.get("/returns", **question_description(answers.ReturnsSent, *PROJECTION, BadCursor))
    async def returns_sent(
        request: Request,
        at_least: AtLeast,
        name: Annotated[Code | None, Query()] = None,
        receiver: Annotated[Code | None, Query(description="A regulator's token has to name one of its own.")] = None,
        limit: Limit = PAGE_DEFAULT,
        cursor: After = None,
    ) -> Response:
        """What was sent, to whom, for which period, and what became of it."""
        found = await asker.ask_projection(
            projection, at_least, sent.page, name, receiver, rows_max=limit, cursor=cursor
        )
        return answer(answers.ReturnsSent, found, to=request)

    @routes.get("/returns/forms", **question_description(answers.ReturnForms))
    async def return_forms() -> Response:
        """The returns that can be made, with their counting rules and queries."""
        return answer(answers.ReturnForms, {"forms": list(forms().values())})

    @routes.get("/returns/calendar", **question_description(answers.ReturnsDue, *PROJECTION))
    async def returns_due(at_least: AtLeast) -> Response:
        """What is due when, and what is late."""
        house = house_calendar()
        found = await asker.ask_projection(projection, at_least, calendar, house.local_day(datetime.now(UTC)), house)
        return answer(answers.ReturnsDue, {"returns": found})

    @routes.get(ONE, **question_description(answers.ReturnNow, *PROJECTION))
    async def return_now(
        request: Request, name: Name, receiver: Receiver, begins_on: Begins, ends_on: Ends, at_least: AtLeast
    ) -> Response:
        """One return to one receiver for one period: its submissions, and what was asked about them."""
        return_id = _return_id(name, receiver, begins_on, ends_on)
        found = await asker.ask_projection(projection, at_least, _now, return_id)
        return answer(answers.ReturnNow, found, to=request)


def _add_documents(routes: APIRouter, asker: Asker, keys: SubjectKeys) -> None:
    def names(receiver: str) -> Pseudonyms:
        return names_for(keys, asker.ledger.book, receiver)

    @routes.get(f"{ONE}/draft", **_file(*PROJECTION, NoSuchReturn, PeriodReversed, DayOutOfRange))
    async def return_draft(
        name: Name,
        receiver: Receiver,
        begins_on: Begins,
        ends_on: Ends,
        at_least: AtLeast,
        as_of: AsOf = None,
        kind: As = "json",
    ) -> Response:
        """The document as it would be sent now, computed at one position. Nothing is recorded."""
        if ends_on < begins_on:
            raise PeriodReversed
        for each in READ:
            await asker.ask_projection(each, at_least, reached, each)
        period = Period(begins_on, ends_on)
        return _written(await asker.ask(_draft, name, receiver, period, names(receiver), as_of), kind)

    @routes.get(
        f"{ONE}/submissions/{{submission_id}}",
        **_file(*PROJECTION, NoSuchReturn, NoSuchSubmission, DocumentNotReproduced),
    )
    async def return_document(
        name: Name,
        receiver: Receiver,
        begins_on: Begins,
        ends_on: Ends,
        submission_id: UUID,
        at_least: AtLeast,
        kind: As = "json",
    ) -> Response:
        """A document as it was sent, byte by byte, or the same figures as CSV or a workbook."""
        return_id = _return_id(name, receiver, begins_on, ends_on)
        found = await asker.ask_projection(
            sent.PROJECTION.name, at_least, _as_sent, return_id, submission_id, names(receiver)
        )
        return _written(found, kind)


def _add_cells(routes: APIRouter, asker: Asker, keys: SubjectKeys, cells: Cells) -> None:
    @routes.get(
        f"{ONE}/submissions/{{submission_id}}/cell",
        **question_description(
            answers.ReturnCell,
            *PROJECTION,
            *(NoSuchReturn, NoSuchSubmission, NoSuchCell, DocumentNotReproduced, BadCursor),
        ),
    )
    async def return_cell(
        name: Name,
        receiver: Receiver,
        begins_on: Begins,
        ends_on: Ends,
        submission_id: UUID,
        at_least: AtLeast,
        column: Annotated[str, Query(max_length=100)],
        key: Annotated[
            list[Annotated[str, Query(max_length=200)]] | None,
            Query(
                description="The keys of the row, in their order, empty: not known; none at all: the column's total."
            ),
        ] = None,
        limit: Limit = PAGE_DEFAULT,
        cursor: After = None,
    ) -> Response:
        """The complaints behind a cell and their events, as known when it was computed, under this receiver's names."""
        return_id = _return_id(name, receiver, begins_on, ends_on)
        where = (column, None if key is None else [each or None for each in key])
        names = names_for(keys, asker.ledger.book, receiver)
        found = await asker.ask_projection(
            sent.PROJECTION.name, at_least, _cell, cells, return_id, submission_id, names, where, limit, cursor
        )
        return answer(answers.ReturnCell, found)


def _file(*refusals: type[Any]) -> dict[str, Any]:
    described = question_description(answers.ReturnNow, *refusals)
    described["responses"][200] = {
        "description": "The document, or the same figures for Excel.",
        "content": {
            MEDIA["json"]: {"schema": {"type": "object"}},
            MEDIA["csv"]: {"schema": {"type": "string"}},
            MEDIA["xlsx"]: {"schema": {"type": "string", "format": "binary"}},
        },
    }
    return described


WRITTEN = {"csv": as_csv, "xlsx": as_xlsx}


def _written(document: bytes, kind: Kind) -> Response:
    """The file, and by RFC 9530 its digest: of JSON, the one that was recorded; every time the same."""
    content = document if kind == "json" else WRITTEN[kind](documents.read(document))
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    return Response(content, 200, {"Repr-Digest": f"sha-256=:{digest}:"}, MEDIA[kind])


def _return_id(name: str, receiver: str, begins_on: date, ends_on: date) -> UUID:
    return ReturnCommand(name=name, receiver=receiver, begins_on=begins_on, ends_on=ends_on).return_id


def _now(connection: Connection, book: str, return_id: UUID) -> dict[str, Any]:
    return {
        "submissions": sent.submissions(connection, book, return_id=return_id),
        "questions": sent.questions(connection, book, return_id),
    }


def _draft(
    connection: Connection, book: str, name: str, receiver: str, period: Period, names: Pseudonyms, as_of: Any
) -> bytes:
    form = form_named(name)
    now = datetime.now(UTC) if as_of is None else None
    on = ground(connection, book, documents.calendar_of(form, house_calendar()), as_of=as_of, now=now)
    return written(documents.computed(connection, book, on, form, period, receiver, names))


def _as_sent(connection: Connection, book: str, return_id: UUID, submission_id: UUID, names: Pseudonyms) -> bytes:
    return documents.as_sent(
        connection, book, _submission(connection, book, return_id, submission_id), names, house_calendar()
    )


def _cell(
    connection: Connection,
    book: str,
    cells: Cells,
    return_id: UUID,
    submission_id: UUID,
    names: Pseudonyms,
    where: tuple[str, list[str | None] | None],
    rows_max: int,
    cursor: str | None,
) -> dict[str, Any]:
    column, keys = where
    name, number = Cursor.read(cursor, "cell", (str, int))
    submission = _submission(connection, book, return_id, submission_id)
    named = (book, submission_id, column, None if keys is None else tuple(keys))
    cell = cells.opened(named, partial(_opened, connection, book, submission, names, column, keys))
    page = cell.page(None if name is None or number is None else (name, number), rows_max)
    events = events_of(
        connection, _as_computed(connection, book, submission), [each.complaint_id for each in page.cases]
    )
    more = bool(page.places) and page.places[-1] != cell.places[-1]
    return {
        "submission_id": submission_id,
        "column": column,
        "keys": keys,
        "complaints": len(cell.places),
        "cases": [
            {
                "complaint": place[0],
                "value": case.value,
                "events": [names.of("event", event.position) for event in events[case.complaint_id]],
            }
            for place, case in zip(page.places, page.cases, strict=True)
        ],
        "next_cursor": Cursor.write("cell", page.places[-1]) if more else None,
    }


def _as_computed(connection: Connection, book: str, submission: Submission) -> Asked:
    """The place that a submission was computed at."""
    return asked(connection, book, READ[0], submission.known_at, None)


def _opened(
    connection: Connection,
    book: str,
    submission: Submission,
    names: Pseudonyms,
    column: str,
    keys: list[str | None] | None,
) -> Cell:
    """A whole cell, by the receiver's names. Raises NoSuchCell, DocumentNotReproduced. Costs what the return costs."""
    document = documents.read(documents.as_sent(connection, book, submission, names, house_calendar()))
    form, period, on = documents.as_stated(connection, book, document, house_calendar())
    columns, told_apart_by = [each.name for each in form.columns], [each.name for each in form.rows]
    if column not in columns or (keys is not None and len(keys) != len(told_apart_by)):
        raise NoSuchCell(columns, told_apart_by)
    if keys is not None and told_apart_by and not any(row["keys"] == keys for row in document["rows"]):
        raise NoSuchCell(columns, told_apart_by)
    return in_places(cases(connection, on, form, period, keys, column), names)


def _submission(connection: Connection, book: str, return_id: UUID, submission_id: UUID) -> Submission:
    found = sent.submissions(connection, book, return_id=return_id)
    for each in found:
        if each.submission_id == submission_id:
            return each
    raise NoSuchSubmission(submission_id)
