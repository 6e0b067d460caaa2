"""The one table of problems held against every refusal of the program; faults and bugs."""

import asyncio
import importlib
import io
import pkgutil
import re
import socket
from collections.abc import Iterator
from contextlib import closing
from html import escape
from types import ModuleType

import eventsourcing.persistence
import httpx
import orjson
import psycopg2
import pytest

import api
import ledger as ledger_package
import projections
from api.app import create_app
from api.caller import allowed
from api.examples import EXAMPLES
from api.problems import STATUS, title_of
from ledger.application import Ledger
from ledger.complaint import commands as ask
from ledger.complaint.refusals import ComplaintRefusal
from ledger.database.roles import Role
from ledger.database.target import Database, open_database
from ledger.record.reading import NoSuchBook
from ledger.recorder import as_the_library_says
from ledger.refusal import Refusal
from ledger.settings import Settings
from ledger.vault.keys import SubjectKeys
from tests.api.conftest import bearer, serving

ABSTRACT = {ComplaintRefusal}


def modules(package: ModuleType) -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(found.name)


def refusals(kind: type[Refusal] = Refusal) -> Iterator[type[Refusal]]:
    for each in kind.__subclasses__():
        yield each
        yield from refusals(each)


def test_every_refusal_of_the_program_has_a_status() -> None:
    for package in (ledger_package, projections, api):
        assert list(modules(package))
    ours = {each for each in refusals() if each.__module__.partition(".")[0] in {"ledger", "projections", "api"}}
    assert ours - ABSTRACT == set(STATUS)


def test_kinds_are_unique_and_facts_do_not_hide_what_a_problem_says() -> None:
    assert len({each.kind() for each in STATUS}) == len(STATUS)


def test_a_remedy_is_the_same_in_every_case_and_has_no_place_to_be_filled_in() -> None:
    assert [each for each in STATUS if re.search(r"[{}]", each.remedy)] == []


@pytest.mark.parametrize("refusal", sorted(STATUS, key=lambda each: each.kind()), ids=lambda each: each.kind())
def test_every_problem_is_documented_for_a_person(client: httpx.Client, refusal: type[Refusal]) -> None:
    page = client.get(f"/problems/{refusal.kind()}")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert title_of(refusal) in page.text
    assert str(STATUS[refusal].value) in page.text
    assert refusal.remedy.split()[0] in page.text
    assert f"{refusal.__name__}(" not in page.text
    assert f'href="/problems/{refusal.kind()}"' in client.get("/problems").text


def test_every_problem_and_what_to_do_is_told_to_a_program_and_to_a_person(client: httpx.Client) -> None:
    told = client.get("/problems", headers={"Accept": "application/json"})
    assert told.headers["content-type"] == "application/json"
    assert {each["type"]: (each["status"], each["says"], each["remedy"]) for each in told.json()["problems"]} == {
        f"/problems/{refusal.kind()}": (status, refusal.says, refusal.remedy) for refusal, status in STATUS.items()
    }
    page = client.get("/problems", headers={"Accept": "text/html,*/*;q=0.8"})
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert [each for each in STATUS if f"<td>{escape(each.remedy)}</td>" not in page.text] == []


def test_a_database_that_is_away_is_503_and_its_message_is_not_shown(keys: SubjectKeys) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listened to: nobody answers there
        settings = Settings(database_url=f"postgresql://somebody:geheim@127.0.0.1:{taken.getsockname()[1]}/nowhere")
        with (
            open_database(settings) as away,
            closing(Ledger(away, "main", keys)) as ledger,
            serving(ledger, away, keeps_up=False) as address,
        ):
            known = bearer(keys, "main")
            for response in (
                httpx.get(f"{address}/health"),
                httpx.get(f"{address}/worklist", headers=known),
                httpx.post(f"{address}/complaints", json=EXAMPLES[ask.ReceiveComplaint], timeout=60, headers=known),
            ):
                assert (response.status_code, response.json()["type"]) == (503, "/problems/ledger-unavailable")
                assert response.headers["retry-after"] == "1"
                assert "127.0.0.1" not in response.text
                is_command = response.request.method == "POST"
                assert ("Idempotency-Key" in response.json()["remedy"]) is is_command


def test_a_book_that_nothing_was_projected_of_says_so(database: Database, book: str, keys: SubjectKeys) -> None:
    with closing(Ledger(database, book, keys)) as ledger, serving(ledger, database, keeps_up=False) as address:
        response = httpx.get(f"{address}/worklist", headers=bearer(keys, book))
        assert (response.status_code, response.json()["type"]) == (503, "/problems/not-built")


def test_a_bug_is_500_and_its_message_reaches_neither_answer_nor_log(
    ledger: Ledger, database: Database, log_lines: io.BytesIO
) -> None:
    app = create_app(ledger, database, keeps_up=False)
    app.dependency_overrides[allowed] = lambda: None  # the route below is in no table

    @app.get("/bug")
    def bug() -> None:
        raise ValueError("李娜的账户六二二八")

    transport = httpx.ASGITransport(app)

    async def ask_for_it() -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get("/bug", headers={"X-Request-Id": "the-bug"})

    response = asyncio.run(ask_for_it())
    assert (response.status_code, response.json()["type"]) == (500, "/problems/program-failed")
    assert response.json()["request_id"] == "the-bug"
    lines = [orjson.loads(line) for line in log_lines.getvalue().splitlines()]
    told = next(line for line in lines if line["event"] == "failed")
    assert told["exception"] == ["ValueError"]
    assert any("test_problems.py" in frame for frame in told["frames"])
    for shown in (response.text, log_lines.getvalue().decode()):
        assert "李娜" not in shown


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (eventsourcing.persistence.OperationalError("主机不在"), 503),
        (eventsourcing.persistence.DatabaseError("no one said why"), 500),
        (eventsourcing.persistence.ProgrammingError("no such column"), 500),
        (psycopg2.InterfaceError("connection already closed"), 503),
        (psycopg2.ProgrammingError("no such column"), 500),
        (NoSuchBook("main"), 503),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_a_fault_is_told_from_a_bug(ledger: Ledger, database: Database, error: Exception, status: int) -> None:
    app = create_app(ledger, database, keeps_up=False)
    app.dependency_overrides[allowed] = lambda: None  # the route below is in no table

    @app.get("/raises")
    def raises() -> None:
        raise error

    async def ask_for_it() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            return await client.get("/raises")

    response = asyncio.run(ask_for_it())
    assert response.status_code == status
    assert str(error) not in response.text


@pytest.mark.parametrize(
    ("code", "status"),
    [("CL001", 503), ("CL002", 503), ("CL003", 503), ("CL004", 500), ("CL005", 500), ("CL006", 503), ("CL007", 500)],
)
def test_what_the_record_itself_refuses_is_a_fault_or_a_bug(
    ledger: Ledger, database: Database, code: str, status: int
) -> None:
    app = create_app(ledger, database, keeps_up=False)
    app.dependency_overrides[allowed] = lambda: None  # the route below is in no table

    @app.get("/raises")
    def raises() -> None:
        with (
            closing(database.connect(Role.APPLICATION, autocommit=True)) as connection,
            connection.cursor() as cursor,
            as_the_library_says(),
        ):
            cursor.execute(f"DO $$ BEGIN RAISE EXCEPTION 'so it is' USING ERRCODE = '{code}'; END $$")

    async def ask_for_it() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            return await client.get("/raises")

    response = asyncio.run(ask_for_it())
    assert (response.status_code, "retry-after" in response.headers) == (status, status == 503)
