"""Every stored form that ever was of a policy or of the passing of time is read for ever, as the same fact.

`stored_forms.json` is never edited, only added to: a form that is in it may be in somebody's book.
"""

from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import orjson
import pytest

from ledger.complaint.moving import Unit
from ledger.deadlines.calendar import Calendar
from ledger.deadlines.regime import Span, built_in_regimes
from ledger.event import Event
from ledger.names import NAME_OF, STORED_NAMES
from ledger.policy.events import (
    POLICY_NAMES,
    AnyPolicyEvent,
    CalendarPublished,
    RegimePublished,
    RegimePutInForce,
    RegimeRetired,
)
from ledger.timekeeping.events import (
    TIMEKEEPING_NAMES,
    AnyTimekeeperEvent,
    DeadlineApproaching,
    DeadlineIssuedAnew,
    DeadlineMissed,
)

FORMS = orjson.loads(Path(__file__).with_name("stored_forms.json").read_bytes())
AT = datetime(2026, 3, 2, 4, tzinfo=UTC)
DECIDED = {"decided_by": "chen.jing", "decided_at": AT}
CLOCK = {
    "complaint_id": UUID("00000000-0000-4000-8000-000000000001"),
    "regime": "house",
    "regime_version": 1,
    "calendar_version": 1,
    "clock": "resolution",
    "starts_at": AT,
    "limit": Span(amount=5, unit=Unit.WORKING_DAYS),
    "due_at": datetime(2026, 3, 9, 15, 59, 59, 999999, tzinfo=UTC),
}
CALENDAR = {
    "name": "small",
    "version": 1,
    "title": "A small calendar",
    "zone": "Asia/Shanghai",
    "settled_from": "2026-01-01",
    "settled_through": "2026-12-28",
    "estimated_through": "2026-12-31",
    "remarks": "",
    "day_starts": [{"since": "2026-01-01", "utc_offset_minutes": 480}],
    "notices": {"2026": "a notice"},
    "days": [
        {"on": "2026-01-01", "kind": "holiday", "zh": "元旦", "en": "New Year's Day", "notice": "2026"},
        {"on": "2026-01-04", "kind": "make-up-working-day", "zh": "补班", "en": "Works", "notice": "2026"},
        {"on": "2026-02-16", "kind": "half-day", "zh": "半天", "en": "Half a day", "notice": "2026"},
    ],
}


def usual() -> dict[str, Event]:
    """One event of each form; a form with a suffix is another of the same name."""
    regimes = {f"regime-published/{regime.name}": regime for regime in built_in_regimes()}
    published = {
        form: RegimePublished(regime=regime, in_force_from=date(2026, 3, 3), published_by="chen.jing", published_at=AT)
        for form, regime in regimes.items()
    }
    return {
        **published,
        "regime-put-in-force": RegimePutInForce(
            name="cbirc-2020-3", version=1, in_force_from=date(2026, 3, 3), **DECIDED
        ),
        "regime-retired": RegimeRetired(
            name="house", retired_from=date(2026, 3, 3), reason="replaced by our own", **DECIDED
        ),
        "calendar-published": CalendarPublished(
            calendar=Calendar.model_validate_json(orjson.dumps(CALENDAR)), published_by="chen.jing", published_at=AT
        ),
        "deadline-approaching": DeadlineApproaching(
            **CLOCK, before=Span(amount=1, unit=Unit.WORKING_DAYS), approached_at=datetime(2026, 3, 8, 16, tzinfo=UTC)
        ),
        "deadline-missed": DeadlineMissed(**CLOCK),
        "deadline-issued-anew": DeadlineIssuedAnew(
            **CLOCK, provisional=False, calendar_version_before=1, due_before_at=AT
        ),
    }


def stored(event: Event) -> bytes:
    """The bytes as the envelope writes them."""
    return orjson.dumps(event.model_dump(mode="json", exclude_none=True), option=orjson.OPT_SORT_KEYS)


def test_every_stored_name_has_its_pinned_form() -> None:
    assert {form.partition("/")[0] for form in FORMS} == {*POLICY_NAMES, *TIMEKEEPING_NAMES}
    assert set(FORMS) >= set(usual())


@pytest.mark.parametrize("form", FORMS)
def test_a_stored_form_is_read_and_written_the_same(form: str) -> None:
    kind = STORED_NAMES[form.partition("/")[0]]
    event = kind.model_validate_json(orjson.dumps(FORMS[form]))
    assert stored(event) == orjson.dumps(FORMS[form], option=orjson.OPT_SORT_KEYS)
    if form in usual() and kind is not RegimePublished:  # a built-in regime may get a next version
        assert event == usual()[form]


def test_a_version_of_a_built_in_regime_never_changes() -> None:
    """A changed file is a new version, and gets a pinned form of its own."""
    for form, event in usual().items():
        assert isinstance(event, RegimePublished) is form.startswith("regime-published/")
        if isinstance(event, RegimePublished) and event.regime.version == FORMS[form]["regime"]["version"]:
            assert orjson.loads(stored(event)) == FORMS[form]


def test_the_unions_and_the_stored_names_hold_the_same_classes() -> None:
    assert set(AnyPolicyEvent.__args__) == set(POLICY_NAMES.values())
    assert set(AnyTimekeeperEvent.__args__) == set(TIMEKEEPING_NAMES.values())
    assert len(NAME_OF) == len(STORED_NAMES)
