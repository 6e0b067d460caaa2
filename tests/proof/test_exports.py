"""Exports are read back by what auditors use; samples can be drawn again by hand; what became known is told."""

import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4
from xml.etree import ElementTree as ET

import duckdb
import pytest

from api.command.demo.complaints import year
from api.command.demo.fill import SEED, decided
from api.command.demo.hours import OfficeHours
from api.command.exporting import WRITERS, Form
from ledger.application import BulkRequest, Receipt
from ledger.complaint import commands as ask
from ledger.complaint.stages import STAGES
from ledger.deadlines.calendar import INSTANT, built_in_calendars
from ledger.names import NAME_OF
from ledger.proof.exporting import TIME_LABEL, complaints_facts, sample
from ledger.record.entry import instant
from ledger.record.reading import head
from tests.complaint.story import fact, fact_annulled
from tests.proof.conftest import RECEIVED_AT, Story

CHECKPOINT = "bank.example/main\n9\nroot\n"


def written(story: Story, form: Form, folder: Path) -> Path:
    out = folder / f"export.{form}"
    with story.connect() as connection:
        size = head(connection, story.book).size
        WRITERS[form](out, complaints_facts(connection, story.book, size), CHECKPOINT)
    return out


def test_a_spreadsheet_gets_each_fact_once(story: Story, tmp_path: Path) -> None:
    story.checkpoints.make()  # an event of the book that is no complaint's
    with written(story, Form.CSV, tmp_path).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted(int(row["position"]) for row in rows) == list(range(1, 7))
    assert [row["name"] for row in rows][:3] == ["complaint-received", "complaint-registered", "first-reply-sent"]
    assert rows[0]["done_by"] == "li.na"
    assert len(json.loads(rows[0]["details"])["content"]) == 43


def test_what_a_spreadsheet_would_compute_is_text(story: Story, tmp_path: Path) -> None:
    command = ask.ReceiveComplaint(
        complaint_id=UUID(int=7, version=4),
        customer_id=UUID(int=8, version=4),
        received_at=RECEIVED_AT,
        received_by="li.na",
        channel="phone",
        content="x",
    )
    story.ledger.handle(command, principal="=1+1")
    assert "'=1+1" in written(story, Form.CSV, tmp_path).read_text(encoding="utf-8-sig")


def test_a_log_of_traces_has_one_for_each_complaint(story: Story, tmp_path: Path) -> None:
    log = ET.parse(written(story, Form.XES, tmp_path)).getroot()
    space = {"x": "http://www.xes-standard.org/"}
    traces = log.findall("x:trace", space)
    assert len(traces) == 2
    dates = [item.attrib["value"] for item in log.iter("{http://www.xes-standard.org/}date")]
    assert dates
    assert all(each.endswith("Z") for each in dates)
    for trace in traces:
        names = [
            item.attrib["value"]
            for event in trace.findall("x:event", space)
            for item in event
            if item.attrib["key"] == "concept:name"
        ]
        assert names == ["complaint-received", "complaint-registered", "first-reply-sent"]
    (note,) = [item.attrib["value"] for item in log if item.attrib.get("key") == "ledger:checkpoint"]
    assert note == CHECKPOINT


def test_an_object_log_names_every_object_that_an_event_names(story: Story, tmp_path: Path) -> None:
    log: dict[str, Any] = json.loads(written(story, Form.OCEL, tmp_path).read_bytes())
    objects = {each["id"]: each["type"] for each in log["objects"]}
    assert sorted(objects.values()) == ["checkpoint", "complaint", "complaint", "staff"]
    assert len(log["events"]) == 6
    known = {each["name"] for each in log["eventTypes"]}
    for event in log["events"]:
        assert event["type"] in known
        assert {each["objectId"] for each in event["relationships"]} <= set(objects)


