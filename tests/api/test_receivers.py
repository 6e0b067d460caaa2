"""Every answer that a regulator's token can get, walked: no position, stream or event of the book can be told from one."""

import base64
import io
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import openpyxl
import orjson
import pytest

from api.app import create_app
from api.caller import BY_THE_DOOR, action_of, guarded
from api.return_routes import ONE, RETURN_EXAMPLES
from ledger.access.roles import roles
from ledger.application import Ledger
from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.returns import commands as ask
from ledger.vault.keys import SubjectKeys
from projections.indicators.asking import PARTS
from projections.regulator.door import bring_up, database_of, open_door
from projections.returns.asking import Pseudonyms, key_name
from projections.worker import catch_up
from tests.api.conftest import bearer
from tests.projections.stories import interleaved, record

HERE = ONE.format(name="jrt-0169", receiver="pboc", begins_on="2026-01-01", ends_on="2026-06-30")
COMPLAINTS = 40
COUNTS_MAX = 100
"""Whole numbers up to this one are counts in the answers; the positions that could be told are all above it."""

TELLS_OF_THE_BOOK = frozenset(
    {
        *("book", "projections", "codes", "regimes", "regime", "calendars", "calendar", "indicators", "return-forms"),
        *("newest-checkpoint", "checkpoints", "checkpoint-of-size", "keys", "inclusion-proof", "entry"),
        *("consistency-proof", "entry-bundle", "hash-tile", "door-seal"),
    }
)
"""What says how large the book is, by which tables and rules it goes, and proves it: of no complaint, figure or return."""

STATED = frozenset({"known_at.position", "from_position", "to_position", "position"})
"""The positions that are given on purpose: of a document, that of the checkpoint that it goes by; of a door, where it stood."""


class Got(NamedTuple):
    """An answer, and where positions may stand in it."""

    action: str
    answer: httpx.Response
    stated: frozenset[str] = frozenset()


@pytest.fixture(scope="module")
def pboc(keys: SubjectKeys, ledger: Ledger) -> dict[str, str]:
    return bearer(keys, ledger.book, "officer.fan", "regulator", receivers=["pboc"])


@pytest.fixture(scope="module")
def got(client: httpx.Client, ledger: Ledger, database: Database, pboc: dict[str, str]) -> list[Got]:
    """What it gets, once a return was sent to it, a door opened, and a question answered."""
    record(database, ledger.book, interleaved(5, COMPLAINTS))
    catch_up(database, ledger.book, "indicators")
    size = client.get("/book").json()["size"]
    submission = sent(client, size)
    open_door(database, "pboc")
    bring_up(database, ledger.book, "pboc", Pseudonyms(ledger.keys.secret(key_name(ledger.book, "pboc"))))
    return list(everything(client, submission, pboc))


def sent(client: httpx.Client, size: int) -> str:
    draft = client.get(f"{HERE}/draft", params={"position": size})
    about = {"position": draft.json()["known_at"]["position"], "root": draft.json()["known_at"]["root"]}
    body = {**RETURN_EXAMPLES[ask.SendReturn], **about, "judged_at": draft.json()["judged_at"], "sent_at": now()}
    digest = base64.b64decode(draft.headers["repr-digest"].partition(":")[2].rstrip(":")).hex()
    done = client.post(f"{HERE}/sending", json={**body, "digest": digest, "document": draft.text})
    assert done.status_code == 200, done.text
    client.get(HERE, params={"position": done.json()["last_position"]})
    return str(done.json()["assigned"]["submission_id"])


def now() -> str:
    return datetime.now(UTC).isoformat()


def everything(client: httpx.Client, submission: str, pboc: dict[str, str]) -> Iterator[Got]:
    at = f"{HERE}/submissions/{submission}"
    about = {"submission_id": submission, "noted_by": "officer.fan"}
    for action, path, more in (
        ("acknowledge-return", "acknowledgements", {"acknowledged_at": now()}),
        ("question-return", "questions", {"questioned_at": now(), "question": "为何增加"}),
    ):
        done = client.post(f"{HERE}/{path}", json={**about, **more}, headers=pboc)
        assert done.status_code == 200, done.text
        yield Got(action, done)
    for action, path, asked in (
        ("figures", "/figures/received", {"from": "2026-01-01", "to": "2026-06-30", "by": "product"}),
        ("figures", "/figures/resolution-time", {"period": "year", "from": "2026-01-01"}),
        ("sla-report", "/sla", {"by": "channel", "period": "month"}),
        ("survey-scores", f"/surveys/{uuid4()}/scores", {}),
        ("returns-sent", "/returns", {"receiver": "pboc", "limit": 1}),
        ("return-now", HERE, {}),
        ("return-document", at, {"as": "json"}),
        ("return-document", at, {"as": "csv"}),
        ("return-document", at, {"as": "xlsx"}),
        ("return-cell", f"{at}/cell", {"column": "number", "limit": 3}),
        ("door-rows", "/regulator/pboc/complaints", {"limit": 3}),
    ):
        stated = STATED if action in {"return-document", "door-rows"} else frozenset()
        yield Got(action, client.get(path, params=asked, headers=pboc), stated)


def test_each_route_that_it_may_ask_was_walked(got: list[Got], ledger: Ledger, database: Database) -> None:
    routes = {action_of(route) for route in guarded(create_app(ledger, database, keeps_up=False))}
    may = {action for action in routes if "regulator" in (roles().of_action(action) or ())}
    assert may == {each.action for each in got} | TELLS_OF_THE_BOOK
    for each in got:
        assert each.answer.status_code == 200, each.answer.text


