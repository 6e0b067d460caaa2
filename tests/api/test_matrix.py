"""Every role on every route of the running service: each cell is as the one table says, and none is left out."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.app import create_app
from api.caller import OPEN_TO_ALL, RouteWithoutEntry, action_of, guarded, refuse_unlisted
from ledger.access.roles import Scope, roles
from ledger.application import Ledger
from ledger.database.target import Database
from ledger.vault.keys import SubjectKeys
from tests.api.conftest import bearer

DEPARTMENT = "信用卡中心 Credit Card Centre"

ENDLESS = "/feed/stream"
"""Answers until it is cut off, and stands in no description: of it only the head is read."""


@pytest.fixture(scope="module")
def routes(ledger: Ledger, database: Database) -> list[tuple[str, str, str]]:
    """Method, path and action of every route of the application that demands a token."""
    app = create_app(ledger, database, keeps_up=False)
    return [(method, route.path_format, action_of(route)) for route in guarded(app) for method in sorted(route.methods)]


def ask(client: httpx.Client, method: str, path: str, headers: dict[str, str]) -> httpx.Response:
    """A request that cannot record anything: its ids are unknown, and a command's body is empty."""
    ids = {part[1:-1]: str(uuid4()) for part in path.split("/") if part.startswith("{")}
    body: dict[str, Any] = {"json": {}} if method == "POST" else {}
    if path == ENDLESS:
        with httpx.stream(method, client.base_url.join(path), headers=headers, timeout=30) as head:
            if head.status_code >= 400:
                head.read()
            return httpx.Response(
                head.status_code, headers=head.headers, content=head.content if head.is_error else b"{}"
            )
    query = {"params": {"department": DEPARTMENT}} if path == "/worklist" else {}
    return client.request(method, path.format(**ids), headers={"If-Match": '"1"', **headers}, **body, **query)


def test_nothing_is_left_out(routes: list[tuple[str, str, str]], client: httpx.Client) -> None:
    described = {
        (method.upper(), path)
        for path, operations in client.get("/openapi.json").json()["paths"].items()
        for method in operations
    }
    served = {(method, path) for method, path, _ in routes}
    assert served - {("GET", ENDLESS)} == {each for each in described if each[1] not in OPEN_TO_ALL}


@pytest.mark.parametrize("role", sorted(roles().roles))
def test_a_role_may_what_its_line_says_and_nothing_else(
    role: str, routes: list[tuple[str, str, str]], client: httpx.Client, keys: SubjectKeys, ledger: Ledger
) -> None:
    known = bearer(keys, ledger.book, f"a.{role}", role, departments=[DEPARTMENT])
    for method, path, action in routes:
        response = ask(client, method, path, known)
        may = role in (roles().of_action(action) or ())
        refused = response.status_code == 403 and response.json()["type"] == "/problems/not-allowed"
        assert refused is not may, f"{role}: {method} {path} answered {response.status_code} {response.text}"
        assert may or role not in response.json()["facts"]["roles"]


def test_nobody_gets_anything_without_a_token(routes: list[tuple[str, str, str]], address: str) -> None:
    with httpx.Client(base_url=address) as nobody:
        for method, path, _ in routes:
            response = ask(nobody, method, path, {})
            assert (response.status_code, response.json()["type"]) == (401, "/problems/token-missing"), path
            assert response.headers["www-authenticate"] == "Bearer"
        for path in OPEN_TO_ALL:
            assert nobody.get(path.format(kind="token-missing")).status_code == 200


def test_a_route_without_a_line_does_not_start(ledger: Ledger, database: Database) -> None:
    app = create_app(ledger, database, keeps_up=False)

    @app.get("/secrets")
    def all_the_secrets() -> None: ...

    with pytest.raises(
        RouteWithoutEntry, match=r"GET /secrets has no line in ledger/access/roles\.toml: add `all-the-sec"
    ):
        refuse_unlisted(app)
    app.mount("/files", create_app(ledger, database, keeps_up=False))
    with pytest.raises(RouteWithoutEntry, match="no route of FastAPI"):
        refuse_unlisted(app)


def test_every_line_of_the_table_is_a_route(routes: list[tuple[str, str, str]]) -> None:
    lines = {**roles().commands, **roles().questions}
    assert set(lines) == {action for _, _, action in routes}


def test_departments_are_kept_apart(client: httpx.Client, keys: SubjectKeys, ledger: Ledger) -> None:
    """Who works within departments reaches their complaints and those that nobody has yet, and lists of none but them."""
    from api.examples import EXAMPLES
    from ledger.complaint import commands as asked

    one = client.post("/complaints", json=EXAMPLES[asked.ReceiveComplaint]).headers["location"]
    for role in sorted(roles().roles):
        inside = roles().roles[role].scope is Scope.BOOK
        known = bearer(keys, ledger.book, "zhao.min", role, departments=["个人信贷部"])
        if role in (roles().of_action("complaint") or ()):
            assert client.get(one, headers=known).status_code == 200, role
    assignment = {**EXAMPLES[asked.AssignComplaint], "department": DEPARTMENT}
    done = client.post(f"{one}/assignment", json=assignment, headers={"If-Match": '"1"'})
    assert done.status_code == 200, done.text
    place = {"position": done.headers["ledger-position"]}
    for role in sorted(roles().roles):
        inside = roles().roles[role].scope is Scope.BOOK
        if role not in (roles().of_action("complaint") or ()):
            continue
        for department in ("个人信贷部", DEPARTMENT):
            known = bearer(keys, ledger.book, "zhao.min", role, departments=[department])
            reached = inside or department == DEPARTMENT
            assert client.get(one, headers=known).status_code == (200 if reached else 403), role
            assert client.get(f"{one}/history", params=place, headers=known).status_code == (200 if reached else 403)
            if role in (roles().of_action("open-complaints") or ()):
                listed = client.get("/worklist", params={"department": DEPARTMENT}, headers=known)
                assert (listed.status_code == 403) is not reached, role  # 503 while nothing is projected yet
                assert client.get("/worklist", headers=known).status_code != 403, (
                    role
                )  # of the caller's own departments
