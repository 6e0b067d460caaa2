"""`history`, `worklist`: asks the projections and prints what they answer. Computes no figure of its own.

A projection is caught up first, so that what is printed holds everything that is recorded by then.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

import typer
from psycopg2.extensions import connection as Connection

from api.command import accounts, telling
from api.command.filling import calendar
from api.command.options import (
    AsJson,
    BookName,
    DatabaseUrl,
    DataFolder,
    WrongUse,
    read_place,
    settings_of,
)
from api.command.place import open_place, said_to_be_empty
from api.command.printing import out, print_json, say
from api.command.upkeep import catch_up
from api.moments import take_days_of
from ledger.circumstances import known_tables
from ledger.database.faults import RoleNotGranted
from ledger.database.roles import Role
from ledger.record.reading import events_after, head
from ledger.settings import Settings
from projections import history, worklist
from projections.asking import AsOf
from projections.policies import policies_at

AS_OF = "--as-of"

DEPARTMENTS_NAMED_MAX = 20
PAGES_LOOKED_AT_MAX = 20
"""Departments with open work are looked for among so many pages of the worklist, the soonest due."""


@contextmanager
def asking_of(settings: Settings, *projections: str, silent: bool) -> Iterator[Connection]:
    """A connection that may ask, once the projections have worked in everything that is recorded."""
    with open_place(settings) as target, closing(target.connect(Role.APPLICATION, autocommit=True)) as connection:
        head(connection, settings.book)  # raises NoSuchBook before anything is built
        for projection in projections:
            try:
                catch_up(target, settings.book, projection, silent=silent)
            except RoleNotGranted:  # an auditor's login may read and not write
                say(f"this login may not bring the projection {projection} forward: it is asked as far as it has come")
        take_days_of(policies_at(connection, settings.book))
        yield connection


def place_named(connection: Connection, book: str, as_of: str | None, option: str = AS_OF) -> AsOf:
    """What `--as-of` names, a day by its end; raises WrongUse for what the book has not reached."""
    if as_of is None:
        return None
    place = read_place(as_of, option)
    end = head(connection, book)
    if isinstance(place, int):
        if place > end.size:
            raise WrongUse(f"{option} {place}: the book {book} ends at position {end.size}")
        return place
    if not isinstance(place, datetime) and place == calendar().local_day(datetime.now(UTC)):
        return None  # today is known up to now
    if not isinstance(place, datetime):
        place = calendar().day_begins_at(place + timedelta(days=1)) - timedelta(microseconds=1)
    now = datetime.now(UTC)
    if place > max(now, end.recorded_at or now):  # the server's clock may be ahead of ours
        raise WrongUse(
            f"{option} {as_of}: that moment has not come yet: it is only {calendar().local(now).isoformat(timespec='seconds')}; "
            f"leave {option} out for what is known now"
        )
    return place


def before_the_first(connection: Connection, book: str) -> str:
    """What to tell somebody who asks for a place before the book's first fact: when that was recorded."""
    first = events_after(connection, book, 0, 1)
    if not first:
        return f"the book {book} is empty"
    began = telling.happened(first[0].recorded_at, calendar())
    return (
        f"nothing was recorded in the book {book} by then: its first fact was recorded at position 1, on {began} "
        f"({calendar().zone})"
    )


