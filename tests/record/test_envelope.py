"""The bytes that are stored and hashed: pinned to the letter, random where they must be, and read in one way only."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from pydantic import ValidationError

from ledger.complaint.events import ComplaintRegistered, ContactNoted
from ledger.event import Personal
from ledger.names import UnknownStoredName
from ledger.record.envelope import Recorded, opened
from ledger.record.reading import StoredRow

CUSTOMER = UUID("11111111-2222-4333-8444-555555555555")
STREAM = UUID("aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee")
AT = datetime(2026, 3, 1, 2, 3, 4, 5, tzinfo=UTC)
REGISTERED = ComplaintRegistered(customer_id=CUSTOMER, reference="C-1", registered_at=AT, registered_by="li.wei")
NONCE = "00112233445566778899aabbccddeeff"


def row(state: bytes, name: str = "complaint-registered") -> StoredRow:
    return StoredRow(7, STREAM, 2, name, state, AT)


def test_the_stored_bytes_are_these() -> None:
    assert Recorded(STREAM, 2, REGISTERED, "li.wei", "register-complaint", NONCE).state() == (
        b'{"command":"register-complaint","event":{"customer_id":"11111111-2222-4333-8444-555555555555",'
        b'"reference":"C-1","registered_at":"2026-03-01T02:03:04.000005Z","registered_by":"li.wei"},'
        b'"nonce":"00112233445566778899aabbccddeeff","recorded_by":"li.wei"}'
    )


def test_what_was_stored_is_read_back() -> None:
    envelope = Recorded(STREAM, 2, REGISTERED, "li.wei", "register-complaint")
    assert opened(row(envelope.state())) == envelope


def test_equal_facts_never_have_equal_states() -> None:
    states = {Recorded(STREAM, 2, REGISTERED, "li.wei", "register-complaint").state() for _ in range(100)}
    assert len(states) == 100


def test_a_clear_value_can_not_be_stored() -> None:
    contact = ContactNoted(
        customer_id=CUSTOMER,
        channel="phone",
        direction="inbound",
        content=Personal.clear("不得入账"),
        noted_by="li.wei",
        occurred_at=AT,
    )
    with pytest.raises(Exception, match="seal the event") as raised:
        Recorded(STREAM, 2, contact, "li.wei", "note-contact").state()
    assert "不得入账" not in str(raised.value)


def test_a_name_outside_the_table_is_never_resolved() -> None:
    state = Recorded(STREAM, 2, REGISTERED, "li.wei", "register-complaint", NONCE).state()
    for name in ("os:system", "ledger.complaint.events:ComplaintRegistered", "complaint-registered-2"):
        with pytest.raises(UnknownStoredName, match="newer"):
            opened(row(state, name))


@pytest.mark.parametrize(
    "state",
    [
        b"",
        b"[]",
        b'{"command":"x","nonce":"y","recorded_by":"z"}',
        b'{"command":"x","event":{},"nonce":"y","recorded_by":"z"}',
        Recorded(STREAM, 2, REGISTERED, "li.wei", "x", NONCE).state().replace(b'"nonce"', b'"more":1,"nonce"'),
        Recorded(STREAM, 2, REGISTERED, "li.wei", "x", NONCE).state().replace(b'"reference"', b'"refer"'),
    ],
)
def test_bytes_of_another_shape_are_refused(state: bytes) -> None:
    with pytest.raises(ValidationError):
        opened(row(state))
