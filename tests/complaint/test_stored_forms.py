"""Every stored form that ever was is read for ever, as the same fact.

`stored_forms.json` is never edited, only added to: a form that is in it may be in somebody's book.
"""

from pathlib import Path

import orjson
import pytest
from pydantic_core import PydanticSerializationError

from ledger.complaint.events import COMPLAINT_NAMES, ComplaintEvent, FactAnnulled, FactCorrected
from ledger.complaint.moving import DeadlineExtended
from ledger.event import ClearValueInRecord, Personal, personal_fields
from tests.complaint.story import fact, fact_annulled, fact_corrected, recorded

FORMS = orjson.loads(Path(__file__).with_name("stored_forms.json").read_bytes())


def usual(name: str) -> ComplaintEvent:
    """The fact that the pinned form of this name stands for."""
    if COMPLAINT_NAMES[name] is FactAnnulled:
        return fact_annulled(2)
    if COMPLAINT_NAMES[name] is FactCorrected:
        return fact_corrected(1, fact("complaint-received", branch="shanghai-pudong-02"))
    if COMPLAINT_NAMES[name] is DeadlineExtended:  # as one command stated it
        return fact(name, approved_by="chen.jing", approver_rank="head-office-senior-management")
    return fact(name)


def stored(event: ComplaintEvent) -> bytes:
    """The bytes as the envelope writes them."""
    return orjson.dumps(event.model_dump(mode="json", exclude_none=True), option=orjson.OPT_SORT_KEYS)


def test_every_stored_name_has_its_pinned_form() -> None:
    assert set(FORMS) == set(COMPLAINT_NAMES)


@pytest.mark.parametrize("name", COMPLAINT_NAMES)
def test_a_stored_form_is_read_as_the_same_fact(name: str) -> None:
    kind = COMPLAINT_NAMES[name]
    assert kind.model_validate_json(orjson.dumps(FORMS[name])) == recorded(usual(name))
    assert stored(recorded(usual(name))) == orjson.dumps(FORMS[name], option=orjson.OPT_SORT_KEYS)


@pytest.mark.parametrize("name", COMPLAINT_NAMES)
def test_with_and_without_its_optional_fields_a_fact_comes_back(name: str) -> None:
    kind = COMPLAINT_NAMES[name]
    for event in (usual(name), bare(usual(name))):
        sealed = recorded(event)
        assert kind.model_validate_json(stored(sealed)) == sealed


def bare(event: ComplaintEvent) -> ComplaintEvent:
    optional = {name: field.default for name, field in type(event).model_fields.items() if not field.is_required()}
    return event.model_copy(update=optional)


@pytest.mark.parametrize(
    ("name", "field"), [(name, field) for name, kind in COMPLAINT_NAMES.items() for field, _ in personal_fields(kind)]
)
def test_a_clear_value_is_never_written(name: str, field: str) -> None:
    forgotten = recorded(usual(name)).model_copy(update={field: Personal.clear("张三")})
    with pytest.raises(PydanticSerializationError, match=ClearValueInRecord.__name__) as refused:
        stored(forgotten)
    assert "张三" not in str(refused.value)