def complaint_history(
    complaint: Annotated[
        str, typer.Argument(metavar="COMPLAINT", help="Its id, its reference number, or another body's.")
    ],
    as_of: Annotated[
        str | None,
        typer.Option(
            AS_OF,
            metavar="POSITION|DAY|TIME",
            help="As the book was known there, or when that day ended. [default: now]",
        ),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Print at most so many facts.")] = 1_000,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Tell one complaint's history 投诉历史: what happened, who did it, when, and when it was recorded.

    Personal values are not shown: they are in the vault, and the history holds their digests. What was
    recorded up to now is worked in first.
    """
    settings = settings_of(database, data, book)
    with asking_of(settings, history.PROJECTION.name, silent=as_json) as connection:
        place = place_named(connection, settings.book, as_of)
        complaint_id = complaint_named(connection, settings.book, complaint, place)
        found, lines = history_lines(connection, settings.book, complaint_id, place, limit)
        labels = policies_at(connection, settings.book, found.position).clock_labels
        tables = known_tables(connection, settings.book)
    if as_json:
        print_json(
            {
                "book": found.book,
                "complaint_id": found.complaint_id,
                "position": found.position,
                "lines": [line._asdict() for line in lines],
                "more": found.next_cursor is not None,
            }
        )
    else:
        console = out()
        for part in telling.told(found, lines, calendar(), tables, labels):
            console.print(part, soft_wrap=isinstance(part, str))
    if found.next_cursor is not None:
        say(f"there is more after position {lines[-1].position:,}: ask with a higher --limit")


def complaint_named(connection: Connection, book: str, complaint: str, place: AsOf) -> UUID:
    """The one complaint that is meant; raises WrongUse where there is none, or several."""
    found = history.find(connection, book, complaint, as_of=place)
    if not found:
        raise WrongUse(
            said_to_be_empty(connection, book)
            or (None if place is None else _known_later(connection, book, complaint, place))
            or f"no complaint {complaint!r} is known in the book {book}: `complaint-ledger worklist` lists ids and references"
        )
    if len(found) > 1:
        ids = ", ".join(str(each) for each in found[:5])
        raise WrongUse(f"{len(found)} complaints bear the reference {complaint!r}: name one by its id ({ids})")
    return found[0]


def _known_later(connection: Connection, book: str, complaint: str, place: int | datetime) -> str | None:
    """What to tell somebody who asks for a complaint as of too early a place; None where it is not known now either."""
    known = history.find(connection, book, complaint)
    if not known:
        return None
    when = f"position {place:,}" if isinstance(place, int) else telling.happened(place, calendar())
    if history.find(connection, book, str(known[0]), as_of=place):
        return f"nobody called a complaint {complaint!r} as of {when} yet: ask for it by its id {known[0]}"
    first = history.of(connection, book, known[0], rows_max=1).lines[0]
    return (
        f"no complaint {complaint!r} was known in the book {book} as of {when}: its first fact was recorded at "
        f"position {first.position:,}, on {telling.happened(first.recorded_at, calendar())} ({calendar().zone})"
    )


def history_lines(
    connection: Connection, book: str, complaint_id: UUID, place: AsOf, limit: int
) -> tuple[history.History, list[history.Line]]:
    """The last page that was asked for, and the lines of all pages up to the limit, as of one position."""
    lines: list[history.Line] = []
    cursor = None
    while True:
        rows_max = min(history.ROWS_MAX, limit - len(lines))
        page = history.of(connection, book, complaint_id, as_of=place, rows_max=rows_max, cursor=cursor)
        lines += page.lines
        if page.next_cursor is None or len(lines) >= limit:
            return page, lines
        place, cursor = page.position, page.next_cursor


def open_complaints(
    department: Annotated[str | None, typer.Option(help="Only what this department has.")] = None,
    assignee: Annotated[str | None, typer.Option(help="Only what this member of staff has.")] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=worklist.ROWS_MAX, help="List at most so many complaints.")
    ] = 20,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """List what is open 待办清单: for whom, and due when, the soonest first.

    What was recorded up to now is worked in first.
    """
    settings = settings_of(database, data, book)
    only = None if department is None else [department]
    with asking_of(settings, worklist.PROJECTION.name, silent=as_json) as connection:
        page = worklist.page(connection, settings.book, departments=only, assignee=assignee, rows_max=limit)
        labels = policies_at(connection, settings.book, page.position).clock_labels
        tables = known_tables(connection, settings.book).now
        nothing = None if page.tasks else _nothing_open(connection, settings.book, department, assignee)
        unlimited, reopened = worklist.without_limit(
            connection, settings.book, department=department, assignee=assignee
        )
    if as_json:
        print_json(accounts.worklist_document(page))
    else:
        out().print(accounts.worklist_table(page, calendar(), labels, datetime.now(UTC), tables))
    if nothing is not None:
        say(nothing)
    if unlimited:
        say(
            f"no limit runs for {unlimited:,} of what is open ({reopened:,} reopened): these stand at the end of the list"
        )
    if page.next_cursor is not None:
        say(
            f"there are more: ask with a higher --limit (at most {worklist.ROWS_MAX}), or by --department or --assignee"
        )


def _nothing_open(connection: Connection, book: str, department: str | None, assignee: str | None) -> str:
    """Why the worklist is empty, and what would not be."""
    empty = said_to_be_empty(connection, book)
    if empty is not None:
        return empty
    if department is None:
        return f"nothing is open{'' if assignee is None else f' for {assignee}'} in the book {book}"
    if assignee is not None and worklist.page(connection, book, departments=[department], rows_max=1).tasks:
        return f"the department {department} has open complaints, but {assignee} has none of them"
    busy, all_seen = _departments(connection, book)
    if not busy:
        return f"the department {department} has no open complaint, nor has any other"
    named = ", ".join(busy[:DEPARTMENTS_NAMED_MAX])
    more = "" if all_seen and len(busy) <= DEPARTMENTS_NAMED_MAX else ", and there are more"
    return f"the department {department} has no open complaint; these have (write the whole name): {named}{more}"


def _departments(connection: Connection, book: str) -> tuple[list[str], bool]:
    """The departments that have open complaints, by name, and whether all open complaints were looked at."""
    found: set[str] = set()
    cursor = None
    for _ in range(PAGES_LOOKED_AT_MAX):
        page = worklist.page(connection, book, rows_max=worklist.ROWS_MAX, cursor=cursor)
        found |= {task.department for task in page.tasks if task.department}
        cursor = page.next_cursor
        if cursor is None:
            break
    return sorted(found), cursor is None