def test_what_time_brought_about_stands_among_its_complaints_events(story: Story, tmp_path: Path) -> None:
    one = story.complaint()
    story.missed(one, 15)
    story.missed(one, 2)
    with written(story, Form.CSV, tmp_path).open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["complaint_id"] == str(one)]
    assert [(row["name"], row["version"], row["stage"]) for row in rows][2:] == [
        ("first-reply-sent", "3", "First reply and contact 首次回复、联系"),
        ("deadline-missed", "", TIME_LABEL),
        ("deadline-missed", "", TIME_LABEL),
    ]
    due = [RECEIVED_AT + timedelta(days=days) + INSTANT for days in (15, 2)]
    assert [row["happened_at"] for row in rows][3:] == [instant(each) for each in due]
    log = ET.parse(written(story, Form.XES, tmp_path)).getroot()
    (trace,) = [each for each in log.iter() if each.tag.endswith("trace") and each[0].attrib["value"] == str(one)]
    happened = [{each.attrib["key"]: each.attrib["value"] for each in event} for event in trace[1:]]
    assert [each["concept:name"] for each in happened].count("deadline-missed") == 2
    assert [each["time:timestamp"] for each in happened][3:] == [instant(each) for each in reversed(due)]
    ocel = json.loads(written(story, Form.OCEL, tmp_path).read_bytes())
    missed = [event for event in ocel["events"] if event["type"] == "deadline-missed"]
    assert [event["relationships"] for event in missed] == [[{"objectId": str(one), "qualifier": "of"}]] * 2
    assert "deadline-missed" in {each["name"] for each in ocel["eventTypes"]}
    with duckdb.connect(":memory:") as database:
        out = str(written(story, Form.PARQUET, tmp_path))
        asked = "SELECT count(*) FROM read_parquet(?) WHERE name = 'deadline-missed' AND version IS NULL"
        assert database.execute(asked, [out]).fetchall() == [(2,)]


def test_an_export_is_as_of_a_position(story: Story) -> None:
    with story.connect() as connection:
        assert [len(facts) for facts in complaints_facts(connection, story.book, 2)] == [2]
        assert list(complaints_facts(connection, story.book, 0)) == []


def test_a_sample_can_be_drawn_again_by_hand(story: Story) -> None:
    complaints = [story.complaint() for _ in range(8)]
    with story.connect() as connection:
        size = head(connection, story.book).size
        drawn = sample(connection, story.book, size, "audit 2026", 4)
        assert sample(connection, story.book, size, "audit 2026", 4) == drawn
        assert sample(connection, story.book, size, "audit 2026", 2) == drawn[:2]
        assert sample(connection, story.book, size, "another seed", 10_000) != sample(
            connection, story.book, size, "audit 2026", 10_000
        )
        everything = sample(connection, story.book, size, "audit 2026", 10_000)
        assert sample(connection, story.book, 1, "audit 2026", 10)[0] in everything
    assert set(complaints) < set(everything)
    by_hand = sorted(everything, key=lambda each: hashlib.sha256(f"audit 2026 {each}".encode()).digest())
    assert drawn == by_hand[:4]


def staged(story: Story) -> list[str]:
    """A complaint with a fact of every stage, each as the rules make it; the names."""
    names = [stage.names[0] for stage in STAGES.values()]
    facts = [fact(name) for name in names if name != "fact-annulled"] + [fact_annulled(2)]
    request = BulkRequest(uuid4(), facts, "test", str(uuid4()), b"", "tell-a-story")
    for _, answer in story.ledger.record_in_bulk([request]):
        assert isinstance(answer, Receipt), answer
    return names


def test_each_fact_carries_the_stage_that_it_is_of(story: Story, tmp_path: Path) -> None:
    staged(story)
    stages = {f"{stage.en} {stage.zh}" for stage in STAGES.values()}
    with written(story, Form.CSV, tmp_path).open(encoding="utf-8-sig", newline="") as file:
        assert {row["stage"] for row in csv.DictReader(file)} == stages
    log = ET.parse(written(story, Form.XES, tmp_path)).getroot()
    assert {each.attrib["value"] for each in log.iter() if each.attrib.get("key") == "ledger:stage"} == stages
    ocel = json.loads(written(story, Form.OCEL, tmp_path).read_bytes())
    assert {a["value"] for e in ocel["events"] for a in e["attributes"] if a["name"] == "stage"} == stages


