"""Checkpoint, key, proof, entries, bundle and verify as an auditor uses them, each a program of its own."""

import re
import subprocess
import sys
import zipfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from ledger.application import Ledger
from ledger.audit import commands as audit
from ledger.audit.events import FindingLevel
from ledger.audit.rules import NoSuchAction
from ledger.complaint import commands as ask
from ledger.database.target import Database
from ledger.deadlines.regime import default_regimes
from ledger.improvement import commands as improve
from ledger.policy.commands import PublishRegime
from ledger.proof.checkpoint import checkpoint_in
from ledger.proof.files import InclusionFile
from ledger.proof.note import Note, VerifierKey
from ledger.record.tree import check_inclusion, leaf_hash, tree_root
from ledger.settings import Settings
from ledger.vault.keys import SubjectKeys
from tests.command.running import Program
from tests.proof.conftest import RECEIVED_AT, missed_by


@pytest.fixture
def complaint_id(database: Database, settings: Settings, book: str) -> UUID:
    """A complaint of one event, in a book of its own."""
    return received(database, settings, book)


def received(database: Database, settings: Settings, book: str) -> UUID:
    stream = uuid4()
    with closing(SubjectKeys.open(settings.keys)) as keys, closing(Ledger(database, book, keys)) as ledger:
        command = ask.ReceiveComplaint(
            complaint_id=stream,
            customer_id=uuid4(),
            received_at=RECEIVED_AT,
            received_by="li.na",
            channel="phone",
            content="利息算错了",
        )
        ledger.handle(command, principal="test")
    return stream


def test_an_auditor_checks_a_book(program: Program, book: str, complaint_id: UUID, tmp_path: Path) -> None:
    note, proof, entry, entries = (tmp_path / name for name in ("note", "proof", "entry", "entries"))
    assert program("checkpoint", "--book", book, "--out", note).code == 0
    key = program("key", "--book", book).out.strip()
    checkpoint = checkpoint_in(Note.read(note.read_bytes()), [VerifierKey.read(key)])
    assert checkpoint.size == 2

    assert program("proof", "1", "--book", book, "--out", proof, "--entry", entry).code == 0
    file = InclusionFile.read(proof.read_bytes())
    check_inclusion(file.hashes, 0, leaf_hash(entry.read_bytes()), 2, checkpoint.root)
    assert program("entries", "--book", book, "--out", entries).code == 0
    lines = entries.read_bytes().splitlines(keepends=True)
    assert tree_root([leaf_hash(b"".join(lines[i : i + 8])) for i in range(0, len(lines), 8)]) == checkpoint.root
    assert program("consistency", "1", "--book", book).out.startswith("old 1\n")

    good = program("verify", "--book", book, "--checkpoint", note, "--key", key, "--json")
    assert (good.code, good.json["checkpoint_brought"]["size"], good.json["checkpoints"]) == (0, 2, 2)
    assert program("verify", "--book", book, "--checkpoint", note).code == 2
    changed = note.read_text(encoding="utf-8").replace("\n2\n", "\n1\n")
    note.write_text(changed, encoding="utf-8")
    assert program("verify", "--book", book, "--checkpoint", note, "--key", key).code == 1

    bundle = tmp_path / "bundle.zip"
    assert program("bundle", str(complaint_id), "--for", "audit", "--book", book, "--out", bundle).code == 0
    with zipfile.ZipFile(bundle) as archive:
        archive.extract("verify.py", tmp_path)
        assert "投诉历史" in archive.read(f"history/{complaint_id}.html").decode()
    command = [sys.executable, "-I", "verify.py", "bundle.zip", "--key", key, "--entries", "entries"]
    checked = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "0 personal values are shown" in checked.stdout

    at = ("--as-of", "2", "--book", book, "--out", bundle)
    assert program("bundle", str(complaint_id), "--for", "the auditor", "--purpose", "audit", *at).code == 2
    odd = program("bundle", str(complaint_id), "--for", "sun.li", "--purpose", "curiosity", *at)
    assert (odd.code, "external-audit" in odd.complaint) == (2, True)
    shown = program("bundle", str(complaint_id), "--for", "sun.li", "--purpose", "audit", "--json", *at)
    assert (shown.code, shown.json["values"], shown.json["files"]) == (0, 1, 0)
    checked = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert "1 personal values are shown" in checked.stdout, checked.stdout + checked.stderr

    with zipfile.ZipFile(bundle) as packed:
        (customer,) = {*re.findall(rb'"customer_id":"([0-9a-f-]{36})"', b"".join(map(packed.read, packed.namelist())))}
    (look,) = program("access", "who-saw", customer.decode(), "--book", book, "--json").json["looks"]
    assert (look["seen_by"], look["revealed_paths"]) == ("sun.li", ["content"])
    title, _, row = program("access", "who-saw", customer.decode(), "--book", book).out.splitlines()
    assert title.endswith("times of Asia/Shanghai")
    here = datetime.fromisoformat(look["seen_at"]).astimezone(ZoneInfo("Asia/Shanghai"))
    assert row.split()[1:] == [f"{here:%Y-%m-%d}", f"{here:%H:%M}", "sun.li", "audit", "content", "–"]

    again = program("access", "reindex", "--book", book, "--json")
    assert (again.code, again.json["indexed"], again.json["left_out"]) == (0, 1, 0)
    assert again.json["position"] == look["position"]
    from_here = program("access", "reindex", "--after", str(look["position"]), "--book", book)
    assert from_here.out.startswith(f"0 values up to position {look['position']:,}")


