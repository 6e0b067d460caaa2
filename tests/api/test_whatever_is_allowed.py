"""Schemathesis against the running service: whatever its description allows, and what it does not, is answered as described.

A small part over every operation runs always; with `--long` each gets a thousand examples, spread over all roles. Each
answer is held against the description: status, content type, headers and form; and no error repeats what was written.
Making an example takes the generator 10 to 25 ms, having it answered 4 ms: a thousand of everything would be two hours
of one core. So it makes some of each kind whole, and the rest are put together from the parts of these, field by field.
"""

import io
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from http import HTTPStatus
from typing import Any

import httpx
import hypothesis
import pytest
import requests
import schemathesis
from schemathesis import Case, GenerationMode
from schemathesis.schemas import APIOperation

from api.examples import EXAMPLES
from api.recording import COMMANDS
from ledger.access.roles import roles
from ledger.application import Ledger
from ledger.vault.keys import SubjectKeys
from tests.api.conftest import Described, bearer, referred

TEXT_MAX = 40
"""Longest text that is made up: patterns over 20,000 characters take the generator a second each."""

EXAMPLES_LONG, HALF_LONG, MADE = 1_000, 500, 100
"""Of each operation with `--long`: so many; by half of them what the description allows; and so many of each kind whole, as
the generator made them: about anything, about what is there, and what is not allowed. The others are mixed of these."""

PARTS_MIXED = ("path_parameters", "query")

OTHERS_EVERY = 8
"""One example of so many is sent by a role that may not, each of them in its turn."""

PARTS = 4
"""The campaign is cut into so many, that as many processes may share it (`pytest -n`)."""

SECONDS_MAX = 300
"""For one kind of an operation; one that takes longer gets fewer examples, and says so."""

LOG_BYTES_MAX, WRONG_CHARACTERS = 200_000, 6_000
"""Of the service's log where a failure is looked for, and of what is told about one."""

NOT_THERE_YET = {"/problems/not-reached", "/problems/not-built"}
DEPARTMENT = "信用卡中心 Credit Card Centre"


def operations(document: dict[str, Any], *, headers: bool = True) -> list[APIOperation]:
    """What the description allows to ask, without what it says of answers; the headers too, or none of them."""
    asked = shortened(document)
    for described in asked["paths"].values():
        for operation in described.values():
            operation["responses"] = {"200": {"description": ""}}
            operation["security"] = operation.get("security", []) if headers else []
            operation["parameters"] = [
                each
                for each in operation.get("parameters", ())
                if headers or referred(document, each)["in"] != "header"
            ]
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

    def __init__(self, address: str, described: Described, keys: SubjectKeys, book: str, log: io.BytesIO) -> None:
        self._address, self._described, self._log = address, described, log
        self._session = requests.Session()
        self._session.trust_env = False  # looks for a proxy for each request otherwise
        self._known = {role: bearer(keys, book, f"a.{role}", role, departments=[DEPARTMENT]) for role in roles().roles}
        self.wrong: dict[str, str] = {}
        self.answered: Counter[int] = Counter()
        self.sent = 0

    def close(self) -> None:
        self._session.close()

    def send(self, case: Case, role: str, rests_on: str | None = None) -> str | None:
        """One example, as `role`; the first thing that is wrong with an operation is kept.

        Tells the subject's version after it, if it was recorded.
        """
        self.sent += 1
        headers = self._known[role] | ({} if rests_on is None else {"If-Match": rests_on})
        got = case.call(base_url=self._address, session=self._session, headers=headers, timeout=30)
        self.answered[got.status_code] += 1
        request = httpx.Request(got.request.method or "", got.request.url or "")
        answer = httpx.Response(got.status_code, headers=plain(got.headers), content=got.content, request=request)
        try:
            self._described.check(answer)
            self._no_fault(answer)
            self._nothing_repeated(case, answer)
        except Exception as error:  # noqa: BLE001 - a strict model that does not fit is as wrong as a failed assertion
            self.wrong.setdefault(case.operation.label, f"as {role}: {str(error)[:WRONG_CHARACTERS]}")
        return str(answer.headers["etag"]) if answer.is_success and "etag" in answer.headers else None

    def _no_fault(self, answer: httpx.Response) -> None:
        if answer.status_code >= 500 and answer.json()["type"] not in NOT_THERE_YET:
            logged = self._log.getvalue()[-LOG_BYTES_MAX:].decode(errors="replace").splitlines()
            raise AssertionError(f"{answer.text} {[line for line in logged if answer.json()['request_id'] in line]}")
        if self._log.tell() > 100 * LOG_BYTES_MAX:
            self._log.seek(0)
            self._log.truncate()

    def _nothing_repeated(self, case: Case, answer: httpx.Response) -> None:
        if answer.is_error:
            said = list(sayings(answer.json()))
            departments = {DEPARTMENT, answer.json()["facts"].get("department")}  # the sender's, and the complaint's
            for text in written(case.body):
                if text in departments:
                    continue
                assert not any(text in each for each in said), f"an error repeats {text!r}: {answer.text}"


def plain(headers: Any) -> dict[str, str]:
    """As one line each; what said how the content was packed is gone with the packing."""
    lines = {name: ", ".join(value) if isinstance(value, list) else value for name, value in headers.items()}
    return {name: value for name, value in lines.items() if name.lower() not in {"content-encoding", "content-length"}}


