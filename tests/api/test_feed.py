"""The feed, read by somebody else's clients: complete, in order, resumable, and without anything personal."""

import httpx
import orjson
from cloudevents.core.bindings.http import HTTPMessage, from_http
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from httpx_sse import connect_sse

from api.examples import EXAMPLES
from ledger.complaint import commands as ask

RECEIPT = dict(EXAMPLES[ask.ReceiveComplaint])


def read(event: object) -> CloudEvent:
    """One event, as the CloudEvents SDK reads it from a structured message."""
    message = HTTPMessage(headers={"content-type": "application/cloudevents+json"}, body=orjson.dumps(event))
    return from_http(message, JSONFormat(), CloudEvent)  # type: ignore[arg-type,return-value]  # the class is its own factory


def test_pages_hold_every_event_once_as_cloudevents(client: httpx.Client) -> None:
    written = [client.post("/complaints", json=RECEIPT).json() for _ in range(5)]
    first, last = written[0]["first_position"], written[-1]["last_position"]
    found: list[CloudEvent] = []
    while True:
        page = client.get("/feed", params={"after": first - 1 + len(found), "limit": 2})
        assert page.headers["content-type"] == "application/cloudevents-batch+json"
        if not page.json():
            break
        found += map(read, page.json())
    assert [event.get_id() for event in found] == [str(position) for position in range(first, last + 1)]
    assert {event.get_type() for event in found} >= {"complaint-ledger.complaint-received"}
    assert [event.get_subject() for event in found] == [each["complaint_id"] for each in written]
    assert page.headers["ledger-position"] == str(last)


def test_a_position_that_the_book_does_not_have_is_refused_with_its_end(client: httpx.Client) -> None:
    end = client.post("/complaints", json=RECEIPT).json()["last_position"]
    assert client.get("/feed", params={"after": end}).json() == [], "nothing new yet"
    with httpx.Client(base_url=client.base_url, headers=client.headers) as plain:  # the stream stands in no description
        streams = [
            plain.get("/feed/stream", params={"after": end + 1}),
            plain.get("/feed/stream", headers={"Last-Event-ID": str(end + 1)}),
        ]
    for answered in (client.get("/feed", params={"after": end + 1}), *streams):
        assert (answered.status_code, answered.json()["type"]) == (422, "/problems/beyond-the-book")
        assert answered.json()["facts"] | {"asked": end + 1, "end": end} == answered.json()["facts"]


def test_nothing_personal_is_in_it(client: httpx.Client) -> None:
    written = client.post("/complaints", json={**RECEIPT, "content": "张三 says so"}).json()
    (event,) = client.get("/feed", params={"after": written["first_position"] - 1}).json()
    assert "content" not in event["data"]
    assert not {name for name in event["data"] if name.startswith("customer_") and name != "customer_id"}
    assert event["data"]["channel"] == RECEIPT["channel"]


def test_the_stream_goes_on_behind_the_last_event_that_was_read(client: httpx.Client) -> None:
    begin = client.get("/book").json()["size"]
    written = [client.post("/complaints", json=RECEIPT).json()["last_position"] for _ in range(3)]
    plain = httpx.Client(
        base_url=client.base_url, timeout=30, headers=client.headers
    )  # the other one reads each answer to its end first
    with plain, connect_sse(plain, "GET", "/feed/stream", params={"after": begin}) as source:
        stream = source.iter_sse()
        read_first = [next(stream) for _ in range(2)]
    assert [int(event.id) for event in read_first] == written[:2]
    later = client.post("/complaints", json=RECEIPT).json()["last_position"]
    plain = httpx.Client(base_url=client.base_url, timeout=30, headers=client.headers)
    with plain, connect_sse(plain, "GET", "/feed/stream", headers={"Last-Event-ID": read_first[-1].id}) as source:
        stream = source.iter_sse()
        resumed = [next(stream) for _ in range(2)]
    assert [int(event.id) for event in resumed] == [written[2], later]
    assert read(resumed[0].json()).get_source().endswith(client.get("/book").json()["origin"])
