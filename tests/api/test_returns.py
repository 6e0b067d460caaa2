"""Returns and the regulator's door over HTTP: what a receiver's own token reads and records, and what it never reaches."""

import base64
import csv
import hashlib
import io
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import openpyxl
import pytest

from api.door import CONNECTIONS_PER_DOOR_MAX
from api.examples import EXAMPLES
from api.return_routes import ONE, RETURN_EXAMPLES
from ledger.application import Ledger
from ledger.complaint import commands as complaint
from ledger.database.target import Database
from ledger.returns import commands as ask
from ledger.vault.keys import SubjectKeys
from projections.regulator.door import bring_up, database_of, open_door
from projections.returns.asking import Pseudonyms, key_name
from projections.worker import catch_up
from tests.api.conftest import bearer, serving

HERE = ONE.format(name="jrt-0169", receiver="pboc", begins_on="2025-04-01", ends_on="2025-06-30")
WRITTEN = 7
RECEIVED = {**EXAMPLES[complaint.ReceiveComplaint], "received_at": "2025-06-03T10:00:00+08:00"}


@pytest.fixture(scope="module")
def pboc(keys: SubjectKeys, ledger: Ledger) -> dict[str, str]:
    """The token of a receiver, which reads for nobody else."""
    return bearer(keys, ledger.book, "officer.fan", "regulator", receivers=["pboc"])


@pytest.fixture(scope="module")
def written(client: httpx.Client) -> list[str]:
    """The complaints of the quarter."""
    return [client.post("/complaints", json=RECEIVED).json()["complaint_id"] for _ in range(WRITTEN)]


@pytest.fixture(scope="module")
def submission(client: httpx.Client, written: list[str]) -> dict[str, Any]:
    """The return of the quarter as it was prepared and sent, with the receipt for the fact."""
    position = client.get("/book").json()["size"]
    draft = client.get(f"{HERE}/draft", params={"position": position})
    assert draft.status_code == 200, draft.text
    document = draft.json()
    digest = hashlib.sha256(draft.content).digest()
    assert draft.headers["repr-digest"] == f"sha-256=:{base64.b64encode(digest).decode()}:"
    assert document["totals"] == {"number": len(written)}
    about = {"position": document["known_at"]["position"], "root": document["known_at"]["root"]}
    body = {**RETURN_EXAMPLES[ask.SendReturn], **about, "judged_at": document["judged_at"], "sent_at": now()}
    body |= {"digest": digest.hex(), "document": draft.text}
    tampered = draft.text.replace(f'"totals":{{"number":{len(written)}}}', '"totals":{"number":1}')
    assert tampered != draft.text
    forged = {**body, "document": tampered, "digest": hashlib.sha256(tampered.encode()).hexdigest()}
    refused = client.post(f"{HERE}/sending", json=forged)
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/document-differs")
    assert f"total, number: 1 is stated, {len(written)} is computed" in refused.json()["detail"]
    sent = client.post(f"{HERE}/sending", json=body)
    assert sent.status_code == 200, sent.text
    return {
        "id": sent.json()["assigned"]["submission_id"],
        "text": draft.text,
        "position": sent.json()["last_position"],
    }


def now() -> str:
    return datetime.now(UTC).isoformat()


