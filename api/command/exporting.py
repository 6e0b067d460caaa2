"""`export`: writes complaints in forms that auditors' tools read. Computes nothing."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from csv import writer
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryFile
from typing import IO, Annotated, Any
from xml.sax.saxutils import quoteattr

import orjson
import typer
from psycopg2.extensions import connection as Connection

from api.command import reading
from api.command.books import print_line
from api.command.options import AsJson, BookName, DatabaseUrl, DataFolder, WrongUse, settings_of
from api.command.place import open_ledger, open_place
from api.command.printing import print_json, progress
from api.moments import take_days_of
from ledger.complaint.events import COMPLAINT_NAMES
from ledger.database.roles import Role
from ledger.proof.checkpoints import Checkpoints, NoSuchCheckpoint, first_covering
from ledger.proof.exporting import Fact, complaints_facts
from ledger.record.entry import instant
from ledger.record.reading import head, position_at
from ledger.timekeeping.events import TIMEKEEPING_NAMES
from projections.policies import policies_at

PARQUET_MEMORY = "256MB"


class Form(StrEnum):
    """What process mining, a spreadsheet and a data frame read."""

    CSV = "csv"
    PARQUET = "parquet"
    XES = "xes"
    OCEL = "ocel"


AsOfOption = Annotated[
    str | None, typer.Option("--as-of", metavar="POSITION|DAY|TIME", help="As the book was known there. [default: now]")
]


def export(
    form: Annotated[Form, typer.Argument(metavar="FORM", help="csv, parquet, xes or ocel (OCEL 2.0 in JSON).")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Written here; the checkpoint stands beside it.")],
    as_of: AsOfOption = None,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Export every complaint's history, for tools that auditors have 导出, with the checkpoint that it belongs to.

    Personal values stand in it as digests. The checkpoint is in FILE.checkpoint, and covers all that is exported.
    Deadlines that approached, were missed or issued anew stand among the events of their complaint.
    """
    settings = settings_of(database, data, book)
    with (
        open_place(settings) as target,
        open_ledger(target, settings) as ledger,
        closing(target.connect(Role.APPLICATION, autocommit=True)) as connection,
    ):
        position = position_named(connection, settings.book, as_of)
        try:
            under = first_covering(connection, settings.book, position)
        except NoSuchCheckpoint:
            under = Checkpoints(ledger, target, settings.signing_key).make() or under_nothing(settings.book)
        with progress("complaints") as advance:
            facts = _counted(complaints_facts(connection, settings.book, position), advance)
            WRITERS[form](out, facts, under.note.text)
    out.with_name(out.name + ".checkpoint").write_bytes(under.written())
    with out.open("rb") as file:
        digest = sha256()
        while piece := file.read(1 << 20):
            digest.update(piece)
    if as_json:
        checkpoint = f"{out.name}.checkpoint"
        print_json({"file": str(out), "position": position, "sha256": digest.hexdigest(), "checkpoint": checkpoint})
        return
    print_line(f"{out} as of position {position:,}, sha256 {digest.hexdigest()}; checkpoint in {out.name}.checkpoint")


def under_nothing(book: str) -> Any:
    """An empty book has no checkpoint."""
    raise WrongUse(f"the book {book} is empty: there is nothing to export")


def position_named(connection: Connection, book: str, as_of: str | None) -> int:
    """The position that `--as-of` means, the last one by default; raises WrongUse for an empty beginning.

    From here on days are those of the book's published calendar.
    """
    take_days_of(policies_at(connection, book))
    place = reading.place_named(connection, book, as_of)
    if place is None:
        place = head(connection, book).size
    position = position_at(connection, book, place) if isinstance(place, datetime) else place
    if position < 1:
        raise WrongUse(reading.before_the_first(connection, book))
    return position


def _counted(complaints: Iterable[list[Fact]], advance: Callable[[int], None]) -> Iterator[list[Fact]]:
    for count, facts in enumerate(complaints, start=1):
        yield facts
        if count % 500 == 0:
            advance(count)


