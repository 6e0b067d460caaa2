"""The made-up year: allowed by the rules whenever it ends, near the published figures, filled once and only once."""

import re
import shlex
import signal
import stat
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from api.command.demo import likelihoods as likely
from api.command.demo import texts
from api.command.demo.complaints import year
from api.command.demo.drawn import Step, complaint_id
from api.command.demo.fill import COMPLAINTS, SEED, SHOWN, decided
from api.command.demo.hours import OfficeHours
from api.command.demo.officers import officers_say
from api.command.demo.parties import party_requests
from api.command.tokens import print_tokens
from ledger.access.roles import roles
from ledger.audit.events import AUDIT_NAMES
from ledger.command import Command
from ledger.complaint import commands as ask
from ledger.complaint.codes import code_tables
from ledger.complaint.events import ComplaintReceived, FirstReplySent, SatisfactionRated
from ledger.complaint.state import fold
from ledger.deadlines.calendar import built_in_calendars
from ledger.deadlines.clock import clocks, verdict
from ledger.given import Given, HeldUnder
from ledger.names import NAME_OF, STORED_NAMES
from ledger.settings import Settings
from ledger.subject import Subject
from ledger.subjects import subject_of
from tests.command.publication import EIGHTEEN, ROW_18
from tests.command.running import SECONDS_MAX, Answer, Program, run

CHINA = built_in_calendars()["china"]
HOURS = OfficeHours(CHINA)


def told(end_on: str, complaints: int = COMPLAINTS) -> list[list[Step]]:
    end = CHINA.day_begins_at(datetime.fromisoformat(end_on).date())
    return list(year(SEED, end, complaints, HOURS))


@pytest.fixture(scope="module")
def stories() -> list[list[Step]]:
    return told("2026-11-22")


UNUSED = {
    **dict.fromkeys(
        ("calendar-published", "regime-published", "regime-put-in-force"),
        "how every book begins, before the demo is filled",
    ),
    "regime-retired": "would take the demo's deadlines away",
    **dict.fromkeys(("outcome-stated", "outcome-disputed"), "another body's words about a complaint: `import cfpb`"),
    **dict.fromkeys(
        ("deadline-approaching", "deadline-missed", "deadline-issued-anew"),
        "found by the timekeeper, once it is served",
    ),
    **dict.fromkeys(
        (
            "return-sent",
            "return-restated",
            "return-acknowledged",
            "return-questioned",
            "return-question-answered",
            "return-due-set",
        ),
        "made of the figures at a position, by `returns`",
    ),
    **dict.fromkeys(
        ("personal-data-seen", "evidence-file-seen", "personal-data-searched"),
        "a look, by somebody who looks; the demo has no files",
    ),
    **dict.fromkeys(AUDIT_NAMES, "an auditor's, who found something in a complaint"),
    **dict.fromkeys(("deputy-named", "deputy-ended"), "the people of the demo are never away"),
    "permissions-reviewed": "signed by who looked through a report of the permissions",
    "erasure-request-ended": "the one request of the demo stands",
    **dict.fromkeys(
        ("erasure-approved", "subject-erased"), "destroys a key, at the latest when the demo is served next"
    ),
    **dict.fromkeys(
        ("verifier-key-introduced", "verifier-key-retired", "book-succeeded", "projection-sealed"),
        "of the book's own keeping, by `serve` and `book`",
    ),
}
"""What no fill records, and why."""


def share(items: list[object], wanted: object) -> float:
    return Counter(items)[wanted] / len(items)


@pytest.mark.parametrize("end_on", ["2025-02-03", "2025-10-04", "2026-02-16", "2026-05-06", "2026-12-31", "2027-03-01"])
def test_the_rules_allow_every_story_whenever_the_year_ends(end_on: str) -> None:
    for story in told(end_on, 600):
        answered = sum(step.answered_by is not None for step in story)
        assert len(decided(story)) == len(story) + answered, "each command is one fact, and so is each approval"


def test_the_same_seed_tells_the_same_year(stories: list[list[Step]]) -> None:
    assert told("2026-11-22")[:200] == stories[:200]


def test_a_year_is_of_one_year_and_ends_with_the_last_receipt(stories: list[list[Step]]) -> None:
    end = CHINA.day_begins_at(datetime(2026, 11, 22, tzinfo=UTC).date())
    moments = [step.at for story in stories for step in story]
    assert len(stories) == COMPLAINTS
    assert end - timedelta(days=366) < min(moments)
    assert max(moments) == stories[-1][-1].at == end - timedelta(minutes=1)
    assert stories[-1][0].command.complaint_id == complaint_id(SEED, COMPLAINTS)