class TestReturns:
    def test_a_receiver_reads_confirms_and_asks_and_is_answered(
        self, client: httpx.Client, submission: dict[str, Any], pboc: dict[str, str]
    ) -> None:
        place = {"position": submission["position"]}
        listed = client.get("/returns", params={**place, "receiver": "pboc"}, headers=pboc).json()["submissions"]
        assert [each["submission_id"] for each in listed] == [submission["id"]]
        at = f"{HERE}/submissions/{submission['id']}"
        assert client.get(at, headers=pboc).text == submission["text"], "byte by byte"
        rows = list(csv.reader(io.StringIO(client.get(at, params={"as": "csv"}, headers=pboc).text)))
        assert rows[-1][-1] == str(WRITTEN)
        book = openpyxl.load_workbook(io.BytesIO(client.get(at, params={"as": "xlsx"}, headers=pboc).content))
        assert book.sheetnames == ["说明 Cover", "数据 Figures"]

        about = {"submission_id": submission["id"], "noted_by": "officer.fan"}
        for path, more in (
            ("acknowledgements", {"acknowledged_at": now(), "receiver_reference": "PBC-1"}),
            ("questions", {"questioned_at": now(), "question": "为何增加"}),
        ):
            done = client.post(f"{HERE}/{path}", json={**about, **more}, headers=pboc)
            assert done.status_code == 200, done.text
        question = done.json()["assigned"]["question_id"]
        answer = {**RETURN_EXAMPLES[ask.AnswerQuestion], "answered_at": now()}
        assert client.post(f"{HERE}/questions/{question}/answer", json=answer, headers=pboc).status_code == 403
        done = client.post(f"{HERE}/questions/{question}/answer", json=answer)
        known = client.get(HERE, params={"position": done.json()["last_position"]}, headers=pboc).json()
        assert [(each["question"], each["answer"]) for each in known["questions"]] == [("为何增加", answer["answer"])]
        assert known["submissions"][0]["acknowledged_at"] is not None
        assert known["submissions"][0]["questions_open"] == 0

    def test_a_cell_opens_into_names_that_are_this_receivers(
        self, client: httpx.Client, ledger: Ledger, submission: dict[str, Any], written: list[str], pboc: dict[str, str]
    ) -> None:
        at = f"{HERE}/submissions/{submission['id']}/cell"
        names = Pseudonyms(ledger.keys.secret(key_name(ledger.book, "pboc")))
        opened: list[dict[str, Any]] = []
        cursor = None
        while cursor or not opened:
            asked = {"column": "number", "limit": 2} | ({"cursor": cursor} if cursor else {})
            page = client.get(at, params=asked, headers=pboc).json()
            opened += page["cases"]
            cursor = page["next_cursor"]
        assert page["complaints"] == WRITTEN
        order = [each["complaint"] for each in opened]
        assert order == sorted(order), "in that of our ids, another receiver's cell would lie in the same order"
        assert {each["complaint"] for each in opened} == {names.of("complaint", each) for each in written}
        positions = range(1, submission["position"])
        assert {event for each in opened for event in each["events"]} <= {names.of("event", each) for each in positions}
        (row,) = client.get(f"{HERE}/submissions/{submission['id']}").json()["rows"]
        one = client.get(at, params={"column": "number", "key": [each or "" for each in row["keys"]]}, headers=pboc)
        assert one.json()["complaints"] == row["cells"]["number"] == WRITTEN
        for nowhere in ({"column": "nonsense"}, {"column": "number", "key": ["a"] * len(row["keys"])}):
            wrong = client.get(at, params=nowhere, headers=pboc)
            assert (wrong.status_code, wrong.json()["type"]) == (422, "/problems/no-such-cell")

    def test_a_receiver_reaches_nothing_of_another(
        self, client: httpx.Client, keys: SubjectKeys, ledger: Ledger, submission: dict[str, Any], pboc: dict[str, str]
    ) -> None:
        theirs = HERE.replace("pboc", "nfra")
        paths = (theirs, f"{theirs}/submissions/{submission['id']}", "/returns", "/regulator/nfra/complaints")
        for path in (*paths, "/regulator/nfra/seal"):
            refused = client.get(path, headers=pboc)
            assert (refused.status_code, refused.json()["type"]) == (403, "/problems/receiver-not-yours"), path
        body = {**RETURN_EXAMPLES[ask.QuestionReturn], "questioned_at": now()}
        assert client.post(f"{theirs}/questions", json=body, headers=pboc).status_code == 403
        nobodys = bearer(keys, ledger.book, "officer.fan", "regulator")
        assert client.get(HERE, headers=nobodys).status_code == 403
        assert client.get("/figures", headers=nobodys).status_code == 200
        for path in ("/complaints/{}", "/feed", "/returns/calendar"):
            assert client.get(path.format(uuid4()), headers=pboc).json()["type"] == "/problems/not-allowed"
        # the id of a submission opens nothing under another return
        other = HERE.replace("2025-06-30", "2025-05-31")
        missing = client.get(f"{other}/submissions/{submission['id']}", headers=pboc)
        assert (missing.status_code, missing.json()["type"]) == (404, "/problems/no-such-submission")

    @pytest.mark.parametrize(
        "path", ["/figures/received", "/sla", "/surveys/5fa3f6ad-552c-42a1-b580-ca82cf0e929b/scores"]
    )
    def test_a_receiver_asks_for_figures_as_they_stand_and_of_no_person(
        self, client: httpx.Client, keys: SubjectKeys, ledger: Ledger, pboc: dict[str, str], path: str
    ) -> None:
        """Figures of every position, one beside the other, would tell it where in the book an event stands."""
        others = (
            {"as_of": 3},
            {"as_of": "2025-06-03"},
            {"classified": 3},
            {"by": "handler"},
            {"by": "department"},
            {"now": now()},
        )
        compliance = bearer(keys, ledger.book, "officer.fan", "regulator", "compliance", receivers=["pboc"])
        for asked in others:
            refused = client.get(path, params=asked, headers=pboc)
            assert (refused.status_code, refused.json()["type"]) == (403, "/problems/not-for-receivers"), asked
            assert client.get(path, params=asked, headers=compliance).status_code != 403, (
                "who may see the book is not meant"
            )
        if "surveys" not in path:
            assert client.get(path, params={"by": "product"}, headers=pboc).status_code == 200
        assert client.get("/codes", params={"as_of": 1}, headers=pboc).status_code == 200, "tables tell of no complaint"

    def test_a_due_day_is_a_fact(self, client: httpx.Client) -> None:
        to = ONE.format(name="fca-half-year", receiver="fos", begins_on="2026-01-01", ends_on="2026-06-30")
        body = {**RETURN_EXAMPLES[ask.SetReturnDue], "due_on": "2026-09-15"}
        done = client.post(f"{to}/due", json=body)
        place = {"position": done.json()["last_position"]}
        due = client.get("/returns/calendar", params=place).json()["returns"]
        (set_,) = [each for each in due if each["receiver"] == "fos"]
        assert (set_["due_on"], set_["source"], set_["position"]) == ("2026-09-15", body["source"], place["position"])
        assert due == sorted(due, key=lambda each: (each["state"] != "LATE", each["due_on"]))
        assert {each["name"] for each in due} >= {each["name"] for each in client.get("/returns/forms").json()["forms"]}
        early = client.post(f"{to}/due", json={**body, "due_on": "2026-06-29"})
        assert early.json()["type"] == "/problems/due-too-early"


