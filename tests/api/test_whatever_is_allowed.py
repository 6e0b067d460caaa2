"""Schemathesis against the running service: whatever its description allows, and what it does not, is answered as described.

A small part over every operation runs always; with `--long` each gets a thousand examples, and every role some. Each
answer is held against the description: status, content type, headers and form; and no error repeats what was written.
"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import httpx
import hypothesis
import pytest
import requests
import schemathesis
from schemathesis import Case, GenerationMode
from schemathesis.schemas import APIOperation

from api.examples import EXAMPLES
from ledger.access.roles import roles
from ledger.application import Ledger
from ledger.complaint import commands as ask
from ledger.vault.keys import SubjectKeys
from tests.api.conftest import Described, bearer

TEXT_MAX = 40
"""Longest text that is made up: patterns over 20,000 characters take the generator a second each."""

EXAMPLES_LONG, EXAMPLES_OTHERS = 1_000, 8
"""For each operation by those who may, and by each role that may not."""

SECONDS_MAX = 300
"""For one operation; one that takes longer gets fewer examples, and says so."""

NOT_THERE_YET = {"/problems/not-reached", "/problems/not-built"}
DEPARTMENT = "信用卡中心 Credit Card Centre"


def operations(document: dict[str, Any]) -> list[APIOperation]:
    """What the description allows to ask, without what it says of answers."""
    asked = shortened(document)
    for described in asked["paths"].values():
        for operation in described.values():
            operation["responses"] = {"200": {"description": ""}}
    return [each.ok() for each in schemathesis.openapi.from_dict(asked).get_all_operations()]


def shortened(part: Any) -> Any:
    if isinstance(part, dict):
        return {
            name: min(value, TEXT_MAX) if name == "maxLength" and isinstance(value, int) else shortened(value)
            for name, value in part.items()
        }
    return [shortened(each) for each in part] if isinstance(part, list) else part


def written(given: Any) -> Iterator[str]:
    """What was sent that may be personal: more than a slug, an id or a time."""
    return (text for text in sayings(given) if len(text) >= 4 and re.search(r"[^A-Za-z0-9._@:+/\"-]", text))


def sayings(given: Any) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(given, str):
        yield given
    for each in given.values() if isinstance(given, dict) else given if isinstance(given, list) else ():
        yield from sayings(each)


class Asker:
    """Sends examples as a role and tells what is wrong with the answers."""

    def __init__(self, address: str, described: Described, keys: SubjectKeys, book: str) -> None:
        self._address, self._described = address, described
        self._session = requests.Session()
        self._known = {role: bearer(keys, book, f"a.{role}", role, departments=[DEPARTMENT]) for role in roles().roles}
        self.wrong: dict[str, str] = {}
        self.sent = 0

    def close(self) -> None:
        self._session.close()

    def send(self, case: Case, role: str) -> None:
        """One example; the first thing that is wrong with an operation is kept."""
        self.sent += 1
        got = case.call(base_url=self._address, session=self._session, headers=self._known[role], timeout=30)
        request = httpx.Request(got.request.method or "", got.request.url or "")
        answer = httpx.Response(got.status_code, headers=plain(got.headers), content=got.content, request=request)
        try:
            self._described.check(answer)
            self._no_fault(answer)
            self._nothing_repeated(case, answer)
        except Exception as error:  # noqa: BLE001 - a strict model that does not fit is as wrong as a failed assertion
            self.wrong.setdefault(case.operation.label, f"as {role}: {str(error)[:600]}")

    def _no_fault(self, answer: httpx.Response) -> None:
        assert answer.status_code < 500 or answer.json()["type"] in NOT_THERE_YET, answer.text

    def _nothing_repeated(self, case: Case, answer: httpx.Response) -> None:
        if answer.is_error:
            said = list(sayings(answer.json()))
            for text in written(case.body):
                assert not any(text in each for each in said), f"an error repeats what was written: {answer.text}"


def plain(headers: Any) -> dict[str, str]:
    """As one line each; what said how the content was packed is gone with the packing."""
    lines = {name: ", ".join(value) if isinstance(value, list) else value for name, value in headers.items()}
    return {name: value for name, value in lines.items() if name.lower() not in {"content-encoding", "content-length"}}


def each_example(
    operation: APIOperation, mode: GenerationMode, most: int, send: Callable[[Case], None], **fixed: Any
) -> None:
    """Makes up to so many examples of an operation, always the same ones. There may be none of what is not allowed."""
    until = time.monotonic() + SECONDS_MAX

    @hypothesis.seed(6)
    @hypothesis.settings(
        max_examples=most,
        deadline=None,
        database=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(operation.as_strategy(mode, **fixed))
    def one(case: Case) -> None:
        if time.monotonic() < until:
            send(case)

    try:
        one()
    except hypothesis.errors.Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE, operation.label


@pytest.fixture(scope="module")
def asker(address: str, described: Described, ledger: Ledger, keys: SubjectKeys) -> Iterator[Asker]:
    with closing(Asker(address, described, keys, ledger.book)) as opened:
        yield opened


def those_who_may(operation: APIOperation, document: dict[str, Any]) -> list[str]:
    """The roles whose line allows it; all of them where no token is demanded."""
    name = document["paths"][operation.path][operation.method]["operationId"]
    served = re.sub(r"\W", "_", operation.path)  # FastAPI's own names: function, path, method
    action = name.removesuffix(f"{served}_{operation.method}").replace("_", "-")
    return sorted(roles().of_action(action) or roles().roles)


def test_every_operation_answers_as_it_says(asker: Asker, described: Described) -> None:
    for number, operation in enumerate(operations(described.document)):
        may = those_who_may(operation, described.document)
        role = may[number % len(may)]
        each_example(operation, GenerationMode.POSITIVE, 1, lambda case, role=role: asker.send(case, role))
    assert not asker.wrong, "\n".join(f"{label} {wrong}" for label, wrong in asker.wrong.items())


@pytest.mark.long
def test_a_thousand_examples_of_every_operation(asker: Asker, described: Described, client: httpx.Client) -> None:
    one = client.post("/complaints", json=EXAMPLES[ask.ReceiveComplaint]).json()["complaint_id"]
    few: dict[str, int] = {}
    for operation in operations(described.document):
        may = those_who_may(operation, described.document)
        before = asker.sent

        def send(case: Case, may: list[str] = may) -> None:
            asker.send(case, may[asker.sent % len(may)])

        there = {"path_parameters": {"complaint_id": one}} if "{complaint_id}" in operation.path else {}
        each_example(operation, GenerationMode.POSITIVE, EXAMPLES_LONG // 4, send)
        each_example(operation, GenerationMode.POSITIVE, EXAMPLES_LONG // 4, send, **there)
        each_example(operation, GenerationMode.NEGATIVE, EXAMPLES_LONG // 2, send)
        if asker.sent - before < EXAMPLES_LONG:
            few[operation.label] = asker.sent - before
        for other in sorted(set(roles().roles) - set(may)):
            each_example(
                operation, GenerationMode.POSITIVE, EXAMPLES_OTHERS, lambda case, other=other: asker.send(case, other)
            )
    print(f"{asker.sent} examples; fewer than {EXAMPLES_LONG}, for there are no more or no time: {few}")
    assert not asker.wrong, "\n".join(f"{label} {wrong}" for label, wrong in asker.wrong.items())
