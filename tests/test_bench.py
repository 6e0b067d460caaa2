"""The benchmark runs as a whole and produces its figures; what they are is not asserted: machines are noisy."""

import json
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
SECONDS_MAX = 400
LINES = {
    "append",
    "append with a personal value",
    "append, one caller, p50",
    "append while an old snapshot is open",
    "bulk append, 256 a call",
    "load a complaint of 20 events and decide",
    "the same, its state not kept",
    "rebuild of the main projections",
    "verify a whole book",
    "SLA report",
    "worklist page",
    "one history",
    "one command over HTTP, requests/s",
    "one command over HTTP, p99",
    "import of CFPB rows",
    "one deadline of 10 working days",
    "SLA report over 10,000 complaints",
    "SLA report over 10,000 complaints by category and month",
    "both clocks of a complaint of four facts",
}


GROWTH = {
    *("bulk_events_per_second", "catch_up_events_per_second", "append_events_per_second", "append_p99_ms"),
    *("one_history_ms", "worklist_page_ms", "proof_ms", "checkpoint_ms", "bytes_per_event"),
    *("verify_mib", "rebuild_mib", "import_mib"),
}


def test_a_quick_run_produces_every_figure() -> None:
    done = subprocess.run(
        [ROOT / "scripts" / "bench", "--quick", "--rounds", "1", "--json"],
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    printed = json.loads(done.stdout)
    assert {line["line"] for line in printed["lines"]} == LINES
    assert all(line["ours"] > 0 and line["theirs"] > 0 and line["ratio"] > 0 for line in printed["lines"])
    assert printed["settings"]["fsync"] == "on"
    assert printed["left_out"] == []
    assert [row["events"] for row in printed["growth"]] == [1_000]
    assert all(row.keys() >= GROWTH and min(row.values()) > 0 for row in printed["growth"])