def test_business_and_reasons_are_spread_as_was_published(stories: list[list[Step]]) -> None:
    received: list[object] = []
    reasons: list[object] = []
    for story in stories:
        classified = [step.command for step in story if isinstance(step.command, ask.ClassifyComplaint)]
        reasons += [classified[-1].category] if classified else []
        received += [step.command.product for step in story if isinstance(step.command, ask.ReceiveComplaint)]
    assert share(received, "debit-card") == pytest.approx(0.336, abs=0.03)
    assert share(received, "credit-card") == pytest.approx(0.291, abs=0.03)
    assert share(received, "loan") == pytest.approx(0.143, abs=0.02)
    assert share(reasons, "rules-and-processes") == pytest.approx(0.734, abs=0.03)
    assert share(reasons, "pricing-and-charges") == pytest.approx(0.086, abs=0.02)


def test_deadlines_are_mostly_kept_and_ratings_mostly_good(stories: list[list[Step]]) -> None:
    now = CHINA.day_begins_at(datetime(2026, 11, 22, tzinfo=UTC).date())
    verdicts: dict[str, Counter[str]] = {"first-reply": Counter(), "resolution": Counter()}
    scores: list[int] = []
    for story in stories[::4]:
        facts = list(enumerate(decided(story), start=1))
        if any(type(fact).__name__ in {"FactAnnulled", "FactCorrected"} for _, fact in facts):
            continue
        assert isinstance(facts[0][1], ComplaintReceived)
        assert sum(isinstance(fact, FirstReplySent) for _, fact in facts) <= 1
        scores += [fact.overall for _, fact in facts if isinstance(fact, SatisfactionRated)]
        for clock in clocks(facts):
            verdicts[clock.clock][verdict(clock, now)] += 1
    for clock, least, most in (("first-reply", 0.93, 0.97), ("resolution", 0.9, 0.96)):
        counted = verdicts[clock]
        assert least < counted["met"] / (counted["met"] + counted["missed"]) < most, counted
    assert verdicts["resolution"]["running"] > 0
    assert 3.8 < sum(scores) / len(scores) < 4.4


def test_the_shown_complaint_was_investigated_reopened_and_rated(stories: list[list[Step]]) -> None:
    kinds = {type(step.command) for step in stories[SHOWN - 1]}
    assert {ask.StartInvestigation, ask.ReopenComplaint, ask.RateSatisfaction, ask.CloseComplaint} <= kinds


def test_every_code_has_its_texts_and_tables() -> None:
    assert {reason.text for reason in likely.REASONS} == set(texts.COMPLAINTS)
    assert {business.code for business in likely.BUSINESS} <= set(code_tables()["product"])
    assert {reason.code for reason in likely.REASONS} == set(code_tables()["jrt-reason"])
    assert {business.department for business in likely.BUSINESS} <= set(texts.DEPARTMENTS)
    assert len({letters for _, letters in texts.DEPARTMENTS.values()}) == len(texts.DEPARTMENTS)


def demo_of(complaints: int, *words: str | Path) -> list[str]:
    """The command line of a demo of so many complaints."""
    begin = (
        f"from api.command.demo import fill; fill.COMPLAINTS = {complaints}; from api.command.main import run; run()"
    )
    return [sys.executable, "-c", begin, *map(str, words)]