def test_one_field_is_disclosed_to_whoever_checks_it_elsewhere(
    program: Program, database: Database, settings: Settings, book: str, tmp_path: Path
) -> None:
    """And the days of a bundle are those of the book's own calendar."""
    assert program("book", "create", book, "--in-force", "fca-disp").code == 0
    complaint_id = received(database, settings, book)
    one, to = tmp_path / "one.json", ("--for", "sun.li", "--purpose", "audit", "--book", book)
    assert program("disclosure", str(complaint_id), "customer_name", *to, "--out", one).code == 1
    told = program("disclosure", str(complaint_id), "content", *to, "--out", one, "--json")
    assert (told.code, told.json["field"], one.stat().st_mode & 0o777) == (0, "content", 0o600)
    bundle = tmp_path / "bundle.zip"
    assert program("bundle", str(complaint_id), "--for", "audit", "--book", book, "--out", bundle).code == 0
    with zipfile.ZipFile(bundle) as archive:
        archive.extract("verify.py", tmp_path)
        assert "times of Europe/London" in archive.read(f"history/{complaint_id}.html").decode()
    command = [sys.executable, "-I", "verify.py", "one.json", "--key", program("key", "--book", book).out.strip()]
    checked = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert (checked.returncode, "利息算错了" in checked.stdout) == (0, True), checked.stdout + checked.stderr

    corrected_at = corrected(settings, database, book, complaint_id, "年费算错了")
    in_force = program("disclosure", str(complaint_id), "content", *to, "--out", tmp_path / "two.json", "--json")
    assert (in_force.code, in_force.json["position"]) == (0, corrected_at)
    assert in_force.json["superseded_by_version"] is None
    command[3] = "two.json"
    checked = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert (checked.returncode, "年费算错了" in checked.stdout) == (0, True), checked.stdout + checked.stderr
    by_position = ("--position", str(told.json["position"]), "--out", tmp_path / "three.json")
    old = program("disclosure", str(complaint_id), "content", *to, *by_position)
    assert (old.code, "version 3 of the complaint superseded it" in old.err) == (0, True)


def corrected(settings: Settings, database: Database, book: str, complaint_id: UUID, content: str) -> int | None:
    """The position of the correction, which one person proposed and another approved."""
    now = datetime.now(UTC)
    wanted = ask.CorrectFact(
        complaint_id=complaint_id, version=1, changes={"content": content}, reason="误录", proposed_at=now
    )
    with closing(SubjectKeys.open(settings.keys)) as keys, closing(Ledger(database, book, keys)) as ledger:
        proposed = ledger.handle(wanted, principal="li.na").version
        approval = ask.ApproveAmendment(complaint_id=complaint_id, proposed_version=proposed, approved_at=now)
        return ledger.handle(approval, principal="chen.jing").last_position


