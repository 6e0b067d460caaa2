"""Code tables, routing and limits as facts: each rule allows, refuses, and stays quiet."""

from datetime import UTC, date, datetime
from typing import Any

import orjson
import pytest

from ledger.refusal import Refusal
from ledger.tables import refusals as no
from ledger.tables.commands import TABLES_COMMANDS, TablesCommand
from ledger.tables.events import TABLES_NAMES, TablesEvent
from ledger.tables.rules import decide
from ledger.tables.state import Tables, evolve, fold
from ledger.tables.table import MAPPED, Coded, built_in_tables, label

NOW = datetime(2025, 10, 1, tzinfo=UTC)
AT = datetime(2025, 9, 1, tzinfo=UTC)
SHORT = [{"code": "spoken", "zh": "口头", "en": "By word"}, {"code": "written", "zh": "书面", "en": "In writing"}]

USUAL: dict[str, dict[str, Any]] = {
    "publish-code-tables": {
        "tables": {"negotiation-manner": SHORT},
        "published_by": "sun.yu",
        "published_at": AT,
    },
    "publish-routing": {
        "routes": {"service": "客户服务部", "price": "信用卡中心"},
        "published_by": "sun.yu",
        "published_at": AT,
    },
    "publish-approval-limits": {
        "limits": [{"approver_rank": "supervisor", "currency": "CNY", "amount_minor_max": 100_000}],
        "published_by": "sun.yu",
        "published_at": AT,
    },
    "exercise-emergency-plan": {
        "plan": "funds-at-risk",
        "exercised_on": date(2025, 8, 20),
        "result": "合格",
        "exercised_by": "sun.yu",
        "noted_at": AT,
    },
}
FACT = dict(zip(USUAL, TABLES_NAMES, strict=True))


def ask(name: str, **changed: Any) -> TablesCommand:
    return TABLES_COMMANDS[name].model_validate({**USUAL[name], **changed})


def fact(name: str) -> TablesEvent:
    (event,) = decide(Tables(), ask(name), NOW)
    return event


@pytest.mark.parametrize("name", USUAL)
def test_a_command_leads_to_its_fact_once(name: str) -> None:
    event = fact(name)
    assert type(event) is TABLES_NAMES[FACT[name]]
    assert decide(evolve(Tables(), event), ask(name), NOW) == []


@pytest.mark.parametrize("name", USUAL)
def test_a_stored_form_comes_back(name: str) -> None:
    event = fact(name)
    assert type(event).model_validate_json(orjson.dumps(event.model_dump(mode="json"))) == event


def test_folding_in_any_split_gives_the_same_tables() -> None:
    events = [fact(name) for name in USUAL]
    whole = fold(events)
    assert whole.version == len(events)
    assert all(fold(events[split:], fold(events[:split])) == whole for split in range(len(events) + 1))


def test_what_is_published_takes_the_place_of_what_was_built_in() -> None:
    known = fold([fact("publish-code-tables")])
    assert label("negotiation-manner", "spoken", "en", known.codes) == "By word"
    assert label("negotiation-manner", "spoken", "en") == "Spoken"
    assert known.codes["channel"] == built_in_tables()["channel"]


def test_a_retired_code_is_read_and_not_stated() -> None:
    rows = [{**SHORT[0], "retired": True}, SHORT[1]]
    known = fold(decide(Tables(), ask("publish-code-tables", tables={"negotiation-manner": rows}), NOW))
    assert known.current["negotiation-manner"] == ("written",)
    assert label("negotiation-manner", "spoken", "zh", known.codes) == "口头"


def grades(**changed: Any) -> list[dict[str, Any]]:
    rows = [row.model_dump() for row in built_in_tables()["grade"].values()]
    return [{**rows[0], **changed}, *rows[1:]]


