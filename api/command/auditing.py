"""`audit`: draws samples, tells what changed, lists what was found and the actions that it led to. Computes nothing."""

from collections.abc import Iterator
from contextlib import closing
from typing import Annotated, NamedTuple, cast
from uuid import UUID

import typer
from psycopg2.extensions import connection as Connection

from api.command import reading, telling
from api.command.books import print_line
from api.command.exporting import AsOfOption, position_named
from api.command.filling import calendar
from api.command.options import AsJson, BookName, DatabaseUrl, DataFolder, WrongUse, settings_of
from api.command.party_telling import WAITS_FOR
from api.command.place import open_place
from api.command.printing import out as console
from api.command.printing import print_json, say, table
from api.command.upkeep import catch_up
from ledger.audit.events import AUDIT_NAMES
from ledger.audit.rules import Finding
from ledger.circumstances import known_tables
from ledger.database.roles import Role
from ledger.proof.exporting import SAMPLE_MAX, sample
from ledger.record.envelope import opened
from ledger.record.reading import stream_events
from ledger.subjects import subject_named
from projections import history, timeline
from projections.policies import policies_at

audit_app = typer.Typer(help="Samples, comparisons and findings of an audit 审计.", no_args_is_help=True)

LINES_MAX = 10_000


class Found(NamedTuple):
    """A finding as it was known at a position."""

    finding_id: UUID
    state: Finding


@audit_app.command("findings")
def findings(
    complaint: Annotated[str, typer.Argument(metavar="COMPLAINT", help="Its id, or a reference number.")],
    as_of: AsOfOption = None,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """List what audits found in a complaint 审计发现, the corrective actions that it led to, and what it waits for.

    Findings are recorded over HTTP (`POST /audit-findings`); `complaint-ledger duties --kind finding` lists all open ones.
    """
    settings = settings_of(database, data, book)
    with open_place(settings) as target, closing(target.connect(Role.APPLICATION, autocommit=True)) as connection:
        for needed in (history.PROJECTION.name, timeline.PROJECTION.name):
            catch_up(target, settings.book, needed, silent=as_json)
        position = position_named(connection, settings.book, as_of)
        complaint_id = reading.complaint_named(connection, settings.book, complaint, position)
        found = list(_found(connection, settings.book, complaint_id, position))
    if as_json:
        listed = [
            {
                "finding_id": each.finding_id,
                "title": each.state.title,
                "level": each.state.level,
                "reported_by": each.state.reported_by,
                "reported_at": each.state.reported_at,
                "action_ids": each.state.action_ids,
                "waits_for": each.state.waits_for,
            }
            for each in found
        ]
        print_json({"complaint_id": complaint_id, "position": position, "findings": listed})
        return
    if not found:
        say(f"no audit found anything in it up to position {position:,}")
        return
    title = f"Findings 审计发现 in complaint {complaint_id}, as known at position {position:,}"
    rows = table(title, "reported", "who", "level", "what", "waits for", "actions", "id")
    for finding_id, state in found:
        rows.add_row(
            f"{calendar().local(state.reported_at):%Y-%m-%d %H:%M}" if state.reported_at else "–",
            state.reported_by or "–",
            str(state.level),
            state.title or "–",
            WAITS_FOR.get(state.waits_for or "", "closed 已关闭"),
            "\n".join(map(str, state.action_ids)) or "–",
            str(finding_id),
        )
    console().print(rows)


def _found(connection: Connection, book: str, complaint_id: UUID, position: int) -> Iterator[Found]:
    """The findings that name a complaint, each folded from its stream; one that was annulled is left out."""
    subject = subject_named("finding")
    cursor = None
    while True:
        page = timeline.of_complaint(connection, book, complaint_id, as_of=position, cursor=cursor)
        for stream_id in dict.fromkeys(line.subject_id for line in page.lines if line.name in AUDIT_NAMES):
            rows = stream_events(connection, book, stream_id, up_to_position=position)
            state = cast("Finding", subject.folded(subject.nothing, [opened(row).event for row in rows]))
            if state.reported_at is not None:
                yield Found(stream_id, state)
        cursor = page.next_cursor
        if cursor is None:
            return


@audit_app.command("sample")
def draw(
    size: Annotated[int, typer.Argument(min=1, max=SAMPLE_MAX, metavar="SIZE", help="How many complaints.")],
    seed: Annotated[
        str, typer.Option("--seed", help="Chosen by the auditor; the same seed draws the same complaints.")
    ],
    as_of: AsOfOption = None,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Draw complaints at random 抽样, so that the draw can be repeated and checked by anybody: by sha256 of "SEED ID"."""
    settings = settings_of(database, data, book)
    with open_place(settings) as target, closing(target.connect(Role.APPLICATION, autocommit=True)) as connection:
        position = position_named(connection, settings.book, as_of)
        drawn = sample(connection, settings.book, position, seed, size)
    if as_json:
        print_json({"book": settings.book, "position": position, "seed": seed, "complaint_ids": drawn})
        return
    for complaint in drawn:
        print_line(str(complaint))
    say(f"{len(drawn)} complaints of those received up to position {position:,}, drawn with the seed {seed!r}")


@audit_app.command("diff")
def difference(
    complaint: Annotated[str, typer.Argument(metavar="COMPLAINT", help="Its id, or a reference number.")],
    earlier: Annotated[str, typer.Argument(metavar="FROM", help="A position, a day (by its end) or a moment.")],
    later: Annotated[str, typer.Argument(metavar="TO", help="A later one.")],
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Tell what became known of a complaint between two dates 差异: new facts, and facts annulled or corrected since."""
    settings = settings_of(database, data, book)
    with open_place(settings) as target, closing(target.connect(Role.APPLICATION, autocommit=True)) as connection:
        catch_up(target, settings.book, history.PROJECTION.name, silent=as_json)
        first, last = (position_named(connection, settings.book, each) for each in (earlier, later))
        if last < first:
            raise WrongUse("TO lies before FROM: exchange them")
        found = reading.complaint_named(connection, settings.book, complaint, last)
        page, lines = reading.history_lines(connection, settings.book, found, last, LINES_MAX)
        _, before = reading.history_lines(connection, settings.book, found, first, LINES_MAX)
        tables = known_tables(connection, settings.book)
        labels = policies_at(connection, settings.book, last).clock_labels
    known = {line.version: line for line in before}
    new = [line for line in lines if known.get(line.version) != line]
    if as_json:
        print_json(
            {
                "complaint_id": found,
                "from": first,
                "to": last,
                "lines": [{**line._asdict(), "new": line.version not in known} for line in new],
            }
        )
        return
    if not new:
        say(f"nothing became known of it between positions {first:,} and {last:,}")
    for part in telling.told(page, new, calendar(), tables, labels):
        console().print(part, soft_wrap=isinstance(part, str))
