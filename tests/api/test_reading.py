"""Reading one's own write, pages, and what the book and its projections say of themselves."""

import time
from contextlib import closing
from datetime import datetime

import httpx

from api.asking import WAIT_SECONDS_MAX
from api.examples import EXAMPLES
from ledger.application import Ledger
from ledger.complaint import commands as ask
from ledger.database.target import Database
from ledger.vault.keys import SubjectKeys
from projections.catalogue import PROJECTIONS
from tests.api.conftest import bearer, fresh_book, serving

RECEIPT = dict(EXAMPLES[ask.ReceiveComplaint])


def test_a_question_waits_until_what_was_written_is_worked_in(client: httpx.Client) -> None:
    for _ in range(10):
        written = client.post("/complaints", json=RECEIPT)
        found = client.get(
            f"{written.headers['location']}/history", headers={"Ledger-Position": written.headers["ledger-position"]}
        )
        assert found.status_code == 200
        assert int(found.headers["ledger-position"]) >= int(written.headers["ledger-position"])


def test_a_position_that_is_not_worked_in_is_waited_for_two_seconds(database: Database, keys: SubjectKeys) -> None:
    """Nobody keeps the projections of this book up."""
    with (
        closing(Ledger(database, fresh_book(database), keys)) as ledger,
        serving(ledger, database, keeps_up=False) as at,
        httpx.Client(base_url=at, timeout=60, headers=bearer(keys, ledger.book)) as client,
    ):
        position = client.post("/complaints", json=RECEIPT).headers["ledger-position"]
        began = time.monotonic()
        refused = client.get("/worklist", params={"position": position})
        assert time.monotonic() - began >= WAIT_SECONDS_MAX
    assert (refused.status_code, refused.json()["type"]) == (503, "/problems/not-reached")
    assert refused.headers["retry-after"] == "1"


def test_pages_follow_one_another_without_a_gap_or_a_repeat(client: httpx.Client) -> None:
    position = 0
    for minute in range(23):
        body = {**RECEIPT, "received_at": f"2025-06-03T10:{minute % 5:02}:00+08:00"}
        written = client.post("/complaints", json=body)
        position = int(written.headers["ledger-position"])
    whole = client.get("/worklist", params={"limit": 500, "position": position}).json()["tasks"]
    paged, cursor = [], None
    while True:
        page = client.get("/worklist", params={"limit": 4} | ({"cursor": cursor} if cursor else {})).json()
        paged += page["tasks"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        assert len(page["tasks"]) == 4
    assert paged == whole
    assert [task["due_at"] for task in paged] == sorted(task["due_at"] for task in paged)


def test_a_cursor_of_another_list_or_of_nothing_is_refused(client: httpx.Client) -> None:
    written = [client.post("/complaints", json=RECEIPT) for _ in range(2)][-1]
    cursor = client.get("/worklist", params={"limit": 1, "position": written.headers["ledger-position"]}).json()[
        "next_cursor"
    ]
    for path, wrong in (("/sla/overdue", cursor), ("/worklist", "bm8"), ("/worklist", "_"), ("/worklist", cursor[:-2])):
        refused = client.get(path, params={"cursor": wrong})
        assert (refused.status_code, refused.json()["type"]) == (422, "/problems/bad-cursor")


def test_the_book_and_its_projections_say_where_they_stand(client: httpx.Client) -> None:
    written = client.post("/complaints", json=RECEIPT).json()
    book = client.get("/book").json()
    assert (book["size"], book["root"]) == (written["tree_size"], written["root"])
    assert book["origin"].startswith("complaint-ledger/")
    client.get("/worklist", params={"position": book["size"]})
    client.get("/sla", params={"position": book["size"]})
    client.get("/complaints", params={"reference": "x", "position": book["size"]})
    client.get("/figures/received", params={"position": book["size"]})
    standing = client.get("/projections").json()["projections"]
    assert {each["name"] for each in standing} == set(PROJECTIONS)
    assert all((each["root"], each["lag_events"], each["failed"]) == (book["root"], 0, None) for each in standing)
    assert client.get("/health").json() == {"status": "ok", "book": book["book"], "position": book["size"]}


def test_code_tables_have_labels_in_chinese_and_english(client: httpx.Client) -> None:
    tables = client.get("/codes").json()["tables"]
    phone = {"code": "phone", "zh": "电话", "en": "Phone", "retired": False, "more": {"jrt": "electronic-phone"}}
    assert tables["channel"][0] == phone


def test_every_instant_in_an_answer_carries_its_offset(client: httpx.Client) -> None:
    written = client.post("/complaints", json=RECEIPT)
    position = written.headers["ledger-position"]
    for path in (
        written.headers["location"],
        f"{written.headers['location']}/history",
        "/worklist",
        "/sla",
        "/sla/overdue",
        "/book",
    ):
        for name, value in leaves(client.get(path, params={"position": position}).json()):
            if name.endswith("_at") and value is not None:
                assert datetime.fromisoformat(value).tzinfo is not None, f"{path} {name}"


def leaves(value: object, name: str = "") -> list[tuple[str, str | None]]:
    if isinstance(value, dict):
        return [leaf for key, inner in value.items() for leaf in leaves(inner, key)]
    if isinstance(value, list):
        return [leaf for inner in value for leaf in leaves(inner, name)]
    return [(name, value)] if isinstance(value, str | None) else []


def test_an_offset_whose_plus_was_not_encoded_is_read_all_the_same(client: httpx.Client) -> None:
    plain = client.get("/sla?now=2025-09-30T10:00:00+08:00")
    encoded = client.get("/sla", params={"now": "2025-09-30T10:00:00+08:00"})
    assert plain.json() == encoded.json()
    assert plain.json()["now"] == "2025-09-30T02:00:00Z"


def test_the_first_page_names_addresses_that_answer(client: httpx.Client) -> None:
    page = client.get("/").text
    for path in ("/sla", "/worklist", "/book", "/projections", "/problems", "/openapi.json"):
        assert f'href="{path}"' in page
        assert client.get(path).status_code == 200
