"""Tokens that are believed, and the attacks that are not; an OpenID Connect issuer that changes its keys."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from api import tokens
from api.examples import EXAMPLES
from api.tokens import LOCAL_ISSUER, LOCAL_SECRET, LocalIssuer
from ledger.application import Ledger
from ledger.complaint import commands as asked
from ledger.database.target import Database
from ledger.record.envelope import opened
from ledger.record.reading import events_after
from ledger.settings import Settings
from ledger.vault.keys import SubjectKeys
from tests.api.conftest import bearer, fresh_book, serving, token


def part(said: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()


def claims(book: str, **other: Any) -> dict[str, Any]:
    now = int(datetime.now(UTC).timestamp())
    said = {"iss": LOCAL_ISSUER, "aud": LOCAL_ISSUER, "sub": "eve", "roles": ["management"], "books": [book]}
    return {name: value for name, value in {**said, "iat": now, "exp": now + 600, **other}.items() if value is not None}


@pytest.fixture(scope="module")
def own_key(keys: SubjectKeys) -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.from_private_bytes(keys.secret(LOCAL_SECRET))


@pytest.fixture
def refused(client: httpx.Client) -> Callable[[str], str]:
    """Sends a token, sees that it is refused, and tells why."""

    def send(sent: str) -> str:
        answer = client.get("/sla", headers={"Authorization": f"Bearer {sent}"})
        assert (answer.status_code, answer.json()["type"]) == (401, "/problems/token-refused"), answer.text
        assert sent not in answer.text
        return str(answer.json()["facts"]["reason"])

    return send


def test_a_token_is_taken_for_its_subject(client: httpx.Client, keys: SubjectKeys, ledger: Ledger) -> None:
    known = bearer(keys, ledger.book, "wang.fang", "registrar")
    received = client.post("/complaints", json=EXAMPLES[asked.ReceiveComplaint], headers=known)
    history = client.get(
        f"{received.headers['location']}/history", params={"position": received.headers["ledger-position"]}
    )
    assert history.json()["lines"][0]["recorded_by"] == "wang.fang"


def test_forged_and_stale_tokens(
    refused: Callable[[str], str], ledger: Ledger, keys: SubjectKeys, own_key: ed25519.Ed25519PrivateKey
) -> None:
    book, kid = ledger.book, LocalIssuer(keys).public_key.key_id
    good = claims(book)
    sign = lambda said, key=own_key, **header: jwt.encode(said, key, "EdDSA", {"kid": kid, **header})  # noqa: E731 - said a dozen times below
    public = own_key.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    past = int(datetime.now(UTC).timestamp()) - 3600
    assert refused(sign({**good, "exp": past})) == "it has expired"
    assert refused(sign({**good, "nbf": past + 7200})) == "it is not valid yet"
    assert "another service" in refused(sign({**good, "aud": "payroll"}))
    assert "issuer" in refused(sign({**good, "iss": "https://evil.example"}))
    assert "lacks the claim exp" in refused(sign(claims(book, exp=None)))
    assert "signature" in refused(sign(good, ed25519.Ed25519PrivateKey.generate()))
    assert "key" in refused(sign(good, kid="another"))
    assert "staff number" in refused(sign({**good, "sub": "a b"}))
    # unsigned, in every spelling, and the public key passed off as a shared secret
    for none in ("none", "None", "NONE", "nOnE"):
        assert "private key" in refused(f"{part({'alg': none, 'kid': kid})}.{part(good)}.")
    for secret in (pem, public.public_bytes_raw()):
        signed = f"{part({'alg': 'HS256', 'kid': kid})}.{part(good)}"
        mac = base64.urlsafe_b64encode(hmac.digest(secret, signed.encode(), hashlib.sha256)).rstrip(b"=").decode()
        assert "private key" in refused(f"{signed}.{mac}")
    # the key itself brought along in the header is not looked at
    mine = ed25519.Ed25519PrivateKey.generate()
    brought = jwt.algorithms.OKPAlgorithm.to_jwk(mine.public_key(), as_dict=True)
    assert "signature" in refused(sign(good, mine, jwk=brought, jku="https://evil.example/keys"))
    # one changed bit anywhere in it
    whole = token(keys, book)
    for at in range(0, len(whole), 7):
        changed = whole[:at] + ("A" if whole[at] != "A" else "B") + whole[at + 1 :]
        refused(changed)
    for junk in ("x", "a.b.c", "..", whole + "." + whole, "é" * 10, "x" * 9000):
        if junk.isascii():
            refused(junk)


def test_a_token_that_was_good_is_refused_once_it_has_expired(
    client: httpx.Client,
    refused: Callable[[str], str],
    ledger: Ledger,
    keys: SubjectKeys,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tokens, "LEEWAY_SECONDS", 0)
    ends = datetime.now(UTC) + timedelta(seconds=2)
    sent = token(keys, ledger.book, expires_at=ends)
    assert client.get("/sla", headers={"Authorization": f"Bearer {sent}"}).status_code == 200
    time.sleep((ends - datetime.now(UTC)).total_seconds() + 0.1)
    assert refused(sent) == "it has expired"


def test_a_token_of_one_book_is_no_good_for_another(client: httpx.Client, keys: SubjectKeys) -> None:
    for path in ("/sla", "/worklist", "/book"):
        answer = client.get(path, headers=bearer(keys, "another-book"))
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/book-not-yours")


@pytest.mark.parametrize("header", ["", "Bearer", "Basic bGk6d2Vp", "Token x"])
def test_what_is_no_bearer_token(client: httpx.Client, header: str) -> None:
    answer = client.get("/sla", headers={"Authorization": header})
    assert (answer.status_code, answer.json()["type"]) == (401, "/problems/token-missing")


class Issuer:
    """An OpenID Connect issuer on loopback that publishes the keys it is told to."""

    def __init__(self) -> None:
        issuer = self
        self.published: list[Mapping[str, Any]] = []
        self.asked = 0

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked += self.path == "/keys"
                said: dict[str, Any] = {"keys": issuer.published}
                if self.path == "/.well-known/openid-configuration":
                    said = {"issuer": issuer.name, "jwks_uri": f"{issuer.name}/keys"}
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps(said).encode())

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.name = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def as_jwk(key: Any, kid: str, algorithm: str) -> dict[str, Any]:
    kind = jwt.algorithms.get_default_algorithms()[algorithm]
    published: dict[str, Any] = type(kind).to_jwk(key.public_key(), as_dict=True)  # type: ignore[arg-type]  # one of its kinds
    return {**published, "kid": kid, "alg": algorithm, "use": "sig"}


LOOK_UP = {"kind": "contact", "value": "13800138000", "purpose": "handling"}


def test_a_service_account_has_no_role_of_a_person(
    refused: Callable[[str], str], keys: SubjectKeys, ledger: Ledger
) -> None:
    """Nobody asks a service account for a second pair of eyes, so that a person with its role would have none."""
    for other in ("management", "registrar", "administrator"):
        assert "service" in refused(token(keys, ledger.book, "lead.zhou", "service", other))
    alone = tokens.Person("core-banking", "", frozenset({"service"}), frozenset(), frozenset())
    assert alone.speaks_for_others
    assert not replace(alone, roles=frozenset({"service", "management"})).speaks_for_others


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with closing(Issuer()) as running:
        yield running


def test_an_issuer_by_configuration_and_the_rotation_of_its_keys(
    issuer: Issuer, database: Database, keys: SubjectKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())
    book = fresh_book(database)
    settings = Settings(issuer=issuer.name, audience="ledger-api", roles_claim="realm_access.roles")
    said = claims(book, iss=issuer.name, aud="ledger-api", roles=None, realm_access={"roles": ["quality", "chef"]})
    with (
        closing(Ledger(database, book, keys)) as ledger,
        serving(ledger, database, keeps_up=False, settings=settings) as address,
    ):

        def status(key: Any, algorithm: str, kid: str, **other: Any) -> int:
            sent = jwt.encode({**said, **other}, key, algorithm, {"kid": kid})
            return httpx.get(f"{address}/book", headers={"Authorization": f"Bearer {sent}"}).status_code

        assert status(first, "RS256", "one") == 401, "its keys are not published yet"
        monkeypatch.setattr(tokens, "REFRESH_SECONDS_MIN", 0)
        issuer.published = [as_jwk(first, "one", "RS256")]
        assert status(first, "RS256", "one") == 200
        assert status(first, "RS256", "one", aud="complaint-ledger") == 401
        assert status(first, "RS256", "one", iss=issuer.name + "/") == 401
        assert status(first, "RS512", "one") == 401, "not the algorithm that the key is published for"
        # a new key comes, the old one goes
        assert status(second, "ES256", "two") == 401
        issuer.published = [as_jwk(second, "two", "ES256")]
        assert status(second, "ES256", "two") == 200
        assert status(first, "RS256", "one") == 401
        # an unknown key makes us ask, but not with every request
        monkeypatch.setattr(tokens, "REFRESH_SECONDS_MIN", 3600)
        before = issuer.asked
        assert [status(first, "RS256", f"unknown-{n}") for n in range(20)] == [401] * 20
        assert issuer.asked - before <= 1
        # our own tokens are good beside it; those of a role that nobody knows are of no use
        assert httpx.get(f"{address}/book", headers=bearer(keys, book)).status_code == 200
        assert status(second, "ES256", "two", realm_access={"roles": ["chef"]}) == 403
        assert status(second, "ES256", "two", realm_access="quality") == 403
        assert status(second, "ES256", "two", realm_access={"roles": ["service", "chef"]}) == 200
        assert status(second, "ES256", "two", realm_access={"roles": ["service", "quality"]}) == 401, "one or the other"
        # nothing personal that could not be erased gets into the record as who did something
        for somebody in ("wang.fang@bank.example", "13800138000", "11010519491231002X", "6222020200112233445", "", 7):
            assert status(second, "ES256", "two", sub=somebody) == 401, somebody


def test_a_person_is_known_by_the_claim_that_has_the_staff_number(
    issuer: Issuer, database: Database, keys: SubjectKeys
) -> None:
    key, book = ec.generate_private_key(ec.SECP256R1()), fresh_book(database)
    issuer.published = [as_jwk(key, "one", "ES256")]
    settings = Settings(issuer=issuer.name, person_claim="hr.number")
    said = claims(book, iss=issuer.name, sub="wang.fang@bank.example", roles=["compliance"])
    with (
        closing(Ledger(database, book, keys)) as ledger,
        serving(ledger, database, keeps_up=False, settings=settings) as address,
    ):

        def asked(**other: Any) -> httpx.Response:
            sent = jwt.encode({**said, **other}, key, "ES256", {"kid": "one"})
            return httpx.post(f"{address}/look-ups", headers={"Authorization": f"Bearer {sent}"}, json=LOOK_UP)

        for missing in ({}, {"hr": None}, {"hr": {"number": "wang.fang@bank.example"}}):
            refused = asked(**missing)
            assert (refused.status_code, "LEDGER_PERSON_CLAIM" in refused.json()["detail"]) == (401, True)
            assert "@" not in refused.text
        assert asked(hr={"number": "kf0045"}).status_code == 200
        with ledger.record.pool.connection() as connection:
            (row,) = events_after(connection, book, 0, 10)
        assert opened(row).recorded_by == "kf0045"
        assert b"bank.example" not in row.state


def test_an_issuer_that_is_away_is_503(database: Database, keys: SubjectKeys) -> None:
    gone = Issuer()
    gone.close()
    book = fresh_book(database)
    with (
        closing(Ledger(database, book, keys)) as ledger,
        serving(ledger, database, keeps_up=False, settings=Settings(issuer=gone.name)) as address,
    ):
        sent = jwt.encode(claims(book, iss=gone.name), ec.generate_private_key(ec.SECP256R1()), "ES256", {"kid": "x"})
        answer = httpx.get(f"{address}/book", headers={"Authorization": f"Bearer {sent}"})
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/ledger-unavailable")


def test_the_keys_of_an_issuer_are_read_over_nothing_but_https() -> None:
    for address in ("http://login.example", "file:///etc/passwd", "ftp://127.0.0.1/"):
        with pytest.raises(tokens.IssuerUnreachable):
            tokens.published_keys(address)


def test_a_token_lives_a_year_at_most(keys: SubjectKeys) -> None:
    with pytest.raises(AssertionError):
        token(keys, "main", expires_at=datetime.now(UTC) + timedelta(days=400))


@pytest.mark.parametrize(
    "name", ["ledger", "Timekeeper", "checkpoints", "sealer", "measurer", "eraser", "operator.root"]
)
def test_no_token_speaks_for_the_ledger_itself(
    client: httpx.Client, keys: SubjectKeys, ledger: Ledger, name: str
) -> None:
    answered = client.get("/book", headers=bearer(keys, ledger.book, name, "quality"))
    assert (answered.status_code, answered.json()["type"]) == (401, "/problems/token-refused")
