"""Sealing: what an event keeps, what the vault gets, and that neither can be swapped or guessed."""

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import PydanticSerializationError

from ledger.complaint.events import ComplaintReceived, ComplaintRegistered, FactCorrected, FirstReplySent
from ledger.event import ClearValueInRecord, Personal, Tier
from ledger.vault.keys import SubjectErased, SubjectKeys
from ledger.vault.sealing import (
    Disclosure,
    DisclosureBroken,
    KeyMissing,
    digest_of,
    digests_of,
    open_disclosure,
    opened_with,
    said_by,
    seal,
    seal_all,
)

AT = datetime(2026, 11, 22, 7, 30, tzinfo=UTC)
CUSTOMER = UUID("7d0c1b7e-6a8f-4f53-9e0c-2f4f4a1f7c11")

RECEIVED = ComplaintReceived(
    customer_id=CUSTOMER,
    received_at=AT,
    received_by="li.wei",
    channel="telephone",
    customer_name=Personal.clear("王小明"),
    customer_identity_number=Personal.clear("11010519491231002X"),
    content=Personal.clear("The queue was two hours long.\n\x00 \U0001f620"),
)
REGISTERED = ComplaintRegistered(
    customer_id=CUSTOMER, reference="2026-000001", registered_at=AT, registered_by="li.wei"
)


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[SubjectKeys]:
    keys = SubjectKeys.open(tmp_path / "keys")
    yield keys
    keys.close()


def by_path(disclosures: list[Disclosure]) -> dict[str, Disclosure]:
    return {each.path: each for each in disclosures}


def flipped(value: bytes, bit: int) -> bytes:
    changed = bytearray(value)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def test_the_example_of_the_standard() -> None:
    """RFC 9901, sections 4.2.1 and 4.2.3."""
    disclosure = b"WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0"
    assert digest_of(disclosure) == "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0"
    assert said_by(disclosure) == ("_26bc4LT-ac6q2KI6cBW5es", "family_name", "Möbius")


def test_an_event_keeps_digests_and_the_vault_gets_the_values(keys: SubjectKeys) -> None:
    sealed, disclosures = seal(RECEIVED, keys)
    assert isinstance(sealed, ComplaintReceived)
    held = by_path(disclosures)
    assert set(held) == {"customer_name", "customer_identity_number", "content"}
    assert sealed.content is not None
    assert sealed.content.digest == held["content"].digest
    assert held["customer_identity_number"].tier is Tier.CORE
    assert {each.subject_id for each in disclosures} == {CUSTOMER}
    assert sealed.customer_contact is None
    assert sealed.received_by == RECEIVED.received_by
    for path, each in held.items():
        opened = open_disclosure(each.ciphertext, each.digest, CUSTOMER, keys)
        assert (opened.path, opened.value) == (path, getattr(RECEIVED, path).value)


def test_a_sealed_event_can_be_stored_and_is_read_back_the_same(keys: SubjectKeys) -> None:
    with pytest.raises(PydanticSerializationError, match=ClearValueInRecord.__name__):
        RECEIVED.model_dump_json()
    sealed, _ = seal(RECEIVED, keys)
    assert ComplaintReceived.model_validate_json(sealed.model_dump_json()) == sealed


def test_no_value_is_left_in_what_is_stored(keys: SubjectKeys) -> None:
    sealed, disclosures = seal(RECEIVED, keys)
    stored = sealed.model_dump_json().encode() + b"".join(each.ciphertext for each in disclosures)
    for value in ("王小明", "11010519491231002X", "The queue was"):
        assert value.encode() not in stored
        assert base64.b64encode(value.encode()).rstrip(b"=") not in stored
        assert hashlib.sha256(value.encode()).hexdigest().encode() not in stored


def test_anybody_can_check_a_disclosure_with_a_few_lines(keys: SubjectKeys) -> None:
    _, disclosures = seal(RECEIVED, keys)
    each = by_path(disclosures)["customer_name"]
    salt, path, value = open_disclosure(each.ciphertext, each.digest, CUSTOMER, keys)
    shown = json.dumps([salt, path, value], ensure_ascii=False, separators=(",", ":")).encode()
    disclosure = base64.urlsafe_b64encode(shown).rstrip(b"=")
    assert base64.urlsafe_b64encode(hashlib.sha256(disclosure).digest()).rstrip(b"=").decode() == each.digest


def test_equal_values_have_different_digests(keys: SubjectKeys) -> None:
    _, one = seal(RECEIVED, keys)
    _, other = seal(RECEIVED, keys)
    assert not {each.digest for each in one} & {each.digest for each in other}
    assert len(open_disclosure(one[0].ciphertext, one[0].digest, CUSTOMER, keys).salt) == 22


def test_an_event_without_personal_values_is_left_alone(keys: SubjectKeys) -> None:
    assert seal(REGISTERED, keys) == (REGISTERED, [])
    assert keys.held([CUSTOMER]) == {}