class TestDoor:
    def test_a_receiver_reads_its_rows_by_page_and_by_difference(
        self, client: httpx.Client, database: Database, ledger: Ledger, written: list[str], pboc: dict[str, str]
    ) -> None:
        nothing = client.get("/regulator/pboc/complaints", headers=pboc)
        assert nothing.json()["type"] == "/problems/door-not-opened"
        open_door(database, "pboc")
        names = Pseudonyms(ledger.keys.secret(key_name(ledger.book, "pboc")))

        def publish() -> int:
            catch_up(database, ledger.book, "indicators")
            return bring_up(database, ledger.book, "pboc", names).position

        first = publish()
        rows: list[dict[str, Any]] = []
        cursor = None
        while cursor or not rows:
            asked = {"limit": 2} | ({"cursor": cursor} if cursor else {})
            page = client.get("/regulator/pboc/complaints", params=asked, headers=pboc).json()
            rows += page["rows"]
            cursor = page["next_cursor"]
            assert len(page["rows"]) <= 2
        assert {each["reference"] for each in rows} == {names.of("complaint", each) for each in written}
        assert page["position"] == first

        path = f"/complaints/{written[0]}/classification"
        body = EXAMPLES[complaint.ClassifyComplaint]
        assert client.post(path, json=body, headers={"If-Match": '"1"'}).status_code == 200
        second = publish()
        changed = client.get("/regulator/pboc/complaints", params={"since": first}, headers=pboc).json()
        assert [(each["from_position"], each["to_position"]) for each in changed["rows"]] == [
            (first, second),
            (second, None),
        ]
        assert client.get("/regulator/pboc/complaints", params={"as_of": first}, headers=pboc).json()["rows"] == rows
        beyond = client.get("/regulator/pboc/complaints", params={"as_of": second + 1}, headers=pboc)
        assert (beyond.status_code, beyond.json()["type"]) == (503, "/problems/not-reached")
        assert client.get("/regulator/pboc/seal", headers=pboc).status_code == 404
        assert 1 <= sessions_at(database, "pboc") <= CONNECTIONS_PER_DOOR_MAX, "kept from question to question"


def sessions_at(database: Database, receiver: str) -> int:
    """How many connections of the publisher's a door has."""
    with closing(database.administrator()) as administrator, administrator.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND usename = 'ledger_publisher'",
            (database_of(receiver),),
        )
        ((count,),) = cursor.fetchall()
    return int(count)


def test_the_connections_to_doors_are_bounded_and_end_with_the_service(
    database: Database, keys: SubjectKeys, new_book: Callable[[], str]
) -> None:
    open_door(database, "bounded")
    name = new_book()
    with closing(Ledger(database, name, keys)) as ledger, serving(ledger, database, keeps_up=False) as address:
        known = bearer(keys, name, "officer.fan", "regulator", receivers=["bounded"])
        with httpx.Client(base_url=address, headers=known, timeout=30) as client, ThreadPoolExecutor(8) as threads:
            answers = threads.map(lambda _: client.get("/regulator/bounded/seal").status_code, range(24))
            assert set(answers) == {404}
        assert 1 <= sessions_at(database, "bounded") <= CONNECTIONS_PER_DOOR_MAX
    until = time.monotonic() + 10
    while sessions_at(database, "bounded"):
        assert time.monotonic() < until, "connections are left behind"
        time.sleep(0.05)


def test_a_command_of_a_return_is_repeated_safely(client: httpx.Client, size: Callable[[], int]) -> None:
    to = ONE.format(name="public-file", receiver="public", begins_on="2026-01-01", ends_on="2026-01-31")
    body = RETURN_EXAMPLES[ask.SetReturnDue]
    first = client.post(f"{to}/due", json=body, headers={"Idempotency-Key": "due-1"})
    assert client.post(f"{to}/due", json=body, headers={"Idempotency-Key": "due-1"}).json()["replayed"]
    assert client.post(f"{to}/due", json=body).json()["first_position"] is None, "already so"
    assert (first.status_code, size()) == (200, 1)
