"""64 callers, two server processes, one book; servers are killed between commit and answer, and callers try again.

Whatever happens: positions are 1…n, every answered command is stored exactly once, every loser got 409 or 412 and left
no trace, and no stream has a hole.
"""

import itertools
import random
import re
import ssl
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.record.verify import verify
from ledger.settings import Settings
from ledger.vault.keys import SubjectKeys
from tests.api.conftest import bearer

CALLERS = 64
SHARED_COMPLAINTS = 6
START_SECONDS_MAX = 60
LOSERS = {409, 412}
"""Conflict with what others recorded, and a version that is no longer the last."""
NOTHING_TO_DO = 422
"""A grade that the complaint has already: the rules refuse the supervisor's leave that came with it."""


class Service:
    """One of the server processes; killed and started anew while callers go on."""

    def __init__(self, settings: Settings, book: str, output: Path) -> None:
        command = [sys.executable, "-m", "api.command.main", "serve", "--port", "0", "--data", str(settings.data)]
        self._command = [*command, "--book", book]
        self._output = output
        self.start()

    def start(self) -> None:
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(self._command, stdout=output, stderr=subprocess.STDOUT)
        until = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < until and self._process.poll() is None:
            found = re.search(r"http://127\.0\.0\.1:\d+", self._output.read_text())
            if found:
                self.address = found[0]
                return
            time.sleep(0.05)
        raise AssertionError(f"the service did not start: {self._output.read_text()}")

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=START_SECONDS_MAX)


NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Nothing here is encrypted; without it each request would read all authorities of the machine anew."""


class Campaign:
    """What the callers share: the services, the shared complaints, and what was answered."""

    def __init__(self, services: list[Service], seed: int, known: dict[str, str]) -> None:
        self.services = services
        self.seed = seed
        self.known = known
        self.stop = threading.Event()
        self.answers: list[tuple[str, httpx.Response]] = []
        self.retries: Counter[str] = Counter()
        self.shared: list[str] = []
        self._conversations = itertools.count()

    def other_moment(self) -> str:
        """An instant at which no other conversation was."""
        return (BEGINNING + timedelta(microseconds=next(self._conversations))).isoformat()

    def ask(self, chance: random.Random, path: str, body: dict[str, Any], **headers: str) -> httpx.Response:
        """Asks until somebody answers, always under the same key."""
        key = headers.setdefault("Idempotency-Key", uuid4().hex)
        headers |= self.known
        for attempt in itertools.count():
            service = chance.choice(self.services)
            try:
                response = httpx.post(f"{service.address}{path}", json=body, headers=headers, timeout=20, verify=NO_TLS)
            except httpx.TransportError:
                self.retries["nobody answered"] += 1
                time.sleep(0.02)
                continue
            if response.status_code == 503:
                self.retries["503"] += 1
                time.sleep(0.02)
                continue
            if attempt and response.json().get("replayed"):
                self.retries["stored before, answer lost"] += 1
            self.answers.append((key, response))
            return response
        raise AssertionError("unreachable")

    def receive(self, chance: random.Random, **headers: str) -> str:
        response = self.ask(chance, "/complaints", receipt(), **headers)
        assert response.status_code == 201, response.text
        return str(response.json()["complaint_id"])

    def call(self, number: int) -> None:
        """One caller: own complaints, contacts in shared ones, grades that many give on the same ground."""
        chance = random.Random(f"{self.seed}/{number}")
        rounds = itertools.count()
        while not self.stop.is_set():
            shared = chance.choice(self.shared)
            match chance.randrange(4):
                case 0:
                    self.receive(chance)
                case 1:  # a neighbour sends the very same request under the very same key
                    pair, turn = number // 2, next(rounds)
                    twin = f"twin-{pair}-{turn}"
                    same = (BEGINNING - timedelta(days=1, seconds=pair, microseconds=turn)).isoformat()
                    where = random.Random(twin).choice(self.shared)
                    self.ask(
                        chance, f"/complaints/{where}/contacts", contact("同一次", same), **{"Idempotency-Key": twin}
                    )
                case 2:
                    self.ask(chance, f"/complaints/{shared}/contacts", contact("来电", self.other_moment()))
                case _:
                    now = httpx_get(self, chance, f"/complaints/{shared}")
                    grade = chance.choice(["general", "complex", "major"])
                    body = {"grade": grade, "graded_by": "chen.jing", "graded_at": moment(), "reason": "复核"}
                    self.ask(chance, f"/complaints/{shared}/grade", body, **{"If-Match": now.headers["etag"]})


def httpx_get(campaign: Campaign, chance: random.Random, path: str) -> httpx.Response:
    while True:
        try:
            response = httpx.get(
                f"{chance.choice(campaign.services).address}{path}", timeout=20, headers=campaign.known, verify=NO_TLS
            )
        except httpx.TransportError:
            time.sleep(0.02)
            continue
        if response.status_code == 200:
            return response
        time.sleep(0.02)


def moment() -> str:
    return (datetime.now(UTC) - timedelta(seconds=1)).isoformat()


BEGINNING = datetime.now(UTC) - timedelta(hours=1)


def receipt() -> dict[str, Any]:
    return {
        "received_at": BEGINNING.isoformat(),
        "received_by": "li.wei",
        "channel": "phone",
        "content": "转账失败，款项未退回。",
    }


def contact(content: str, occurred_at: str) -> dict[str, Any]:
    return {
        "channel": "phone",
        "direction": "inbound",
        "content": content,
        "noted_by": "li.wei",
        "occurred_at": occurred_at,
    }


@pytest.fixture
def services(settings: Settings, book: str, tmp_path: Path) -> Iterator[list[Service]]:
    started = [Service(settings, book, tmp_path / f"service-{number}") for number in range(2)]
    yield started
    for service in started:
        service.stop()


@pytest.mark.parametrize("kills", [3, pytest.param(60, marks=pytest.mark.long)])
def test_callers_who_are_cut_off_lose_and_double_nothing(
    services: list[Service], settings: Settings, database: Database, book: str, kills: int
) -> None:
    with closing(SubjectKeys.open(settings.keys)) as keys:
        campaign = Campaign(services, seed=kills, known=bearer(keys, book, "head.qian", "customer-service-head"))
    chance = random.Random(kills)
    campaign.shared = [campaign.receive(chance) for _ in range(SHARED_COMPLAINTS)]
    for complaint in campaign.shared:
        first = {"grade": "general", "graded_by": "chen.jing", "graded_at": moment()}
        campaign.ask(chance, f"/complaints/{complaint}/grade", first, **{"If-Match": '"1"'})
    callers = [threading.Thread(target=campaign.call, args=(number,)) for number in range(CALLERS)]
    for caller in callers:
        caller.start()
    for turn in range(kills):
        time.sleep(chance.uniform(0.3, 1.5))
        services[turn % 2].kill()
        services[turn % 2].start()
    time.sleep(1)
    campaign.stop.set()
    for caller in callers:
        caller.join(timeout=120)
        assert not caller.is_alive(), "a caller never got an answer"
    hold_against_the_book(campaign, database, book)
    print(f"{len(campaign.answers)} answers: {Counter(r.status_code for _, r in campaign.answers)}, {campaign.retries}")


def hold_against_the_book(campaign: Campaign, database: Database, book: str) -> None:
    with closing(database.connect(Role.OWNER, autocommit=True)) as owner, owner.cursor() as cursor:
        cursor.execute("SELECT position, stream_id, version FROM ledger.event WHERE book = %s ORDER BY 1", (book,))
        events = cursor.fetchall()
        cursor.execute(
            "SELECT key, first_position, last_position, stream_id, version, tree_size, root"
            "  FROM ledger.request WHERE book = %s",
            (book,),
        )
        stored = {key: rest for key, *rest in cursor.fetchall()}
    assert [position for position, _, _ in events] == list(range(1, len(events) + 1))
    versions: dict[Any, list[int]] = {}
    for _, stream, version in events:
        versions.setdefault(stream, []).append(version)
    assert all(seen == list(range(1, len(seen) + 1)) for seen in versions.values()), "a stream has a hole"

    covered = [p for first, last, *_ in stored.values() if first is not None for p in range(first, last + 1)]
    assert sorted(covered) == [position for position, _, _ in events], "an event belongs to no request, or to two"

    statuses = Counter(response.status_code for _, response in campaign.answers)
    assert set(statuses) <= {200, 201, NOTHING_TO_DO} | LOSERS, statuses
    assert statuses[200] > CALLERS, "the callers got something done"
    assert statuses[412] > 0, "somebody lost a race for a version"
    won = {key for key, response in campaign.answers if response.status_code < 300}
    for key, response in campaign.answers:
        if response.status_code == NOTHING_TO_DO:
            assert response.json()["type"] == "/problems/nothing-to-change"
        if response.status_code >= 300:
            assert key not in stored or key in won, "a loser left a trace"
            continue
        body = response.json()
        first, last, stream, version, tree_size, root = stored[key]
        assert (body["first_position"], body["last_position"]) == (first, last)
        assert (body["complaint_id"], body["version"]) == (str(stream), version)
        assert (body["tree_size"], body["root"]) == (tree_size, bytes(root).hex())
    assert verify(database, book).ok
