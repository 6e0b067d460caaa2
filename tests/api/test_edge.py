"""What the edge of the service keeps out, and the headers that every answer has."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, suppress

import httpx
import pytest

from api import body, evidence, server
from api.app import create_app
from api.examples import EXAMPLES
from api.rates import CALLERS_MAX, Rates
from api.refusals import TooManyRequests
from ledger.application import Ledger
from ledger.complaint.commands import ReceiveComplaint
from ledger.database.target import Database
from ledger.vault.keys import SubjectKeys
from tests.api.conftest import bearer


def test_a_head_that_comes_at_once_has_the_same_limit(address: str) -> None:
    for bytes_sent, status in ((30_000, 200), (33_000, 400), (100_000, 400)):
        answer = httpx.get(f"{address}/health", headers={"X-Padding": "x" * bytes_sent}, timeout=30)
        assert answer.status_code == status, bytes_sent
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.json()["type"] == "/problems/request-malformed"


def test_every_answer_has_the_headers_of_a_careful_service(client: httpx.Client, address: str) -> None:
    for answer in (client.get("/health"), client.get("/problems"), client.get("/nowhere"), httpx.get(f"{address}/sla")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "server" not in answer.headers


def test_a_caller_has_a_bucket_of_his_own_that_fills_with_time() -> None:
    now = 0.0
    rates = Rates(per_second=2, burst=3, clock=lambda: now)
    for _ in range(3):
        rates.take("li.wei")
    with pytest.raises(TooManyRequests) as refused:
        rates.take("li.wei")
    assert refused.value.seconds == 1
    rates.take("wang.fang")
    now = 0.5
    rates.take("li.wei")
    with pytest.raises(TooManyRequests):
        rates.take("li.wei")
    now = 100.0
    for _ in range(3):
        rates.take("li.wei")


def test_the_buckets_are_bounded() -> None:
    rates = Rates(clock=lambda: 0.0)
    for number in range(CALLERS_MAX + 10):
        rates.take(str(number))
    assert len(rates._buckets) == CALLERS_MAX


def test_who_asks_too_often_is_told_when_to_come_again(ledger: Ledger, database: Database, keys: SubjectKeys) -> None:
    app = create_app(ledger, database, keeps_up=False)
    app.state.rates = Rates(per_second=0.001, burst=2)

    async def ask() -> list[httpx.Response]:
        known = bearer(keys, ledger.book, "eager.zhang")
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            own = [await client.get("/codes", headers=known) for _ in range(3)]
            return [*own, await client.get("/codes", headers=bearer(keys, ledger.book, "calm.li"))]

    first, second, third, other = asyncio.run(ask())
    assert (first.status_code, second.status_code, other.status_code) == (200, 200, 200)
    assert (third.status_code, third.json()["type"]) == (429, "/problems/too-many-requests")
    assert int(third.headers["retry-after"]) > 0


def test_a_body_that_does_not_come_is_not_waited_for(
    ledger: Ledger, database: Database, keys: SubjectKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body, "BODY_SECONDS_MAX", 0)
    app = create_app(ledger, database, keeps_up=False)

    async def drop_by_drop() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0)

    async def send() -> httpx.Response:
        known = bearer(keys, ledger.book) | {"Content-Type": "application/json"}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            return await client.post("/complaints", content=drop_by_drop(), headers=known)

    answer = asyncio.run(send())
    assert (answer.status_code, answer.json()["type"]) == (408, "/problems/body-too-slow")


def test_a_file_that_comes_too_slowly_is_not_waited_for(
    client: httpx.Client, ledger: Ledger, database: Database, keys: SubjectKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    complaint_id = client.post("/complaints", json=EXAMPLES[ReceiveComplaint]).json()["complaint_id"]
    monkeypatch.setattr(evidence, "BODY_SECONDS_MAX", 0.2)
    app = create_app(ledger, database, keeps_up=False)

    async def drop_by_drop() -> AsyncIterator[bytes]:
        yield b"%PDF-1.7"
        while True:
            yield b" "
            await asyncio.sleep(0.01)

    async def send() -> httpx.Response:
        known = bearer(keys, ledger.book) | {"Content-Type": "application/pdf"}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as asker:
            return await asker.post(f"/complaints/{complaint_id}/files", content=drop_by_drop(), headers=known)

    answer = asyncio.run(send())
    assert (answer.status_code, answer.json()["type"]) == (408, "/problems/body-too-slow")


class TestSlowConnections:
    """What keeps a place and sends or takes next to nothing is cut off; whoever is only quiet between requests is not."""

    ASK = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"

    @pytest.fixture
    def connect(self, address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], socket.socket]]:
        monkeypatch.setattr(server, "HEAD_SECONDS_MAX", 0.2)
        monkeypatch.setattr(server, "ANSWER_SECONDS_MAX", 0.2)
        with ExitStack() as opened:

            def connect() -> socket.socket:
                line = opened.enter_context(socket.socket())
                line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                line.settimeout(20)
                url = httpx.URL(address)
                line.connect((url.host, url.port))
                return line

            yield connect

    @staticmethod
    def is_cut_off(line: socket.socket, sends: bytes) -> bool:
        """Sends a byte now and then until the other side hangs up."""
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                if sends:
                    line.send(sends)
                line.settimeout(0.05)
                if not line.recv(65536):
                    return True
            except TimeoutError:
                continue
            except OSError:
                return True
        return False

    @pytest.mark.parametrize(
        ("begins", "goes_on"),
        [
            (b"", b""),
            (b"GET /health HTTP/1.1\r\nX: ", b"x"),
            (b"POST /complaints HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n", b"{"),
            (ASK + b"GET /hea", b"l"),
        ],
        ids=["says nothing", "a head without an end", "a body after its answer", "a second head"],
    )
    def test_who_sends_slowly(self, connect: Callable[[], socket.socket], begins: bytes, goes_on: bytes) -> None:
        line = connect()
        line.sendall(begins)
        assert self.is_cut_off(line, goes_on)

    def test_who_takes_no_answer(self, connect: Callable[[], socket.socket]) -> None:
        line, size = (
            connect(),
            len(httpx.get(f"http://{':'.join(map(str, connect().getpeername()))}/openapi.json").content),
        )
        line.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 40)
        time.sleep(1)
        taken = 0
        with suppress(OSError):
            while part := line.recv(1 << 20):
                taken += len(part)
        assert taken < 40 * size

    def test_who_is_quiet_between_requests_is_not_cut_off(self, connect: Callable[[], socket.socket]) -> None:
        line = connect()
        for _ in range(3):
            line.sendall(self.ASK)
            told = b""
            while not told.endswith(b"}"):
                told += line.recv(65536)
            assert told.startswith(b"HTTP/1.1 200")
            time.sleep(0.4)

    def test_connections_are_bounded(
        self, connect: Callable[[], socket.socket], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(server, "CONNECTIONS_MAX", 2)
        monkeypatch.setattr(server, "HEAD_SECONDS_MAX", 60)
        lines = [connect() for _ in range(12)]
        closed = 0
        for line in lines:
            line.settimeout(0.2)
            with suppress(TimeoutError):
                try:
                    closed += not line.recv(1)
                except ConnectionResetError:
                    closed += 1
        assert closed >= 10
