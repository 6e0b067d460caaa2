"""The disclosure of one field: it proves itself with the program of a bundle, and without its salt nothing can be guessed."""

import base64
import hashlib
import json
import random
import shutil
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from ledger.access import commands as access
from ledger.access.refusals import LookNotAllowed, NoSuchValue
from ledger.complaint import commands as ask
from ledger.event import Tier
from ledger.proof import verifier
from ledger.proof.checkpoints import verifier_keys
from ledger.proof.disclosing import disclosure_file
from ledger.vault.service import Look, Vault
from ledger.vault.watching import who_saw
from tests.proof.conftest import RECEIVED_AT, Story

PREFIX, NUMBER, NAME = "1380013", "13800138427", "欧阳若兰"


@pytest.fixture
def complaint(story: Story) -> tuple[UUID, UUID]:
    """A complaint with a telephone number, and its customer; a checkpoint covers it."""
    one, customer = uuid4(), uuid4()
    received = ask.ReceiveComplaint(
        complaint_id=one,
        customer_id=customer,
        received_at=RECEIVED_AT,
        received_by="li.na",
        channel="phone",
        content="利息算错了",
        customer_name=NAME,
        customer_contact=NUMBER,
        customer_identity_number="320106199001011234",
    )
    story.ledger.handle(received, principal="li.na")
    contact = ask.NoteContact(
        complaint_id=one,
        channel="phone",
        direction="inbound",
        content="客户来电催办。",
        noted_by="li.na",
        occurred_at=RECEIVED_AT + timedelta(hours=1),
    )
    story.ledger.handle(contact, principal="li.na")
    assert story.checkpoints.make() is not None
    return one, customer


def request(story: Story, one: UUID, to: str) -> UUID:
    wanted = uuid4()
    asked = access.RequestAccess(
        request_id=wanted,
        complaint_id=one,
        tiers=(Tier.CORE, Tier.IMPORTANT, Tier.ORDINARY),
        purpose="audit",
        reason="年度审计抽查",
        until=datetime.now(UTC) + timedelta(days=1),
        requested_by=to,
    )
    story.ledger.handle(asked, principal=to)
    story.ledger.handle(access.ApproveAccess(request_id=wanted, approved_by="chen.jing"), principal="chen.jing")
    return wanted


def written(story: Story, look: Look) -> dict[str, Any]:
    with closing(Vault(story.ledger, story.database)) as vault, story.connect() as connection:
        (disclosed,) = vault.disclose(look, "sun.li")
        document: dict[str, Any] = json.loads(disclosure_file(connection, story.book, disclosed))
        return document


def key_of(story: Story) -> str:
    with story.connect() as connection:
        return verifier_keys(connection, story.book)[0].verifier_key


def check(folder: Path, document: dict[str, Any], key: str, *more: str) -> subprocess.CompletedProcess[str]:
    """As a stranger does: elsewhere, and with no module of ours in reach."""
    shutil.copy(verifier.__file__, folder / "verify.py")
    (folder / "one.json").write_text(json.dumps(document), encoding="utf-8")
    command = [sys.executable, "-I", "verify.py", "one.json", "--key", key, *more]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)


def test_one_field_is_checked_alone_and_its_look_is_recorded(
    story: Story, complaint: tuple[UUID, UUID], tmp_path: Path
) -> None:
    one, customer = complaint
    refused = Look(one, "audit", ("customer_identity_number",))
    with closing(Vault(story.ledger, story.database)) as vault, pytest.raises(LookNotAllowed):
        vault.disclose(refused, "sun.li")
    assert who_saw(story.ledger, customer) == []
    document = written(story, Look(one, "audit", ("customer_contact",), request(story, one, "sun.li")))
    (seen,) = who_saw(story.ledger, customer)
    assert (seen.seen_by, seen.revealed_paths, seen.revealed) == ("sun.li", ["customer_contact"], 1)
    assert NAME not in json.dumps(document, ensure_ascii=False), "no other value goes with it"
    answer = check(tmp_path, document, key_of(story))
    assert (answer.returncode, answer.stderr) == (0, "")
    assert f'Its field customer_contact was recorded as "{NUMBER}".' in answer.stdout
    assert check(tmp_path, document, key_of(story), "--entries", "x").returncode == 2
    assert check(tmp_path, document, key_of(story), "--quorum", "1").returncode == 1