REFUSED: list[tuple[TablesCommand, type[Refusal]]] = [
    (ask("publish-code-tables", tables={"negotiation-manner": SHORT[:1]}), no.CodesLost),
    (ask("publish-code-tables", tables={"negotiation-manner": [*SHORT, SHORT[0]]}), no.CodeTwice),
    (ask("publish-code-tables", tables={"grade": grades(retired=True)}), no.CodesFixed),
    (ask("publish-code-tables", tables={"grade": [*grades(), SHORT[0]]}), no.CodesFixed),
    (ask("publish-code-tables", published_at=datetime(2026, 1, 1, tzinfo=UTC)), no.PublishedInTheFuture),
    (ask("publish-routing", published_at=datetime(2026, 1, 1, tzinfo=UTC)), no.PublishedInTheFuture),
    (ask("publish-approval-limits", published_at=datetime(2026, 1, 1, tzinfo=UTC)), no.PublishedInTheFuture),
    (ask("exercise-emergency-plan", noted_at=datetime(2026, 1, 1, tzinfo=UTC)), no.PublishedInTheFuture),
    (ask("exercise-emergency-plan", exercised_on=date(2026, 1, 1)), no.PublishedInTheFuture),
    (ask("exercise-emergency-plan", plan="no-such-plan"), no.UnknownCode),
    (ask("publish-routing", routes={"nonsense": "客户服务部"}), no.UnknownCode),
    (
        ask(
            "publish-approval-limits",
            limits=[{"approver_rank": "porter", "currency": "CNY", "amount_minor_max": 1}],
        ),
        no.UnknownCode,
    ),
    (
        ask(
            "publish-approval-limits",
            limits=[{"approver_rank": "supervisor", "currency": "CNY", "amount_minor_max": n} for n in (1, 2)],
        ),
        no.LimitTwice,
    ),
]


@pytest.mark.parametrize(("command", "kind"), REFUSED)
def test_what_is_refused_says_what_to_do(command: TablesCommand, kind: type[Refusal]) -> None:
    with pytest.raises(kind) as refused:
        decide(Tables(), command, NOW)
    assert str(refused.value).endswith(kind.remedy)
    assert "{" not in str(refused.value)


def test_every_refusal_has_its_case() -> None:
    defined = {each for each in vars(no).values() if isinstance(each, type) and issubclass(each, Refusal)}
    assert defined - {Refusal} == {kind for _, kind in REFUSED}


def test_an_unknown_code_is_answered_with_those_that_exist() -> None:
    with pytest.raises(no.UnknownCode) as refused:
        decide(Tables(), ask("exercise-emergency-plan", plan="no-such-plan"), NOW)
    assert refused.value.known == tuple(built_in_tables()["emergency-plan"])


def test_a_place_in_the_standard_is_one_of_its_codes() -> None:
    row = Coded(code="house-issue", zh="本行事由", en="Issue of ours", more={"jrt": "no-such-reason"})
    rows = [*built_in_tables()["issue"].values(), row]
    with pytest.raises(no.UnknownCode) as refused:
        decide(Tables(), ask("publish-code-tables", tables={"issue": rows}), NOW)
    assert refused.value.table == "jrt-reason"
    better = [*rows[:-1], row.model_copy(update={"more": {"jrt": "disclosure"}})]
    assert len(decide(Tables(), ask("publish-code-tables", tables={"issue": better}), NOW)) == 1


def test_the_built_in_tables_could_be_published_as_they_are() -> None:
    tables = {name: list(rows.values()) for name, rows in built_in_tables().items()}
    published = decide(Tables(), ask("publish-code-tables", tables=tables), NOW)
    assert len(published) == 1
    assert fold(published).codes == built_in_tables()
    assert decide(fold(published), ask("publish-code-tables", tables=tables), NOW) == []
    for name, (key, target) in MAPPED.items():
        mapped = [row.more[key] for row in built_in_tables().get(name, {}).values() if key in row.more]
        assert set(mapped) <= set(built_in_tables()[target])
