"""Which key may sign which size, and the stored forms of the facts about a book as a whole."""

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from ledger.attesting.events import (
    ATTESTING_NAMES,
    AttestingEvent,
    BookSucceeded,
    VerifierKeyIntroduced,
    VerifierKeyRetired,
)
from ledger.attesting.keys import KeyInForce, keys_in_force

FORMS = orjson.loads(Path(__file__).with_name("stored_forms.json").read_bytes())
AT = datetime(2026, 3, 2, 4, tzinfo=UTC)
FIRST = "bank.example/main+00000001+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
SECOND = "bank.example/main+00000002+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB"

EVENTS: dict[str, AttestingEvent] = {
    "verifier-key-introduced": VerifierKeyIntroduced(verifier_key=FIRST, introduced_by="checkpoints", introduced_at=AT),
    "verifier-key-retired": VerifierKeyRetired(
        verifier_key=FIRST, reason="yearly", retired_by="zhang.min", retired_at=AT
    ),
    "book-succeeded": BookSucceeded(
        predecessor_origin="bank.example/main",
        kept_size=6,
        kept_root="0" * 64,
        signed_size=9,
        signed_root="1" * 64,
        checkpoint="bank.example/main\n9\nx\n\n\N{EM DASH} bank.example/main x\n",
        reason="disk failure",
        decided_by="zhang.min",
        decided_at=AT,
    ),
}


@pytest.mark.parametrize("name", ATTESTING_NAMES)
def test_a_stored_form_is_read_for_ever(name: str) -> None:
    assert ATTESTING_NAMES[name].model_validate(FORMS[name]) == EVENTS[name]
    assert EVENTS[name].model_dump(mode="json", exclude_none=True) == FORMS[name]


def test_a_key_signs_from_its_introduction_up_to_its_retirement() -> None:
    introduced, retired, _ = EVENTS.values()
    second = VerifierKeyIntroduced(verifier_key=SECOND, introduced_by="zhang.min", introduced_at=AT)
    keys = keys_in_force([(5, introduced), (8, second), (9, retired)])
    assert keys == (KeyInForce(FIRST, 5, 9), KeyInForce(SECOND, 8, None))
    assert [keys[0].signs(size) for size in (4, 5, 8, 9)] == [False, True, True, False]
    assert [keys[1].signs(size) for size in (7, 8, 10**9)] == [False, True, True]
    assert keys_in_force([(1, EVENTS["book-succeeded"])]) == ()
    assert keys_in_force([(5, introduced), (6, introduced), (9, retired), (10, retired)]) == (KeyInForce(FIRST, 5, 9),)
