"""A real service on loopback over a real database, and a client that holds every answer against the description."""

import io
import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest
from pydantic import BaseModel

from api import proving, tokens
from api.answers import ANSWERS
from api.app import create_app
from api.figure_answers import FIGURE_ANSWERS
from api.log import configure_logging
from api.party_answers import PARTY_ANSWERS
from api.problems import Problem
from api.recording import Recorded
from api.return_answers import RETURN_ANSWERS
from api.server import server
from api.standing import ComplaintNow
from api.tokens import LocalIssuer, Person
from ledger.access.roles import roles
from ledger.application import Ledger
from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.record.book import create_book
from ledger.vault.keys import SubjectKeys

MODELS: Mapping[str, type[BaseModel]] = {
    model.__name__: model
    for model in (
        Recorded,
        Problem,
        ComplaintNow,
        *ANSWERS,
        *PARTY_ANSWERS,
        *proving.ANSWERS,
        *FIGURE_ANSWERS,
        *RETURN_ANSWERS,
    )
}


class Described:
    """Fails the test when an answer is not as `/openapi.json` describes it."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.observed: set[tuple[str, str, int]] = set()

    def check(self, response: httpx.Response) -> None:
        response.read()
        template, operation = self._operation(response.request)
        if operation is None:
            assert response.status_code in {200, 404, 405, 421}, response.text
            return
        self.observed.add((response.request.method, template, response.status_code))
        described = operation["responses"].get(str(response.status_code))
        assert described is not None, (
            f"{response.request.method} {template} answered an undocumented {response.status_code}: {response.text}"
        )
        described = referred(self.document, described)
        kind = response.headers["content-type"].partition(";")[0]
        assert kind in described["content"], f"{template} {response.status_code} answered undocumented {kind}"
        for name, said in described.get("headers", {}).items():
            assert name in response.headers or said.get("required") is False, (
                f"{template} {response.status_code} lacks the header {name}"
            )
        self._check_body(described["content"][kind].get("schema", {}), response)

    def _operation(self, request: httpx.Request) -> tuple[str, dict[str, Any] | None]:
        parts = request.url.path.split("/")
        for template, operations in self.document["paths"].items():
            pieces = template.split("/")
            fits = len(pieces) == len(parts) and all(map(_fits, pieces, parts))
            if fits and request.method.lower() in operations:
                return template, operations[request.method.lower()]
        return "", None

    def _check_body(self, schema: Mapping[str, Any], response: httpx.Response) -> None:
        for part in (schema, *schema.get("allOf", ())):
            model = MODELS.get(part.get("$ref", "").rpartition("/")[2])
            if model is not None:
                model.model_validate_json(response.content, strict=True)
                assert set(orjson.loads(response.content)) == set(model.model_fields), response.text
            for name, wanted in part.get("properties", {}).items():
                value = orjson.loads(response.content)[name]
                assert value in wanted.get("enum", [value]), response.text
                assert value == wanted.get("const", value), response.text


def referred(document: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """What a part of the description says, there or where it refers to."""
    for step in part.get("$ref", "#").split("/")[1:]:
        document = document[step]
    return document if "$ref" in part else part


def _fits(piece: str, part: str) -> bool:
    return piece == part or piece.startswith("{")


EVERY_ROLE = "a service of every role"
"""The name by which the tests know an account that no token can be: it may do everything, and states what others did."""


class OfEveryRole(Person):
    """Whom a test speaks for that asks about something else than roles."""

    __slots__ = ()

    @property
    def speaks_for_others(self) -> bool:
        return True


@pytest.fixture(scope="session", autouse=True)
def _service_of_every_role() -> Iterator[None]:
    """In services within this process; one of its own reads the token as that of a service account."""
    read = tokens._person

    def person(*checked: Any) -> Person:
        known = read(*checked)
        if known.name != EVERY_ROLE:
            return known
        reach = (known.books, known.departments, known.receivers)
        return OfEveryRole(known.id, known.name, frozenset(roles().roles), *reach)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(tokens, "_person", person)
        yield


def token(keys: SubjectKeys, book: str, subject: str = "registrar.li", *held: str, **more: Any) -> str:
    """A token of the ledger's own; of a service account that may do everything, unless roles are named."""
    soon = datetime.now(UTC) + timedelta(hours=1)
    said = {"expires_at": soon, **({} if held else {"name": EVERY_ROLE}), **more}
    return LocalIssuer(keys).issue(subject, roles=held or ["service"], books=[book], **said)


def bearer(keys: SubjectKeys, book: str, subject: str = "registrar.li", *held: str, **more: Any) -> dict[str, str]:
    """The header of a request that carries such a token."""
    return {"Authorization": f"Bearer {token(keys, book, subject, *held, **more)}"}


@contextmanager
def serving(ledger: Ledger, database: Database, **options: Any) -> Iterator[str]:
    """The address of a running service."""
    running = server(create_app(ledger, database, **options), port=0)
    thread = threading.Thread(target=running.run)
    thread.start()
    try:
        until = time.monotonic() + 20
        while not running.started and time.monotonic() < until and thread.is_alive():
            time.sleep(0.01)
        assert running.started, "the service did not start"
        yield f"http://127.0.0.1:{running.servers[0].sockets[0].getsockname()[1]}"
    finally:
        running.should_exit = True
        thread.join(timeout=30)
        assert not thread.is_alive()


def fresh_book(database: Database) -> str:
    name = f"test-{secrets.token_hex(6)}"
    with closing(database.connect(Role.OWNER)) as owner:
        create_book(owner, name)
    return name


@pytest.fixture(scope="module", autouse=True)
def log_lines() -> Iterator[io.BytesIO]:
    """What the program logs meanwhile."""
    lines = io.BytesIO()
    configure_logging(lines)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # the client's own lines are not the service's
    yield lines
    configure_logging()


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SubjectKeys]:
    with closing(SubjectKeys.open(tmp_path_factory.mktemp("keys"))) as opened:
        yield opened


@pytest.fixture(scope="module")
def ledger(database: Database, keys: SubjectKeys) -> Iterator[Ledger]:
    """The ledger of a book of the module's own."""
    with closing(Ledger(database, fresh_book(database), keys)) as opened:
        yield opened


@pytest.fixture(scope="module")
def address(ledger: Ledger, database: Database) -> Iterator[str]:
    """Where a service of the module's own is served."""
    with serving(ledger, database) as at:
        yield at


@pytest.fixture(scope="module")
def described(address: str) -> Described:
    return Described(httpx.get(f"{address}/openapi.json", timeout=60).json())


@pytest.fixture(scope="module")
def client(address: str, described: Described, ledger: Ledger, keys: SubjectKeys) -> Iterator[httpx.Client]:
    """A client of every role, whose answers are held against the description of the service."""
    known = bearer(keys, ledger.book)
    with httpx.Client(base_url=address, event_hooks={"response": [described.check]}, timeout=30, headers=known) as made:
        yield made


@pytest.fixture(scope="module")
def second_eyes(ledger: Ledger, keys: SubjectKeys) -> dict[str, str]:
    """The header of somebody else than the client, who may approve what the client proposes."""
    return bearer(keys, ledger.book, "supervisor.chen")


@pytest.fixture
def size(client: httpx.Client) -> Callable[[], int]:
    """How many events the book has gained since the test began."""
    before = client.get("/book").json()["size"]
    return lambda: client.get("/book").json()["size"] - before