def each_example(
    operation: APIOperation,
    mode: GenerationMode,
    most: int,
    send: Callable[[Case], None],
    *,
    seed: int = 6,
    **fixed: Any,
) -> None:
    """Makes up to so many examples of an operation, always the same ones. There may be none of what is not allowed."""
    until = time.monotonic() + SECONDS_MAX

    @hypothesis.seed(seed)
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
def asker(
    address: str, described: Described, ledger: Ledger, keys: SubjectKeys, log_lines: io.BytesIO
) -> Iterator[Asker]:
    with closing(Asker(address, described, keys, ledger.book, log_lines)) as opened:
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


def there(client: httpx.Client) -> dict[str, tuple[str, str]]:
    """Subjects made from the examples, by the name that a path has for their ids: the id and the version of each."""
    made: dict[str, tuple[str, str]] = {}
    for route in COMMANDS:
        if route.status == HTTPStatus.CREATED and not route.path_ids:
            receipt = client.post(route.path, json=EXAMPLES[route.command])
            name = f"{route.subject}_id"
            if receipt.is_success and name in receipt.json():
                made[name] = (receipt.json()[name], receipt.headers["etag"])
    return made


def example_of(operation: dict[str, Any]) -> dict[str, Any]:
    """The body that the description gives as an example; empty where there is none."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    return next((dict(each["value"]) for each in content.get("examples", {}).values()), {})


def mixed(made: list[Case], example: dict[str, Any], most: int) -> Iterator[Case]:
    """Up to so many further examples, all different: each parameter of one that was made, and a few fields of one beside the example's own.

    A whole body that was made breaks so many rules of form at once that no rule of the ledger is ever asked.
    """
    chance, seen = random.Random(6), set[str]()
    for _ in range(3 * most if made else 0):
        one = chance.choice(made)
        path, query = (one_of_each([getattr(each, part) or {} for each in made], chance) for part in PARTS_MIXED)
        body = one.body
        if example and isinstance(body, dict) and body:
            names = chance.sample(sorted(body), min(len(body), chance.randint(1, 3)))
            body = {**example, **{name: body[name] for name in names}}
        written = repr((path, query, body))
        if written not in seen and len(seen) < most:
            seen.add(written)
            yield one.operation.Case(path_parameters=path, query=query, body=body, media_type=one.media_type)


def one_of_each(parts: list[dict[str, Any]], chance: random.Random) -> dict[str, Any]:
    """Each name as one of the parts has it, or as that one leaves it out."""
    if not all(isinstance(part, Mapping) for part in parts):
        return chance.choice(parts)
    names = sorted({name for part in parts for name in part})
    return {name: part[name] for name in names if name in (part := chance.choice(parts))}


@pytest.mark.long
@pytest.mark.parametrize("part", range(PARTS))
def test_a_thousand_examples_of_every_operation(
    part: int, asker: Asker, described: Described, client: httpx.Client
) -> None:
    few: dict[str, int] = {}
    whole, bare = (operations(described.document, headers=each) for each in (True, False))
    for operation, without_headers in list(zip(whole, bare, strict=True))[part::PARTS]:
        may = those_who_may(operation, described.document)
        others = sorted(set(roles().roles) - set(may)) or may
        known = {name: made for name, made in there(client).items() if f"{{{name}}}" in operation.path}
        described_there = described.document["paths"][operation.path][operation.method]
        resting = [version for _, version in known.values()] + ['"1"'] * ("428" in described_there["responses"])
        versions = resting[:1]  # of the subject that the path begins with, where a decision about it may rest on one
        example = example_of(described_there)
        before = asker.sent

        def send(case: Case, may: list[str] = may, others: list[str] = others, versions: list[str] = versions) -> None:
            number = asker.sent
            role = (
                others[number // OTHERS_EVERY % len(others)] if number % OTHERS_EVERY == 0 else may[number % len(may)]
            )
            after = asker.send(case, role, *([] if "If-Match" in (case.headers or {}) else versions))
            versions[:] = [after or version for version in versions]

        ids = {"path_parameters": {name: one for name, (one, _) in known.items()}} if known else {}
        each_example(operation, GenerationMode.POSITIVE, MADE, send)
        for mode, until in ((GenerationMode.POSITIVE, HALF_LONG), (GenerationMode.NEGATIVE, EXAMPLES_LONG)):
            made: list[Case] = []
            each_example(without_headers, mode, MADE, made.append, **ids)
            for case in (*made, *mixed(made, example, until - len(made) - (asker.sent - before))):
                send(case)
        if (missing := EXAMPLES_LONG - (asker.sent - before)) > 0:  # there were too few parts to mix
            each_example(operation, GenerationMode.POSITIVE, missing, send, seed=7)
        if asker.sent - before < EXAMPLES_LONG:
            few[operation.label] = asker.sent - before
        print(f"{operation.label}: {asker.sent - before} of {asker.sent}; answers {dict(asker.answered)}", flush=True)
        if operation.label in asker.wrong:
            print(f"  WRONG {asker.wrong[operation.label]}", flush=True)
    print(f"{asker.sent} examples; fewer than a thousand, for there are no more or no time: {few}")
    assert not asker.wrong, "\n".join(f"{label} {wrong}" for label, wrong in asker.wrong.items())