def test_no_answer_leads_into_the_book(got: list[Got], ledger: Ledger, database: Database) -> None:
    with closing(database.connect(Role.AUDITOR)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT stream_id FROM ledger.event WHERE book = %s", (ledger.book,))
        streams = {str(stream_id) for (stream_id,) in cursor.fetchall()}
        cursor.execute("SELECT max(position) FROM ledger.event WHERE book = %s", (ledger.book,))
        ((last,),) = cursor.fetchall()
    assert last > 2 * COUNTS_MAX
    assert len(streams) > COMPLAINTS
    for each in got:
        told = text_of(each.answer)
        named = {stream_id for stream_id in streams if stream_id in told or stream_id.replace("-", "") in told}
        assert not named, f"{each.action}: {named}"
        assert "ledger-position" not in each.answer.headers or each.stated, each.action
        if each.answer.headers["content-type"] != "application/json":
            continue
        content = orjson.loads(each.answer.content)
        for path, value in leaves(content):
            place = ".".join(step for step in path if not step.isdigit())
            if any(place == stated or place.endswith(f".{stated}") for stated in each.stated):
                continue
            is_place = type(value) is int and COUNTS_MAX < value <= last
            assert not is_place, f"{each.action}: {place} is {value}"
            called = place.rpartition(".")[2]
            assert value is None or called not in {"position", "known_at", "return_id", "cases_at"}, f"{place}: {value}"
        cursors = [value for path, value in leaves(content) if path[-1] == "next_cursor" and value is not None]
        for key in (part for cursor in cursors for part in orjson.loads(base64.urlsafe_b64decode(cursor + "=="))):
            assert each.stated or type(key) is not int or key <= COUNTS_MAX, f"{each.action}: the cursor holds {key}"


NARROWING = (
    ("/figures/received", {"now": "2026-03-02T10:00:00.000001+08:00"}),
    *(("/figures/received", {"by": part}) for part in ("handler", "department", "branch", "tier", "hour", "age")),
    ("/figures/received", {"period": "day"}),
    ("/sla", {"now": "2026-03-02T10:00:00.000001+08:00"}),
    *(("/sla", {"by": part}) for part in ("handler", "department")),
    ("/sla", {"period": "day"}),
    *(("/sla", {"from": given}) for given in ("2026-03-02", "2026-03-01T00:00:00+08:00", "2026-13-01")),
    *(("/sla", {"to": given}) for given in ("2026-03-30", "2026-02-28T23:59:59+08:00", "soon")),
)


@pytest.mark.parametrize(("path", "asked"), NARROWING)
def test_no_two_answers_tell_one_complaint_apart(
    client: httpx.Client, pboc: dict[str, str], path: str, asked: dict[str, str]
) -> None:
    """The door states when a complaint was received: figures before and after that instant would tell its tier and branch."""
    refused = client.get(path, params=asked, headers=pboc)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/not-for-receivers"), refused.text
    assert refused.json()["facts"] == {"parameter": next(iter(asked))}


def test_whole_months_are_told(client: httpx.Client, pboc: dict[str, str]) -> None:
    for asked in (
        {"from": "2026-02-01", "to": "2026-02-28"},
        {"from": "2026-01-01", "period": "month", "by": "product"},
    ):
        assert client.get("/sla", params=asked, headers=pboc).status_code == 200, asked


def test_figures_are_broken_down_by_columns_of_the_door(got: list[Got]) -> None:
    (rows,) = (orjson.loads(each.answer.content)["rows"] for each in got if each.action == "door-rows")
    assert set(rows[0]) >= BY_THE_DOOR
    assert set(PARTS) >= BY_THE_DOOR
    assert {"tier", "branch"}.isdisjoint(rows[0])


def test_what_narrows_is_known_of_every_question(ledger: Ledger, database: Database) -> None:
    """A new parameter of a route that a regulator may ask is looked at for what two answers tell, before it stands here."""
    for route in guarded(create_app(ledger, database, keeps_up=False)):
        action = action_of(route)
        may = action not in TELLS_OF_THE_BOOK and "regulator" in (roles().of_action(action) or ())
        if may and "receiver" not in route.param_convertors:
            asked = {field.alias for field in route.dependant.query_params}
            assert asked <= LOOKED_AT, f"{action}: {asked - LOOKED_AT}"


LOOKED_AT = frozenset({"as_of", "now", "classified", "by", "period", "from", "to"}) | {
    "name",
    "receiver",
    "limit",
    "cursor",
}
"""What `api/caller.py` refuses or bounds, and what the list of the receiver's own returns is asked by."""


def test_a_door_whose_connection_was_cut_is_asked_once_more(
    client: httpx.Client, got: list[Got], database: Database, pboc: dict[str, str]
) -> None:
    assert {each.answer.status_code for each in got} == {200}
    with closing(database.administrator()) as administrator, administrator.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
            " WHERE datname = %s AND usename = 'ledger_publisher'",
            (database_of("pboc"),),
        )
        ((cut,),) = cursor.fetchall()
    assert cut > 0, "nothing was kept: nothing is shown"
    assert client.get("/regulator/pboc/complaints", params={"limit": 3}, headers=pboc).status_code == 200


def text_of(answer: httpx.Response) -> str:
    """What an answer says, headers too; of a workbook what stands in its cells."""
    headers = " ".join(answer.headers.values())
    if "spreadsheetml" not in answer.headers["content-type"]:
        return f"{headers} {answer.text}"
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    return headers + " ".join(str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row)


def leaves(content: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each value of an answer that holds no other, with the steps to it."""
    match content:
        case dict():
            for name, each in content.items():
                yield from leaves(each, (*path, name))
        case list():
            for number, each in enumerate(content):
                yield from leaves(each, (*path, str(number)))
        case _:
            yield path, content
