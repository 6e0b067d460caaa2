"""A faulty file is told line by line what to do, and a good one is let pass."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.deadlines.calendar import built_in_calendars
from ledger.deadlines.checking import check_calendar, check_regime
from ledger.deadlines.places import lines_of
from ledger.deadlines.regime import BUILT_IN

FILES = Path(__file__).parents[2] / "ledger" / "deadlines"
CBIRC = (FILES / "cbirc-2020-3.toml").read_text(encoding="utf-8")
HOUSE = (FILES / "house.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", BUILT_IN)
def test_what_is_built_in_has_no_fault(name: str) -> None:
    assert check_regime((FILES / f"{name}.toml").read_text(encoding="utf-8"), set(built_in_calendars())) == []


@pytest.mark.parametrize("name", ["china", "gb-eng", "us"])
def test_a_built_in_calendar_has_no_fault(name: str) -> None:
    assert check_calendar((FILES / f"{name}.toml").read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("written", "instead", "on_line", "says"),
    [
        (
            'stops = ["reply-sent"]',
            'stops = ["reply-send"]',
            "reply-send",
            "clocks.1: no fact is called 'reply-send': did you mean 'reply-sent'?",
        ),
        ("amount = 30, unit", "amount = 0, unit", "amount = 0", "clocks.1.extensions.1.to.amount: input should be"),
        ('calendar = "china"', 'calendar = "chna"', "chna", "calendar: no calendar 'chna' is published: did you mean"),
        ("new_facts = true", "newfacts = true", "newfacts", "the fact has no field 'newfacts': it has customer_id"),
        ('purpose = "window"', 'purpos = "window"', "purpos", "there is no purpos: did you mean 'purpose'?"),
        ('en = "Decision', 'an = "Decision', "an =", "clocks.1.an: there is no an: "),
        ('begins = "appraisal-started"', 'begins = "contact-noted"', "contact-noted", "use 'appraisal-started'"),
        ('unit = "calendar-days" }]\nwarn', 'unit = "fortnights" }]\nwarn', "fortnights", "use 'minutes', 'hours'"),
        ("[[clocks.suspensions]]", "[[clocks.suspensions", "[[clocks.suspensions", "this is not TOML"),
        ('starts = "reply-sent"', 'starts = "outcome-stated"', "outcome-stated", "does not say when it happened"),
        ('ranks = ["superior', 'colour = ["superior', "colour", "there is no colour"),
    ],
)
def test_a_fault_has_its_line_its_place_and_a_remedy(written: str, instead: str, on_line: str, says: str) -> None:
    assert written in CBIRC
    text = CBIRC.replace(written, instead, 1)
    faults = check_regime(text, {"china"})
    assert says in " ".join(map(str, faults))
    fault = next(each for each in faults if says in str(each))
    assert on_line in text.splitlines()[fault.line - 1]
    assert fault.remedy


@pytest.mark.parametrize(
    ("written", "instead", "on_line", "says"),
    [
        ('needs = ["complainant_told_at"]', 'needs = ["told_at"]', "told_at", "has no field 'told_at': use one of"),
        ("amount = 30, unit", "amount = 15, unit", "to = { amount = 15", "15 calendar days is no longer than the limit"),
        ('amount = 15, unit = "calendar-days"', 'amount = 900, unit = "years"', "900", "are more than 200 years"),
        ("{ amount = 3, unit", "{ amount = 1, unit", "warn_before", "1 calendar days stands there twice: take one out"),
        ("{ amount = 3, unit", "{ amount = 16, unit", "warn_before", "is more than the whole limit of 15: warn later"),
        ("new_facts = true", 'new_facts = "yes"', "new_facts", "is never 'yes': use one of false, true"),
        ("new_facts = true", 'reason = "fee"', "reason = ", "reason of complaint-reopened cannot be compared"),
        ("outcome-stated =", "fact-annulled =", "fact-annulled", "no clock ever sees 'fact-annulled': take it out"),
        ('stops = ["reply', 'applies_to = { urgent = ["true"] }\nstops = ["reply', "urgent", "write 'yes' or 'no'"),
        ('stops = ["reply', "applies_to = { product = [] }\nstops = [\"reply", "product", "holds for no complaint"),
        ('stops = ["reply', 'applies_to = { product = "loan" }\nstops = ["reply', "product", "must be a list: write it"),
        ('zh = "处理决定并告知投诉人"', 'zh = " "', 'zh = " "', "no label in this language"),
    ],
)  # fmt: skip
def test_what_no_clock_could_ever_do_is_told_before_it_is_published(
    written: str, instead: str, on_line: str, says: str
) -> None:
    """Each of these is a regime in form, and would silently do nothing, or stop whoever computes by it."""
    assert written in CBIRC
    text = CBIRC.replace(written, instead, 1)
    if "fact-annulled" in instead:
        text = text.replace(", when = { final = true } }", " }", 1)
    (fault,) = (each for each in check_regime(text, {"china"}) if says in str(each))
    assert on_line in text.splitlines()[fault.line - 1]


def test_what_is_missing_is_told_where_it_would_stand() -> None:
    text = CBIRC.replace('zh = "处理决定并告知投诉人"\n', "")
    (fault,) = check_regime(text)
    assert (text.splitlines()[fault.line - 1], fault.place) == ("[[clocks]]", "clocks.1.zh")
    assert fault.remedy == "add zh = …"


def test_every_fault_is_told_at_once_in_the_order_of_lines() -> None:
    text = CBIRC.replace("version = 1", "version = 0").replace("amount = 15", "amount = 0").replace("to =", "too =")
    faults = check_regime(text)
    assert len(faults) == 6
    assert [fault.line for fault in faults] == sorted(fault.line for fault in faults)


def test_a_day_of_a_calendar_is_found() -> None:
    text = (FILES / "gb-eng.toml").read_text(encoding="utf-8").replace("on = 2026-04-03", "on = 2026-04-04x", 1)
    (fault,) = check_calendar(text)
    assert "2026-04-04x" in text.splitlines()[fault.line - 1]
    twice = (FILES / "gb-eng.toml").read_text(encoding="utf-8").replace("on = 2026-04-06", "on = 2026-04-03", 1)
    (fault,) = check_calendar(twice)
    assert "2026-04-03" in twice.splitlines()[fault.line - 1]
    assert "state each day once" in fault.remedy


@pytest.mark.parametrize("text", [CBIRC, HOUSE, (FILES / "china.toml").read_text(encoding="utf-8")])
def test_every_value_has_its_line(text: str) -> None:
    lines, written = lines_of(text), text.splitlines()
    for path, value in walk(tomllib.loads(text)):
        assert path in lines
        if isinstance(value, str) and "\n" not in value and '"' not in value and len(value) < 60:
            assert value in written[lines[path] - 1], path


def walk(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], object]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(path, value), *(each for key, below in inner for each in walk(below, (*path, key)))]


@given(st.text(alphabet="[]{}=\"'#\n,.ab 1", max_size=60))
def test_no_text_is_too_strange_to_be_checked(text: str) -> None:
    assert check_regime(text)


@given(st.data())
def test_a_file_that_lost_some_lines_is_told_so_or_passes(data: st.DataObject) -> None:
    lines = CBIRC.splitlines(keepends=True)
    gone = data.draw(st.sets(st.integers(0, len(lines) - 1), max_size=4))
    text = "".join(line for number, line in enumerate(lines) if number not in gone)
    for fault in check_regime(text, {"china"}):
        assert 1 <= fault.line <= len(text.splitlines()) + 1
        assert fault.reason
        assert fault.remedy