READ = """
import json, sys, pm4py
def activities(log, key):
    net, begin, end = pm4py.discover_petri_net_inductive(log, activity_key=key)
    return sorted({t.label for t in net.transitions if t.label})
log = pm4py.read_xes(sys.argv[1])
ocel = pm4py.read_ocel2_json(sys.argv[2])
flat = pm4py.ocel_flattening(ocel, "complaint")
print(json.dumps({
    "facts": activities(log, "concept:name"),
    "stages": activities(log, "ledger:stage"), "stages_ocel": activities(flat, "stage"),
    "cases": int(log["case:concept:name"].nunique()),
    "times": str(log["time:timestamp"].dtype), "events": len(ocel.events), "objects": sorted(ocel.objects["ocel:type"]),
}))
"""

COMPLAINTS_MINED = 120
"""So many of the made-up year reach every stage."""


def _python_with_pm4py() -> str | None:
    """This Python, or the one that LEDGER_TEST_PM4PY names: the library brings more than the rest of the program."""
    for each in (os.environ.get("LEDGER_TEST_PM4PY"), sys.executable):
        if each and shutil.which(each):
            tried = subprocess.run([each, "-c", "import pm4py"], capture_output=True, check=False, timeout=120)
            if tried.returncode == 0:
                return each
    return None


def test_pm4py_reads_both_logs_and_discovers_the_stages(story: Story, tmp_path: Path) -> None:
    python = _python_with_pm4py()
    if python is None:
        pytest.skip("pm4py is not installed: name a Python that has it with LEDGER_TEST_PM4PY")
    calendar = built_in_calendars()["china"]
    end = calendar.day_begins_at(date(2026, 11, 1))
    told = [decided(each) for each in year(SEED, end, COMPLAINTS_MINED, OfficeHours(calendar))]
    requests = [BulkRequest(uuid4(), each, "test", str(uuid4()), b"", "tell-a-story") for each in told]
    assert all(isinstance(answer, Receipt) for _, answer in story.ledger.record_in_bulk(requests))
    story.missed(requests[0].stream_id)
    xes, ocel = written(story, Form.XES, tmp_path), written(story, Form.OCEL, tmp_path)
    done = subprocess.run([python, "-c", READ, xes, ocel], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    manual = sorted([*(f"{stage.en} {stage.zh}" for stage in STAGES.values()), TIME_LABEL])
    assert found["stages"] == manual
    assert found["stages_ocel"] == manual
    assert set(found["facts"]) == {"deadline-missed", *(NAME_OF[type(event)] for each in told for event in each)}
    assert (found["cases"], found["events"]) == (COMPLAINTS_MINED + 2, sum(map(len, told)) + 7)
    assert found["times"].endswith("UTC]"), "a time that ends in Z is read as one"
    assert found["objects"].count("complaint") == COMPLAINTS_MINED + 2


def test_a_data_frame_gets_each_fact_once(story: Story, tmp_path: Path) -> None:
    out = written(story, Form.PARQUET, tmp_path)
    assert not list(tmp_path.glob("*.json")), "what it was made from is gone"
    with duckdb.connect(":memory:") as database:
        rows = database.execute(
            "SELECT position, name, done_by, happened_at FROM read_parquet(?)", [str(out)]
        ).fetchall()
        ((key, value),) = database.execute("SELECT key, value FROM parquet_kv_metadata(?)", [str(out)]).fetchall()
    assert sorted(position for position, *_ in rows) == list(range(1, 7))
    assert rows[0][1:3] == ("complaint-received", "li.na")
    assert (bytes(key).decode(), bytes(value).decode()) == ("checkpoint", CHECKPOINT)