def test_a_field_of_several_events_is_disclosed_of_one(story: Story, complaint: tuple[UUID, UUID]) -> None:
    one, customer = complaint
    place = story.as_superuser(
        "SELECT max(position) FROM ledger.event WHERE book = %(book)s AND stream_id = %(v0)s", one
    )
    document = written(story, Look(one, "audit", ("content",), position=place[0][0]))
    said = json.loads(base64.urlsafe_b64decode(document["disclosure"] + "=="))
    assert (said[1:], document["position"]) == (["content", "客户来电催办。"], place[0][0])
    (seen,) = who_saw(story.ledger, customer)
    assert seen.revealed == 1
    with closing(Vault(story.ledger, story.database)) as vault, pytest.raises(NoSuchValue):
        vault.disclose(Look(one, "audit", ("customer_name",), position=place[0][0]), "sun.li")


def test_whatever_is_changed_in_it_is_refused(story: Story, complaint: tuple[UUID, UUID], tmp_path: Path) -> None:
    document = written(story, Look(complaint[0], "audit", ("customer_name",)))
    other = base64.urlsafe_b64encode(json.dumps(["x" * 22, "customer_name", "欧阳如兰"]).encode()).rstrip(b"=").decode()
    changes: dict[str, object] = {"disclosure": other, "path": "customer_contact", "position": 999, "format": "x"}
    chance = random.Random(7)
    for name in ("state", "entry", "proof"):
        at = chance.randrange(len(document[name]))
        changes[name] = document[name][:at] + chr(ord(document[name][at]) ^ 1) + document[name][at + 1 :]
    for name, change in changes.items():
        answer = check(tmp_path, {**document, name: change}, key_of(story))
        assert (answer.returncode, answer.stderr) == (1, ""), f"{name}: {answer.stdout}"
    for name in document:
        answer = check(tmp_path, {each: document[each] for each in document if each != name}, key_of(story))
        assert (answer.returncode, answer.stderr) == (1, ""), f"without {name}: {answer.stdout}"


def test_without_the_salt_no_number_of_a_prefix_is_told_from_another(
    story: Story, complaint: tuple[UUID, UUID]
) -> None:
    """A dictionary of all numbers of a prefix, with every salt that whoever holds the events and another field can think of."""
    one, _ = complaint
    name = written(story, Look(one, "audit", ("customer_name",)))
    state, event = json.loads(name["state"]), json.loads(name["state"])["event"]
    known = {*filter(None, (each for each in (*event.values(), *state.values()) if isinstance(each, str)))}
    other_salt = json.loads(base64.urlsafe_b64decode(name["disclosure"] + "=="))[0]
    salts = ["", None, "A" * 22, "0" * 32, state["nonce"], other_salt, str(one), event["customer_id"]]
    numbers = [f"{PREFIX}{n:04}" for n in range(10_000)]
    assert NUMBER in numbers

    def hits(salt: str | None) -> list[str]:
        return [number for number in numbers if known & digests(salt, number)]

    assert [hits(salt) for salt in salts] == [[]] * len(salts)
    with_it = written(story, Look(one, "audit", ("customer_contact",), request(story, one, "sun.li")))
    assert hits(json.loads(base64.urlsafe_b64decode(with_it["disclosure"] + "=="))[0]) == [NUMBER]


def digests(salt: str | None, number: str) -> set[str]:
    """The number as a digest that could stand in an event: as it is done, and plainly."""
    whole = f'["{salt}","customer_contact","{number}"]' if salt is not None else number
    raw = base64.urlsafe_b64encode(whole.encode()).rstrip(b"=") if salt is not None else whole.encode()
    return {base64.urlsafe_b64encode(hashlib.sha256(raw).digest()).rstrip(b"=").decode()}
