"""Every stored form that ever was of a customer, interaction, improvement or leak is read for ever, as the same fact.

`stored_forms.json` is never edited, only added to: a form that is in it may be in somebody's book.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
from pydantic_core import PydanticSerializationError

from api.parties import POSTED
from ledger.audit.events import AUDIT_NAMES
from ledger.audit.rules import RULES as FINDING
from ledger.customer.events import CUSTOMER_NAMES
from ledger.customer.rules import RULES as CUSTOMER
from ledger.event import ClearValueInRecord, Event, Personal, personal_fields
from ledger.improvement.action import RULES as ACTION
from ledger.improvement.events import IMPROVEMENT_NAMES, WarningLevel, WarningRaised
from ledger.improvement.indicator import RULES as INDICATOR
from ledger.improvement.risk import RULES as RISK
from ledger.improvement.survey import REVIEW_RULES as REVIEW
from ledger.improvement.survey import RULES as SURVEY
from ledger.interaction.events import INTERACTION_NAMES
from ledger.interaction.rules import RULES as INTERACTION
from ledger.leak.events import LEAK_NAMES
from ledger.leak.rules import RULES as LEAK
from ledger.names import STORED_NAMES
from ledger.standing import Rules
from tests.parties.telling import FIXED, ask, recorded

FORMS = orjson.loads(Path(__file__).with_name("stored_forms.json").read_bytes())
NAMES = {**CUSTOMER_NAMES, **INTERACTION_NAMES, **IMPROVEMENT_NAMES, **LEAK_NAMES, **AUDIT_NAMES}
ALL: tuple[Rules[Any], ...] = (CUSTOMER, INTERACTION, INDICATOR, SURVEY, REVIEW, RISK, ACTION, LEAK, FINDING)
MORE = {"customer_id": FIXED["customer_id"]}


def usual(name: str) -> Event:
    """The fact that the usual command states."""
    kind = STORED_NAMES[name]
    if kind is WarningRaised:
        return WarningRaised(
            indicator_id=UUID(int=1),
            warning_id=FIXED["measurement_id"],
            level=WarningLevel.MEDIUM,
            reason=Personal.clear("一日内同类投诉二十余件。"),
            thresholds_version=1,
            value_thousandths=84200,
            crossed_thousandths=85000,
            complaint_ids=(UUID(int=2),),
            raised_by="quality.wu",
            raised_at=datetime(2025, 10, 13, 2, tzinfo=UTC),
        )
    for rules in ALL:
        for command, fact in rules.facts.items():
            if fact is kind:
                more = MORE if "customer_id" in kind.model_fields else {}
                annulled = {"annulled_version": 2} if "annulled_version" in kind.model_fields else {}
                return rules.stated(kind, rules.nothing, ask(command), **more, **annulled)
    raise AssertionError(name)


def stored(event: Event) -> bytes:
    """The bytes as the envelope writes them."""
    return orjson.dumps(event.model_dump(mode="json", exclude_none=True), option=orjson.OPT_SORT_KEYS)


def test_every_stored_name_has_its_pinned_form() -> None:
    assert set(FORMS) == set(NAMES)


def test_every_command_is_posted_somewhere_and_states_a_fact() -> None:
    assert {each.command for each in POSTED} == {command for rules in ALL for command in rules.facts}
    assert {fact for rules in ALL for fact in rules.facts.values()} == set(NAMES.values())


@pytest.mark.parametrize("name", NAMES)
def test_a_stored_form_is_read_as_the_same_fact(name: str) -> None:
    assert NAMES[name].model_validate_json(orjson.dumps(FORMS[name])) == recorded(usual(name))
    assert stored(recorded(usual(name))) == orjson.dumps(FORMS[name], option=orjson.OPT_SORT_KEYS)


@pytest.mark.parametrize("name", NAMES)
def test_without_its_optional_fields_a_fact_comes_back(name: str) -> None:
    event = recorded(usual(name))
    optional = {field: each.default for field, each in NAMES[name].model_fields.items() if not each.is_required()}
    bare = event.model_copy(update=optional)
    assert NAMES[name].model_validate_json(stored(bare)) == bare


@pytest.mark.parametrize(
    ("name", "field"), [(name, field) for name, kind in NAMES.items() for field, _ in personal_fields(kind)]
)
def test_a_clear_value_is_never_written(name: str, field: str) -> None:
    forgotten = recorded(usual(name)).model_copy(update={field: Personal.clear("张三")})
    with pytest.raises(PydanticSerializationError, match=ClearValueInRecord.__name__) as refused:
        stored(forgotten)
    assert "张三" not in str(refused.value)
