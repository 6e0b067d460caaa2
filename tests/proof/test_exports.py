"""Exports are read back by what auditors use; samples can be drawn again by hand; what became known is told."""

import csv
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import UUID
from xml.etree import ElementTree as ET

import pytest

from api.command.exporting import WRITERS, Form
from ledger.complaint import commands as ask
from ledger.proof.exporting import complaints_facts, sample
from ledger.record.reading import head
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


READ = """
import json, sys, pm4py
log = pm4py.read_xes(sys.argv[1])
net, begin, end = pm4py.discover_petri_net_inductive(log)
ocel = pm4py.read_ocel2_json(sys.argv[2])
print(json.dumps({
    "activities": sorted({t.label for t in net.transitions if t.label}),
    "cases": int(log["case:concept:name"].nunique()),
    "events": len(ocel.events), "objects": sorted(ocel.objects["ocel:type"]),
}))
"""


def _python_with_pm4py() -> str | None:
    """This Python, or the one that LEDGER_TEST_PM4PY names: the library brings more than the rest of the program."""
    import os

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
    xes, ocel = written(story, Form.XES, tmp_path), written(story, Form.OCEL, tmp_path)
    done = subprocess.run([python, "-c", READ, xes, ocel], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["activities"] == ["complaint-received", "complaint-registered", "first-reply-sent"]
    assert (found["cases"], found["events"]) == (2, 6)
    assert found["objects"].count("complaint") == 2


def test_a_data_frame_gets_each_fact_once(story: Story, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="Parquet needs pyarrow, an extra of the program")
    table = parquet.read_table(written(story, Form.PARQUET, tmp_path))
    assert table.num_rows == 6
    assert table.schema.metadata[b"checkpoint"].decode() == CHECKPOINT
