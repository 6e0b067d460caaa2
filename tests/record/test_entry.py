"""The entry's bytes are exactly those of the architecture, and nothing outside an alphabet gets into them."""

import hashlib
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.record.entry import ALPHABETS, Entry, entry_bytes, instant, read, written

STREAM = UUID("0d4c1b7e-6a8f-4f53-9e0c-2f4f4a1f7c11")
AT = datetime(2026, 11, 22, 7, 30, 0, 42, tzinfo=UTC)
STATE = b'{"event":{}}'

BYTES = f"""complaint-ledger/entry/v1
bank.example/complaints
17
0d4c1b7e-6a8f-4f53-9e0c-2f4f4a1f7c11
3
reply-sent
2026-11-22T07:30:00.000042Z
{hashlib.sha256(STATE).hexdigest()}
""".encode()

FIELDS: dict[str, Any] = {
    "origin": "bank.example/complaints",
    "position": 17,
    "stream_id": str(STREAM),
    "version": 3,
    "name": "reply-sent",
    "recorded_at": "2026-11-22T07:30:00.000042Z",
    "state_sha256": hashlib.sha256(STATE).hexdigest(),
}


def test_the_bytes_are_those_of_the_architecture() -> None:
    assert entry_bytes("bank.example/complaints", 17, STREAM, 3, "reply-sent", AT, STATE) == BYTES
    assert written(**FIELDS) == BYTES


def test_an_entry_is_read_back() -> None:
    assert read(BYTES) == Entry(
        "bank.example/complaints", 17, STREAM, 3, "reply-sent", AT, hashlib.sha256(STATE).hexdigest()
    )


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="needs coreutils")
def test_a_shell_can_rebuild_an_entry() -> None:
    digest = subprocess.run(["sha256sum"], input=STATE, capture_output=True, check=True).stdout.split()[0]
    fields = ["complaint-ledger/entry/v1", *map(str, FIELDS.values())]
    fields[-1] = digest.decode()
    shell = subprocess.run(["printf", "%s\\n", *fields], capture_output=True, check=True)
    assert shell.stdout == BYTES


OUTSIDE = [
    ("origin", ""),
    ("origin", "two words"),
    ("origin", "银行"),
    ("origin", "bank\n"),
    ("origin", "a" * 201),
    ("position", 0),
    ("position", -1),
    ("position", 10**19),
    ("stream_id", "0D4C1B7E-6A8F-4F53-9E0C-2F4F4A1F7C11"),
    ("stream_id", "0d4c1b7e6a8f4f539e0c2f4f4a1f7c11"),
    ("version", -1),
    ("version", 10**19),
    ("name", ""),
    ("name", "a" * 201),
    ("name", "reply-sent\n"),
    ("name", "reply\nsent"),
    ("name", "reply sent"),
    ("recorded_at", "2026-11-22T07:30:00Z"),
    ("recorded_at", "2026-11-22T07:30:00.000042+00:00"),
    ("recorded_at", "２026-11-22T07:30:00.000042Z"),
    ("state_sha256", "A" * 64),
    ("state_sha256", "a" * 63),
]


@pytest.mark.parametrize(("field", "value"), OUTSIDE, ids=[f"{field}-{n}" for n, (field, _) in enumerate(OUTSIDE)])
def test_a_field_outside_its_alphabet_is_named(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"^{field}: "):
        written(**{**FIELDS, field: value})


@pytest.mark.parametrize(
    "name", ["a", "a" * 200, "eventsourcing.tests.application:BankAccount.<locals>.Opened", "0_-.:<>"]
)
def test_every_name_that_the_library_makes_fits(name: str) -> None:
    assert read(written(**{**FIELDS, "name": name})).name == name


def test_the_library_may_count_versions_from_zero() -> None:
    assert read(written(**{**FIELDS, "version": 0})).version == 0


def test_an_instant_is_written_in_utc_with_all_its_microseconds() -> None:
    shanghai = timezone(timedelta(hours=8))
    assert instant(datetime(2026, 1, 1, 0, 0, tzinfo=shanghai)) == "2025-12-31T16:00:00.000000Z"
    assert instant(datetime(999, 1, 1, tzinfo=UTC)) == "0999-01-01T00:00:00.000000Z"
    with pytest.raises(ValueError, match=r"^recorded_at: "):
        instant(datetime(2026, 1, 1))  # noqa: DTZ001 - an instant without an offset is what must be refused


@pytest.mark.parametrize(
    "broken",
    [
        BYTES[:-1],
        BYTES + b"\n",
        b"\n" + BYTES,
        BYTES.replace(b"/v1", b"/v2"),
        BYTES.replace(b"\n", b"\r\n"),
        b"",
        b"\xff" + BYTES,
    ],
)
def test_bytes_that_are_no_entry_are_refused(broken: bytes) -> None:
    with pytest.raises(ValueError, match="this is no complaint-ledger/entry/v1"):
        read(broken)


ENTRIES = st.fixed_dictionaries(
    {
        "origin": st.from_regex(ALPHABETS["origin"], fullmatch=True),
        "position": st.integers(1, 2**63 - 1),
        "stream_id": st.uuids().map(str),
        "version": st.integers(0, 2**63 - 1),
        "name": st.from_regex(ALPHABETS["name"], fullmatch=True),
        "recorded_at": st.datetimes(timezones=st.just(UTC)).map(instant),
        "state_sha256": st.from_regex(ALPHABETS["state_sha256"], fullmatch=True),
    }
)


@given(ENTRIES, ENTRIES)
def test_different_fields_are_different_bytes(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert (written(**one) == written(**other)) == (one == other)


@given(ENTRIES)
def test_every_entry_is_read_back(fields: dict[str, Any]) -> None:
    entry = read(written(**fields))
    again = entry._replace(stream_id=str(entry.stream_id), recorded_at=instant(entry.recorded_at))  # type: ignore[arg-type]  # as `written` takes them
    assert written(*again) == written(**fields)  # type: ignore[arg-type]  # as above
    assert len(re.findall(b"\n", written(**fields))) == 8