def test_a_correction_carries_recorded_values_over_and_discloses_new_ones(keys: SubjectKeys) -> None:
    first, before = seal(RECEIVED, keys)
    assert isinstance(first, ComplaintReceived)
    fact = first.model_copy(update={"content": Personal.clear("The queue was one hour long.")})
    corrected = FactCorrected(
        customer_id=CUSTOMER,
        corrected_version=1,
        name="complaint-received",
        fact=fact,
        reason=Personal.clear("misheard"),
        corrected_by="li.wei",
        approved_by="zhang.min",
        corrected_at=AT,
    )
    sealed, disclosures = seal(corrected, keys)
    assert {each.path for each in disclosures} == {"reason", "fact.content"}
    digests = {path: digest for path, _, _, digest in digests_of(sealed)}
    assert set(digests) == {"reason", "fact.content", "fact.customer_name", "fact.customer_identity_number"}
    assert digests["fact.customer_name"] == by_path(before)["customer_name"].digest
    assert FactCorrected.model_validate_json(sealed.model_dump_json()) == sealed


def test_a_correction_may_move_a_fact_to_another_customer(keys: SubjectKeys) -> None:
    right = uuid4()
    corrected = FactCorrected(
        customer_id=CUSTOMER,
        corrected_version=1,
        name="complaint-received",
        fact=RECEIVED.model_copy(update={"customer_id": right}),
        reason=Personal.clear("a namesake"),
        corrected_by="li.wei",
        approved_by="zhang.min",
        corrected_at=AT,
    )
    _, disclosures = seal(corrected, keys)
    assert {each.path: each.subject_id for each in disclosures} == {
        "reason": CUSTOMER,
        "fact.content": right,
        "fact.customer_name": right,
        "fact.customer_identity_number": right,
    }


def test_many_are_sealed_with_one_look_for_keys(keys: SubjectKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[set[UUID]] = []
    keys_for = keys.keys_for

    def counted(subject_ids: Iterable[UUID]) -> dict[UUID, bytes]:
        asked.append(set(wanted := list(subject_ids)))
        return keys_for(wanted)

    monkeypatch.setattr(keys, "keys_for", counted)
    reply = FirstReplySent(
        customer_id=uuid4(), channel="letter", content=Personal.clear("Thank you."), sent_by="li.wei", sent_at=AT
    )
    sealed, disclosures = seal_all([RECEIVED, REGISTERED, reply], keys)
    assert [type(each) for each in sealed] == [ComplaintReceived, ComplaintRegistered, FirstReplySent]
    assert [each.event_index for each in disclosures] == [0, 0, 0, 2]
    assert asked == [{CUSTOMER, reply.customer_id}]


def test_nothing_more_is_sealed_for_an_erased_subject(keys: SubjectKeys) -> None:
    sealed, (disclosure, *_) = seal(RECEIVED, keys)
    keys.destroy(CUSTOMER, AT)
    with pytest.raises(SubjectErased):
        seal(RECEIVED, keys)
    assert seal(sealed, keys) == (sealed, [])
    with pytest.raises(KeyMissing):
        open_disclosure(disclosure.ciphertext, disclosure.digest, CUSTOMER, keys)


def test_no_changed_bit_of_a_ciphertext_opens(keys: SubjectKeys) -> None:
    _, disclosures = seal(RECEIVED, keys)
    key = keys.held([CUSTOMER])[CUSTOMER]
    for each in disclosures:
        for bit in range(len(each.ciphertext) * 8):
            with pytest.raises(DisclosureBroken):
                opened_with(key, flipped(each.ciphertext, bit), each.digest, CUSTOMER)


def test_a_value_opens_only_in_its_own_place(keys: SubjectKeys) -> None:
    _, (one, other, *_) = seal(RECEIVED, keys)
    stranger = uuid4()
    stranger_key = keys.keys_for([stranger])[stranger]
    key = keys.held([CUSTOMER])[CUSTOMER]
    for wrong_key, ciphertext, digest, subject_id in (
        (key, other.ciphertext, one.digest, CUSTOMER),
        (key, one.ciphertext, other.digest, CUSTOMER),
        (key, one.ciphertext, one.digest, stranger),
        (stranger_key, one.ciphertext, one.digest, CUSTOMER),
        (key, b"", one.digest, CUSTOMER),
    ):
        with pytest.raises(DisclosureBroken) as broken:
            opened_with(wrong_key, ciphertext, digest, subject_id)
        assert "王" not in str(broken.value)


@pytest.mark.parametrize("said", [b"", b"!!!", b"bnVsbA", b"W10", b"WzEsMiwzXQ", b"eyJhIjoxfQ", "é".encode()])
def test_what_is_no_disclosure_is_refused(said: bytes) -> None:
    with pytest.raises(DisclosureBroken):
        said_by(said)


def test_randomness_is_an_argument(keys: SubjectKeys) -> None:
    def counted() -> Iterator[bytes]:
        for n in count():
            yield n.to_bytes(16, "big")

    one, other = counted(), counted()
    assert seal(RECEIVED, keys, randomness=lambda size: next(one)[-size:]) == seal(
        RECEIVED, keys, randomness=lambda size: next(other)[-size:]
    )


@settings(max_examples=20, deadline=None)  # a store of its own for each
@given(st.text())
def test_every_text_comes_back(value: str) -> None:
    with TemporaryDirectory() as folder:
        keys = SubjectKeys.open(Path(folder) / "keys")
        _, disclosures = seal(RECEIVED.model_copy(update={"content": Personal.clear(value)}), keys)
        each = by_path(disclosures)["content"]
        assert open_disclosure(each.ciphertext, each.digest, CUSTOMER, keys).value == value
        keys.close()
