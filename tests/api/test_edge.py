"""What the edge of the service keeps out, and the headers that every answer has."""

import httpx
import pytest

from api import body
from api.app import create_app
from api.rates import CALLERS_MAX, Rates
from api.refusals import TooManyRequests
from ledger.application import Ledger
from ledger.database.target import Database
from ledger.vault.keys import SubjectKeys
from tests.api.conftest import bearer


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
    import asyncio

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
    import asyncio
    from collections.abc import AsyncIterator

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
