"""The page on deadlines, held against the program: its regime is good, its example comes out, its commands are there."""

import re
import tomllib
from pathlib import Path

import typer.main

from api.command.main import app
from ledger.deadlines.calendar import built_in_calendars
from ledger.deadlines.checking import check_regime
from ledger.deadlines.clock import clocks
from ledger.deadlines.regime import BUILT_IN, ClockRule, Deed, read_regime
from projections import sla
from tests.deadlines.facts import graded, numbered, received, shanghai

PAGE = (Path(__file__).parents[1] / "docs" / "deadlines.md").read_text(encoding="utf-8")
(EXAMPLE,) = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_regime_of_the_page_is_good_and_does_what_the_page_says() -> None:
    assert check_regime(EXAMPLE, built_in_calendars()) == []
    regime = read_regime(EXAMPLE)
    at = shanghai("2025-09-26T10:00")
    card = received(at).model_copy(update={"product": "credit-card"})
    for facts, last in (((card,), "2025-09-30"), ((card, graded("complex", at)), "2025-10-14")):
        (clock,) = clocks(numbered(*facts), [regime])
        assert clock.due_at == shanghai(f"{last}T23:59:59.999999")
    assert clocks(numbered(received(at)), [regime]) == []


def test_the_worked_day_of_the_page_comes_out() -> None:
    found = {clock.clock: clock for clock in clocks(numbered(received(shanghai("2025-09-26T10:00"))))}
    assert "from Friday 2025-09-26, five working days end\n  with Friday 2025-10-10" in PAGE
    assert found["resolution"].due_at == shanghai("2025-10-10T23:59:59.999999")


def test_the_fault_of_the_page_is_told_so() -> None:
    (told,) = re.findall(r"^mine\.toml, (line .*)$", PAGE, re.MULTILINE)
    faults = check_regime(EXAMPLE.replace("complaint-received", "complaint-recieved"))
    assert [str(fault) for fault in faults] == [told]


def test_what_the_page_names_is_there() -> None:
    commands = {
        f"{name} {inner}"
        for name in ("sla", "regime", "calendar")
        for inner in typer.main.get_command(app).commands[name].commands  # type: ignore[attr-defined]  # it is a group
    }
    assert set(re.findall(r"`(?:complaint-ledger )?((?:sla|regime|calendar) [a-z][a-z-]+)\b", PAGE)) <= commands
    assert all(f"`{name}`" in PAGE for name in BUILT_IN)
    described = " ".join(re.findall(r"^\| `(.*?)` \|", PAGE, re.MULTILINE))
    optional = {"name", "zh", "en", "source", "verified", "calendar"}
    assert all(re.search(rf"\b{field}\b", described) for field in set(ClockRule.model_fields) - optional)
    assert all(f"`{deed}`" in PAGE for deed in Deed)
    assert all(part in PAGE for part in (*sla.PARTS, *sla.PERIODS))
    assert tomllib.loads(EXAMPLE)["name"] == "card-centre"
