"""The pages on the process, held against the program: every name there is, and every fact has its place."""

import importlib
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import ledger
from api.catalogue import STEPS, catalogue
from api.command.telling import SENTENCES
from api.problems import KINDS
from api.recording import COMMANDS
from ledger.complaint.events import COMPLAINT_NAMES
from ledger.complaint.stages import STAGES, stage_of
from ledger.event import Event
from ledger.names import STORED_NAMES
from ledger.tables.table import built_in_tables
from projections.complaints import BREAKDOWN, TASK, Situation, situation_after, standing_after
from projections.pending import NOTHING
from tests.complaint.story import fact

DOCS = Path(__file__).parents[2] / "docs"
PROCESS = (DOCS / "process.md").read_text(encoding="utf-8")

LINES = (
    *("receipt", "receipt: transferred", "receipt: on behalf", "receipt: group", "receipt: about what"),
    *("receipt: earlier ones", "registration", "first reply", "classification", "severity", "severity: regrade"),
    *("severity: urgent", "severity: exercised plans", "severity: team", "assignment", "assignment: conflict"),
    *("preliminary check", "investigation", "investigation: evidence", "investigation: assistance"),
    *("investigation: root cause", "investigation: outside", "solution", "solution: compensation", "escalation"),
    *("deadline moved", "decision", "decision: elsewhere", "reply", "reply: in writing", "satisfaction", "follow-up"),
    *("review", "dispute", "dispute: routes", "reopening", "reopening: repeats", "withdrawal", "repair", "closing"),
    *("archive", "not a complaint", "amendment", "what is to be done", "history", "tables: own", "tables: category"),
    *("tables: issue", "tables: cause", "tables: compensation", "tables: JR/T channel", "tables: JR/T business"),
    *("tables: JR/T reason", "tables: mapping", "tables: outcome, root cause", "tables: routing"),
)
"""Each line of the manuals on a complaint and its code tables: none may lose what serves it."""


def rows() -> dict[str, list[str]]:
    """Each line of the page with what serves it."""
    found = re.findall(r"^\| ([^|]+) \| [^|]+ \| ([^|]+) \|$", PROCESS, re.MULTILINE)
    return {line: re.findall(r"`([^`]+)`", served) for line, served in found if line not in ("line", "---")}


def test_every_line_of_the_process_is_served() -> None:
    assert tuple(rows()) == LINES
    assert all(rows().values())


@pytest.mark.parametrize("line", LINES)
def test_what_serves_a_line_is_there(line: str) -> None:
    for served in rows()[line]:
        kind, _, name = served.partition(" ")
        if kind == "table":
            assert name in built_in_tables()
        elif kind == "refused:":
            assert name in KINDS
        elif kind == "GET":
            assert f'"{name}"' in questions()
        else:
            assert served in STORED_NAMES


def questions() -> str:
    """The sources of the routes, in which every path stands as it is served."""
    folder = DOCS.parent / "api"
    return "".join((folder / name).read_text(encoding="utf-8") for name in ("asking.py", "evidence.py"))


def test_every_fact_of_a_complaint_serves_a_line_and_stands_in_one_stage() -> None:
    serving = {served for each in rows().values() for served in each}
    assert set(COMPLAINT_NAMES) <= serving
    staged = Counter(name for stage in STAGES.values() for name in stage.names)
    assert staged == Counter(COMPLAINT_NAMES.keys())
    assert stage_of("reply-sent").en == "Decision and reply"


def test_the_catalogue_is_that_of_the_program() -> None:
    """Written anew with `python -m api.catalogue > docs/catalogue.md`."""
    assert (DOCS / "catalogue.md").read_text(encoding="utf-8") == "\n".join(catalogue()).rstrip() + "\n"


def test_the_catalogue_names_every_event_and_every_command() -> None:
    page = (DOCS / "catalogue.md").read_text(encoding="utf-8")
    assert not [name for name in STORED_NAMES if f"### `{name}`" not in page]
    assert not [route.path for route in COMMANDS if f"`{route.path}`" not in page]


def tables_of_names() -> Iterator[dict[str, type[Event]]]:
    source = Path(ledger.__path__[0], "names.py").read_text(encoding="utf-8")
    for module, names in re.findall(r"^from (ledger\.\S+) import (.+)$", source, re.MULTILINE):
        for name in names.split(", "):
            if name.endswith("_NAMES"):
                yield getattr(importlib.import_module(module), name)


def test_a_stored_name_stands_for_one_class_and_a_class_has_one_name() -> None:
    names = [name for table in tables_of_names() for name in table]
    assert Counter(names) == Counter(STORED_NAMES.keys())
    assert len({event for table in tables_of_names() for event in table.values()}) == len(names)
    commands = [route.command.__name__ for route in COMMANDS]
    assert len(set(commands)) == len(commands), "the description knows a command by the name of its class"


def test_the_drawing_shows_where_each_fact_takes_a_complaint() -> None:
    for step in STEPS:
        begin = Situation(stage=None if step.begin == "[*]" else step.begin)
        assert situation_after(begin, fact(step.name)).stage == step.end, step
    moving = {
        name
        for name in COMPLAINT_NAMES
        if name not in ("fact-annulled", "fact-corrected")
        if situation_after(Situation(stage="nowhere"), fact(name)).stage != "nowhere"
    }
    assert moving == {step.name for step in STEPS}


def test_a_fold_reads_every_fact_that_changes_what_it_writes() -> None:
    """What a fold does not read it does not even parse: so nothing may be missing among what it reads."""
    stands = Situation(stage="nowhere", is_open=True, pending=NOTHING.with_("register", "archive", "obtain-evidence"))
    for name, kind in COMPLAINT_NAMES.items():
        if name in ("fact-annulled", "fact-corrected"):
            continue
        for begin in (Situation(), stands):
            known = situation_after(begin, fact(name))
            assert kind in TASK.kinds or known == begin, name
            told = standing_after(begin, fact(name))._replace(stage=begin.stage)
            assert kind in BREAKDOWN.kinds or told == begin, name


def test_every_fact_has_its_sentence() -> None:
    assert set(COMPLAINT_NAMES) <= set(SENTENCES)