def test_clocks_are_called_in_a_bundle_as_the_book_called_them_then(
    program: Program, database: Database, settings: Settings, book: str, tmp_path: Path
) -> None:
    """And the same bundle again has the same bytes, whatever they are called since."""
    assert program("book", "create", book, "--in-force", "house").code == 0
    complaint_id = received(database, settings, book)
    house = default_regimes()[0]
    renamed = [clock.model_copy(update={"zh": "办结时限"}) for clock in house.clocks if clock.name == "resolution"]
    with closing(SubjectKeys.open(settings.keys)) as keys, closing(Ledger(database, book, keys)) as ledger:
        missed_by(ledger, complaint_id)

    def packed(name: str, *as_of: str) -> tuple[bytes, str, str]:
        out, words = tmp_path / name, ("--for", "audit", "--book", book, "--json", *as_of)
        made = program("bundle", str(complaint_id), *words, "--out", out)
        assert made.code == 0, made.err
        with zipfile.ZipFile(out) as archive:
            told = archive.read(f"history/{complaint_id}.html").decode()
        return out.read_bytes(), told, str(made.json["position"])

    then, told, position = packed("then.zip")
    assert ("处理完毕" in told, "办结时限" in told) == (True, False)
    with closing(SubjectKeys.open(settings.keys)) as keys, closing(Ledger(database, book, keys)) as ledger:
        version = house.model_copy(update={"version": house.version + 1, "clocks": (house.clocks[0], *renamed)})
        publish = PublishRegime(regime=version, published_by="he.lan", published_at=datetime.now(UTC))
        ledger.handle(publish, principal="he.lan")
    _, told, _ = packed("now.zip")
    assert ("处理完毕" in told, "办结时限" in told) == (False, True)
    assert packed("again.zip", "--as-of", position)[0] == then


def test_a_book_without_checkpoints_says_what_makes_one(program: Program, book: str) -> None:
    assert "`complaint-ledger checkpoint` makes one" in program("key", "--book", book).complaint
    assert program("proof", "1", "--book", book).code == 1
    assert "empty" in program("checkpoint", "--book", book).complaint


def test_samples_exports_and_differences_are_of_a_place(
    program: Program, book: str, complaint_id: UUID, tmp_path: Path
) -> None:
    drawn = program("audit", "sample", "5", "--seed", "s", "--book", book, "--json")
    assert drawn.json["complaint_ids"] == [str(complaint_id)]
    out = tmp_path / "facts.csv"
    assert program("export", "csv", "--book", book, "--out", out).code == 0
    assert str(complaint_id) in out.read_text(encoding="utf-8-sig")
    assert Note.read((tmp_path / "facts.csv.checkpoint").read_bytes()).text.splitlines()[1] == "2"
    assert program("audit", "diff", str(complaint_id), "1", "1", "--book", book, "--json").json["lines"] == []
    assert program("audit", "diff", str(complaint_id), "2", "1", "--book", book).code == 2


def test_a_finding_on_a_sampled_complaint_leads_to_an_action(
    program: Program, database: Database, settings: Settings, book: str, complaint_id: UUID
) -> None:
    sampled = program("audit", "sample", "1", "--seed", "2025", "--book", book, "--json").json
    finding, action = uuid4(), uuid4()
    now = datetime.now(UTC)
    reported = audit.ReportAuditFinding(
        finding_id=finding,
        complaint_id=UUID(sampled["complaint_ids"][0]),
        title="首次回复超时",
        description="卷内没有原因说明。",
        level=FindingLevel.MEDIUM,
        seed=sampled["seed"],
        sample_size=1,
        sample_position=sampled["position"],
        as_of_position=sampled["position"],
        reported_by="auditor.sun",
        reported_at=now,
    )
    opened = improve.OpenAction(
        action_id=action,
        title="说明原因",
        goal="每次超时都有说明。",
        acceptance_test="抽查五十件。",
        owner="handler.zhao",
        due_on=now.date(),
        cause_ids=(finding,),
        opened_by="quality.wu",
        opened_at=now,
    )
    acted = audit.ActOnAuditFinding(finding_id=finding, action_ids=(action,), acted_by="head.qian", acted_at=now)
    listed = ("audit", "findings", str(complaint_id), "--book", book)
    assert program(*listed, "--json").json["findings"] == []
    with closing(SubjectKeys.open(settings.keys)) as keys, closing(Ledger(database, book, keys)) as ledger:
        before = ledger.handle(reported, principal="auditor.sun").last_position
        with pytest.raises(NoSuchAction):
            ledger.handle(acted, principal="head.qian")
        ledger.handle(opened, principal="quality.wu")
        ledger.handle(acted, principal="head.qian")
    ((found,), (known_then,)) = (
        program(*listed, *then, "--json").json["findings"] for then in ((), ("--as-of", str(before)))
    )
    assert (found["finding_id"], found["action_ids"], found["waits_for"]) == (str(finding), [str(action)], "closing")
    assert (known_then["action_ids"], known_then["waits_for"]) == ([], "action")
    assert "首次回复超时" in program(*listed).out
