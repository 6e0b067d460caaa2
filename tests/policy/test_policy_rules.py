"""Each rule of policies: it allows, it refuses, it stays quiet."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from ledger.complaint.refusals import InTheFuture
from ledger.deadlines.calendar import built_in_calendars
from ledger.deadlines.regime import BUILT_IN, built_in_regimes, default_regimes
from ledger.policy import commands as ask
from ledger.policy import refusals as no
from ledger.policy.built_in import built_in_policies, policies_stream
from ledger.policy.events import CalendarPublished, PolicyEvent, RegimePublished, RegimePutInForce, RegimeRetired
from ledger.policy.rules import decide
from ledger.policy.state import Policies, policies
from ledger.record.book import book_id
from ledger.refusal import Refusal
from ledger.subjects import subject_of
from tests.complaint.story import COMPLAINT_ID
from tests.policy.stories import (
    CHINA,
    FOUNDED,
    HOUSE,
    NOW,
    TOMORROW,
    calendar_published,
    china,
    founded,
    house,
    regime_published,
)

CBIRC = next(regime for regime in built_in_regimes() if regime.name == "cbirc-2020-3")
WHO = {"published_by": "chen", "published_at": NOW}
DECIDED = {"decided_by": "chen", "decided_at": NOW}


def publish(version: int = 2, since: date | None = TOMORROW, **days: int) -> ask.PublishRegime:
    return ask.PublishRegime(regime=house(version, **(days or {"general": 6})), in_force_from=since, **WHO)


def put(name: str = "cbirc-2020-3", since: date = TOMORROW, **changed: Any) -> ask.PutRegimeInForce:
    return ask.PutRegimeInForce(name=name, in_force_from=since, **(DECIDED | changed))


def retire(name: str = "house", since: date = TOMORROW) -> ask.RetireRegime:
    return ask.RetireRegime(name=name, retired_from=since, reason="replaced", **DECIDED)


def announce(version: int = 2, through: date = date(2027, 12, 28), *days: date) -> ask.PublishCalendar:
    return ask.PublishCalendar(calendar=china(version, through, *days), **WHO)


ALLOWED: list[tuple[ask.PolicyCommand, PolicyEvent]] = [
    (publish(), regime_published(house(2, general=6), TOMORROW)),
    (publish(since=None), regime_published(house(2, general=6), None)),
    (put(), RegimePutInForce(name="cbirc-2020-3", version=1, in_force_from=TOMORROW, **DECIDED)),
    (retire(), RegimeRetired(name="house", retired_from=TOMORROW, reason="replaced", **DECIDED)),
    (announce(), calendar_published(china(2, date(2027, 12, 28)))),
]


@pytest.mark.parametrize(("command", "event"), ALLOWED, ids=lambda each: type(each).__name__)
def test_it_is_recorded_once(command: ask.PolicyCommand, event: PolicyEvent) -> None:
    assert decide(founded(), command, NOW) == [event]
    assert decide(founded(event), command, NOW + timedelta(days=9)) == []


def refused(command: ask.PolicyCommand, *later: PolicyEvent, now: datetime = NOW) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        decide(founded(*later), command, now)
    assert str(refusal.value).endswith(refusal.value.remedy)
    assert "{" not in str(refusal.value)
    return refusal.value


REFUSED: list[tuple[ask.PolicyCommand, type[Refusal], dict[str, Any]]] = [
    (publish(1), no.VersionNotNext, {"given": 1, "next_version": 2}),
    (publish(3), no.VersionNotNext, {"given": 3, "next_version": 2}),
    (publish(2, general=5), no.NothingNew, {"version": 1}),
    (publish(since=TOMORROW - timedelta(days=1)), no.InForceTooEarly, {"earliest": TOMORROW}),
    (publish().model_copy(update={"published_at": NOW + timedelta(hours=1)}), InTheFuture, {"field": "published_at"}),
    (put("nobody"), no.RegimeUnknown, {"known": BUILT_IN}),
    (put(since=date(2020, 1, 1)), no.InForceTooEarly, {"earliest": TOMORROW}),
    (put(decided_at=NOW + timedelta(hours=1)), InTheFuture, {"field": "decided_at"}),
    (retire("cbirc-2020-3"), no.NotInForce, {"name": "cbirc-2020-3"}),
    (retire(since=date(2026, 3, 2)), no.InForceTooEarly, {"earliest": TOMORROW}),
    (announce(3), no.VersionNotNext, {"given": 3, "next_version": 2}),
    (announce(2, CHINA.settled_through), no.NothingNew, {"version": 1}),
    (announce(2, date(2026, 6, 30)), no.SettledDaysLost, {"settled_through": CHINA.settled_through}),
]


@pytest.mark.parametrize(("command", "kind", "facts"), REFUSED)
def test_it_is_refused(command: ask.PolicyCommand, kind: type[Refusal], facts: dict[str, Any]) -> None:
    refusal = refused(command)
    assert type(refusal) is kind
    assert {name: refusal.facts()[name] for name in facts} == facts


def test_a_regime_goes_by_a_published_calendar() -> None:
    elsewhere = house(2).model_copy(update={"calendar": "mars", "name": "ours", "version": 1})
    refusal = refused(ask.PublishRegime(regime=elsewhere, **WHO))
    assert refusal.facts() == {"regime": "ours", "calendar": "mars", "known": tuple(built_in_calendars())}


def test_the_day_is_the_latest_that_has_begun_where_the_regime_counts() -> None:
    """18:00 UTC is already the next day in Shanghai, and not yet in London."""
    evening = NOW + timedelta(hours=14)
    assert type(refused(publish(), now=evening)) is no.InForceTooEarly
    fca = put("fca-disp").model_copy(update={"decided_at": evening})
    assert len(decide(founded(), fca, evening)) == 1


def test_a_regime_that_no_clock_could_follow_is_not_published() -> None:
    (first, *others) = CBIRC.clocks
    asks = first.suspensions[0].model_copy(update={"needs": ("told_at",)})
    broken = CBIRC.model_copy(
        update={"version": 2, "clocks": (first.model_copy(update={"suspensions": (asks,)}), *others)}
    )
    refusal = refused(ask.PublishRegime(regime=broken, **WHO))
    assert type(refusal) is no.RegimeUnsound
    (fault,) = refusal.facts()["faults"]  # type: ignore[misc]  # a tuple of sentences
    assert "clocks.1.suspensions.1.needs: the fact appraisal-started has no field 'told_at'" in fault


def test_what_is_in_force_already_is_so() -> None:
    assert decide(founded(), put("house"), NOW) == []


class TestWhatIsInForce:
    def test_a_new_book_publishes_everything_and_goes_by_the_house(self) -> None:
        known = founded()
        assert set(known.regimes) == set(BUILT_IN)
        assert known.published_calendars() == known.newest_calendars() == dict(built_in_calendars())
        assert [regime.name for regime in known.in_force()] == ["house"]
        assert known.regime_on("house", date(1970, 1, 1)) == HOUSE

    def test_more_can_be_put_in_force_from_the_beginning(self) -> None:
        known = policies(built_in_policies("setup", NOW, in_force=("house", "cbirc-2020-3")))
        assert [regime.name for regime in known.in_force()] == ["house", "cbirc-2020-3"]

    def test_questions_are_asked_in_days_of_the_first_regime_in_force(self) -> None:
        assert Policies().calendar == founded().calendar == CHINA
        english = policies(built_in_policies("setup", NOW, in_force=("fca-disp",)))
        assert english.calendar.zone == "Europe/London"
        corrected = china(2, date(2027, 12, 28))
        assert founded(calendar_published(corrected)).calendar == corrected
        gone = RegimeRetired(name="house", retired_from=TOMORROW, reason="replaced", **DECIDED)
        assert founded(gone).calendar == CHINA, "until another one is in force"

    def test_a_clock_is_called_as_the_newest_version_that_has_it_says(self) -> None:
        (first, resolution) = HOUSE.clocks
        renamed = HOUSE.model_copy(update={"version": 2, "clocks": (first.model_copy(update={"zh": "初次答复"}),)})
        labels = founded(regime_published(renamed, TOMORROW)).clock_labels
        assert labels["house", "first-reply"] == ("初次答复", "First reply")
        assert labels["house", "resolution"] == (resolution.zh, resolution.en), "what was called so runs on"

    def test_an_old_book_without_policies_goes_by_what_is_built_in(self) -> None:
        assert [version for regime in Policies().in_force() for _, version in regime.versions] == list(
            default_regimes()
        )

    def test_from_its_day_on_the_new_version_applies(self) -> None:
        known = founded(regime_published(house(2, general=6), TOMORROW))
        assert known.regime_on("house", TOMORROW) == house(2, general=6)
        assert known.regime_on("house", TOMORROW - timedelta(days=1)) == HOUSE

    def test_a_version_that_was_never_in_force_is_overridden_by_an_earlier_day(self) -> None:
        known = founded(
            regime_published(house(2, general=6), date(2026, 6, 1)), regime_published(house(3, general=7), TOMORROW)
        )
        assert known.regime_on("house", date(2026, 7, 1)) == house(3, general=7)
        (in_force,) = known.in_force()
        assert [version.version for _, version in in_force.versions if version] == [1, 3, 3]

    def test_after_its_retirement_there_is_none(self) -> None:
        retired = RegimeRetired(name="house", retired_from=TOMORROW, reason="replaced", **DECIDED)
        assert founded(retired).regime_on("house", TOMORROW) is None
        again = RegimePutInForce(name="house", version=1, in_force_from=date(2026, 5, 1), **DECIDED)
        assert founded(retired, again).regime_on("house", date(2026, 5, 1)) == HOUSE

    def test_published_and_not_in_force_it_applies_to_nothing(self) -> None:
        known = founded(regime_published(house(2, general=6), None))
        assert known.regime_on("house", date(2030, 1, 1)) == HOUSE
        assert decide(known, put("house"), NOW) == [
            RegimePutInForce(name="house", version=2, in_force_from=TOMORROW, **DECIDED)
        ]


def test_all_policies_of_a_book_have_one_stream_and_each_book_its_own() -> None:
    command = ask.RetireRegime(name="house", retired_from=TOMORROW, reason="replaced", **DECIDED)
    policies_of = subject_of(type(command))
    assert policies_of.name == "policies"
    assert policies_of.stream(command, COMPLAINT_ID) == policies_stream(COMPLAINT_ID)
    assert policies_stream(COMPLAINT_ID) != policies_stream(book_id("another"))


def test_a_policy_is_found_by_name_and_version() -> None:
    known = founded(regime_published(house(2, general=6), TOMORROW))
    assert [known.regime_named("house", version).version for version in (None, 1, 2)] == [2, 1, 2]
    assert known.calendar_named("china") == CHINA
    for version in (0, 3):
        with pytest.raises(no.RegimeUnknown):
            known.regime_named("house", version)
    for name, version in (("mars", None), ("china", 2)):
        with pytest.raises(no.CalendarUnpublished):
            known.calendar_named(name, version)


def test_every_refusal_is_raised() -> None:
    raised = {kind for _, kind, _ in REFUSED} | {no.CalendarUnknown, no.CalendarUnpublished, no.RegimeUnsound}
    defined = {each for each in vars(no).values() if isinstance(each, type) and issubclass(each, Refusal)} - {Refusal}
    assert defined <= raised


def test_policies_are_published_in_full() -> None:
    for event in FOUNDED:
        again = type(event).model_validate_json(event.model_dump_json(exclude_none=True))
        assert again == event
    assert {type(event) for event in FOUNDED} == {CalendarPublished, RegimePublished}