COLUMNS = (
    *("position", "recorded_at", "complaint_id", "version", "name", "stage", "happened_at"),
    *("done_by", "recorded_by", "command", "details"),
)


def _cells(fact: Fact) -> tuple[object, ...]:
    happened = None if fact.happened_at is None else instant(fact.happened_at)
    details = orjson.dumps(fact.details).decode()
    return (
        *(fact.position, instant(fact.recorded_at), str(fact.complaint_id), fact.version, fact.name, fact.stage),
        *(happened, fact.done_by, fact.recorded_by, fact.command, details),
    )


def _write_csv(out: Path, complaints: Iterable[list[Fact]], _checkpoint: str) -> None:
    with out.open("w", encoding="utf-8-sig", newline="") as file:  # the mark tells a spreadsheet that it is UTF-8
        rows = writer(file)
        rows.writerow(COLUMNS)
        for facts in complaints:
            rows.writerows([["" if cell is None else _no_formula(cell) for cell in _cells(fact)] for fact in facts])


def _no_formula(cell: object) -> object:
    """A text that a spreadsheet would compute is marked as text."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in {"=", "+", "-", "@"} else cell


def _write_parquet(out: Path, complaints: Iterable[list[Fact]], checkpoint: str) -> None:
    """Through lines of JSON in a temporary file: DuckDB reads and writes in bounded memory."""
    try:
        import duckdb  # noqa: PLC0415 - large, and needed for this one form
    except ImportError:
        raise WrongUse("for Parquet install duckdb: pip install 'complaint-ledger[parquet]'; or export csv") from None
    kinds = {name: "BIGINT" if name in {"position", "version"} else "VARCHAR" for name in COLUMNS}
    with NamedTemporaryFile("wb", suffix=".json", dir=out.parent) as lines:
        for facts in complaints:
            for fact in facts:
                lines.write(orjson.dumps(dict(zip(COLUMNS, _cells(fact), strict=True))) + b"\n")
        lines.flush()
        with duckdb.connect(":memory:") as database:
            database.execute(f"SET memory_limit = '{PARQUET_MEMORY}'")
            columns = ", ".join(f"{name}: '{kind}'" for name, kind in kinds.items())
            database.execute(
                f"COPY (SELECT * FROM read_json({_sql(lines.name)}, format = 'newline_delimited', columns = {{{columns}}}))"  # noqa: S608 - two quoted names of files and our own columns
                f" TO {_sql(str(out))} (FORMAT parquet, KV_METADATA {{checkpoint: {_sql(checkpoint)}}})"
            )


def _sql(text: str) -> str:
    """A text as DuckDB's COPY takes it, which has no parameters in these places."""
    return "'" + text.replace("'", "''") + "'"


def _write_xes(out: Path, complaints: Iterable[list[Fact]], checkpoint: str) -> None:
    """IEEE 1849: a trace for each complaint, an event for each fact, in the order of the times at which they happened.

    So what was recorded late, or by the timekeeper, stands where it belongs in the course of things.
    """
    with out.open("w", encoding="utf-8") as file:
        file.write(
            '<?xml version="1.0" encoding="UTF-8"?>\n<log xes.version="1849-2016" xmlns="http://www.xes-standard.org/">\n'
        )
        for name, prefix in (("Concept", "concept"), ("Time", "time"), ("Organizational", "org")):
            file.write(
                f'<extension name="{name}" prefix="{prefix}" uri="http://www.xes-standard.org/{prefix}.xesext"/>\n'
            )
        # by which a tool tells events apart: by the stage of the manuals' process, or by the fact
        file.write(
            '<classifier name="Stage 阶段" keys="ledger:stage"/>\n<classifier name="Fact 事项" keys="concept:name"/>\n'
        )
        file.write(_xes("string", "ledger:checkpoint", checkpoint))
        for facts in complaints:
            file.write("<trace>\n" + _xes("string", "concept:name", str(facts[0].complaint_id)))
            for at, _, fact in sorted((each.happened_at or each.recorded_at, each.position, each) for each in facts):
                file.write(
                    "<event>"
                    + _xes("string", "concept:name", fact.name)
                    + _xes("string", "ledger:stage", fact.stage)
                    + _xes("date", "time:timestamp", instant(at))
                    + (_xes("string", "org:resource", fact.done_by) if fact.done_by else "")
                    + _xes("int", "ledger:position", str(fact.position))
                    + _xes("date", "ledger:recorded_at", instant(fact.recorded_at))
                    + "</event>\n"
                )
            file.write("</trace>\n")
        file.write("</log>\n")