@pytest.mark.parametrize("complaints", [400, pytest.param(COMPLAINTS, marks=pytest.mark.long)])
def test_an_interrupted_fill_goes_on_and_doubles_nothing(folder: Path, complaints: int) -> None:
    data = folder / "data"

    def run(*words: str | Path) -> Answer:
        line = demo_of(complaints, *words)
        done = subprocess.run(line, capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
        return Answer(done.returncode, done.stdout, done.stderr)

    filling = subprocess.Popen(
        demo_of(complaints, "demo", "--data", data), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert filling.stderr is not None
    for line in filling.stderr:
        if line.startswith("complaints: "):
            break
    filling.send_signal(signal.SIGKILL)
    filling.communicate()
    books = run("book", "list", "--data", data, "--json").json
    (begun,) = [each["events"] for each in books if each["book"] == "demo"]
    assert begun > 0

    assert run("demo", "--data", data, "--json").json["filled_now"] is True
    report = run("sla", "--book", "demo", "--data", data, "--json").json
    for line in report["lines"]:
        assert sum(line[kind] for kind in ("met", "missed", "running", "unknown", "void")) == complaints
    assert run("demo", "--data", data, "--json").json["filled_now"] is False
    assert run("verify", "--book", "demo", "--data", data, "--json").json["ok"]
    called, *words = shlex.split(run("demo", "--data", data).out.splitlines()[-1])
    assert called == ".venv/bin/complaint-ledger"
    shown = run(*words)
    assert shown.code == 0
    assert f"投诉历史, as known at position {int(words[words.index('--as-of') + 1]):,} of the book demo" in shown.out
    assert f"registered it as {words[1]}" in shown.out


@pytest.mark.parametrize("command", [("demo",), ("serve", "--demo", "--port", "0")])
def test_the_demo_goes_into_no_book_for_real_complaints(folder: Path, command: tuple[str, ...]) -> None:
    answer = run(*command, "--book", "main", "--data", folder / "data")
    assert (answer.code, answer.out) == (2, "")
    assert answer.complaint == (
        "the demo goes into a book whose name begins with demo, not into main: it cannot be taken out again"
    )
    assert not (folder / "data").exists()


def test_the_demos_tokens_stand_in_files_of_their_owner_and_not_on_the_screen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "tokens" / "management"
    kept.parent.mkdir()
    kept.write_text("of yesterday", encoding="ascii")
    kept.chmod(0o644)
    print_tokens(Settings(data=tmp_path, book="demo"), "http://127.0.0.1:8000/sla")
    said = capsys.readouterr().out
    assert f"curl -s http://127.0.0.1:8000/sla -H @{kept}" in said
    assert {each.name for each in kept.parent.iterdir()} == set(roles().roles)
    for file in kept.parent.iterdir():
        header = file.read_text(encoding="ascii")
        assert re.fullmatch(r"Authorization: Bearer [\w-]+\.[\w-]+\.[\w-]+\n", header)
        assert (stat.S_IMODE(file.stat().st_mode), header.split()[-1] in said) == (0o600, False)


def test_a_book_with_other_events_is_not_mixed_with_a_made_up_year(program: Program, book: str, tmp_path: Path) -> None:
    file = tmp_path / "one.csv"
    file.write_text(f"{EIGHTEEN}\n{ROW_18}\n", encoding="utf-8")
    name = f"demo-{book}"
    program("book", "create", name)
    program("import", "cfpb", file, "--book", name)
    answer = program("demo", "--book", name)
    assert answer.code == 2
    assert answer.complaint.startswith(f"the book {name} holds events that are not of the demo")


def test_the_year_uses_all_of_it(stories: list[list[Step]]) -> None:
    end = CHINA.day_begins_at(datetime(2026, 11, 22, tzinfo=UTC).date())
    kinds = {type(event) for request in party_requests(SEED, end, COMPLAINTS, HOURS) for event in request.events}
    seen: set[tuple[tuple[type[Command], bool], int]] = set()
    for story in stories:  # only those with a command that no story before had so often: the others say nothing new
        own = {(kind, nth) for kind, times in Counter(map(kind_of, story)).items() for nth in range(times)}
        if not own <= seen:
            seen |= own
            kinds |= {type(event) for event in decided(story)}
    states: dict[UUID, Any] = {
        complaint_id(SEED, number): fold(decided(stories[number - 1])) for number in (COMPLAINTS, COMPLAINTS - 1)
    }
    for command in officers_say(SEED, end, COMPLAINTS):
        for subject, stream_id, each in both(command, states):
            state = states.get(stream_id, subject.nothing)
            given = Given(end + timedelta(hours=1), held=HeldUnder(values=True))
            for event in subject.decide(state, each, given):
                kinds.add(type(event))
                state = subject.evolve(state, event)
            states[stream_id] = state
    assert {NAME_OF[kind] for kind in kinds} == set(STORED_NAMES) - set(UNUSED)


def kind_of(step: Step) -> tuple[type[Command], bool]:
    return type(step.command), step.declined is not None


def both(command: Command, states: dict[UUID, Any]) -> list[tuple[Subject[Any], UUID, Command]]:
    """The command with the stream that it is about, and what it leads to in another one."""
    subject = subject_of(type(command))
    found = subject.counterpart(command)
    second = None if found is None else found[1](states[found[0]])
    mine = [(subject, subject.stream(command, UUID(int=0)), command)]
    return mine if found is None or second is None else [*mine, (subject, found[0], second)]