def _xes(kind: str, key: str, value: str) -> str:
    return f"<{kind} key={quoteattr(key)} value={quoteattr(value, {chr(10): '&#10;'})}/>"


def _write_ocel(out: Path, complaints: Iterable[list[Fact]], checkpoint: str) -> None:
    """OCEL 2.0 in JSON: complaints and members of staff are the objects; events first, since objects follow from them."""
    staff: set[str] = set()
    with out.open("wb") as file, TemporaryFile() as objects:
        types = [{"name": name, "attributes": _OCEL_EVENT} for name in sorted({**COMPLAINT_NAMES, **TIMEKEEPING_NAMES})]
        file.write(b'{"eventTypes":' + orjson.dumps(types))
        kinds: list[dict[str, object]] = [{"name": name, "attributes": []} for name in ("complaint", "staff")]
        kinds.append({"name": "checkpoint", "attributes": [{"name": "note", "type": "string"}]})
        file.write(b',"objectTypes":' + orjson.dumps(kinds) + b',"events":[')
        between = b"\n"
        for facts in complaints:
            objects.write(b",\n" + orjson.dumps(_object("complaint", str(facts[0].complaint_id))))
            for fact in facts:
                file.write(between + orjson.dumps(_ocel_event(fact)))
                between = b",\n"
                if fact.done_by:
                    staff.add(fact.done_by)
        note = {"name": "note", "value": checkpoint, "time": "1970-01-01T00:00:00Z"}
        file.write(b'\n],"objects":[\n' + orjson.dumps(_object("checkpoint", "checkpoint", note)))
        for each in sorted(staff):
            file.write(b",\n" + orjson.dumps(_object("staff", f"staff:{each}")))
        _copied(objects, file)
        file.write(b"\n]}\n")


_OCEL_EVENT = [
    {"name": "position", "type": "integer"},
    {"name": "stage", "type": "string"},
    {"name": "recorded_at", "type": "time"},
]


def _object(kind: str, name: str, *attributes: dict[str, str]) -> dict[str, object]:
    return {"id": name, "type": kind, "attributes": list(attributes), "relationships": []}


def _ocel_event(fact: Fact) -> dict[str, object]:
    related = [{"objectId": str(fact.complaint_id), "qualifier": "of"}]
    if fact.done_by:
        related.append({"objectId": f"staff:{fact.done_by}", "qualifier": "by"})
    return {
        "id": f"position:{fact.position}",
        "type": fact.name,
        "time": instant(fact.happened_at or fact.recorded_at),
        "attributes": [
            {"name": "position", "value": fact.position},
            {"name": "stage", "value": fact.stage},
            {"name": "recorded_at", "value": instant(fact.recorded_at)},
        ],
        "relationships": related,
    }


def _copied(source: IO[bytes], target: IO[bytes]) -> None:
    source.seek(0)
    while piece := source.read(1 << 20):
        target.write(piece)


WRITERS: dict[Form, Callable[[Path, Iterable[list[Fact]], str], None]] = {
    Form.CSV: _write_csv,
    Form.PARQUET: _write_parquet,
    Form.XES: _write_xes,
    Form.OCEL: _write_ocel,
}
