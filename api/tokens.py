"""Bearer tokens: whom a token speaks for, checked before anything else of a request; and the issuer of our own.

Two issuers are known: the ledger's own, whose key lies with the vault's keys, and any OpenID Connect issuer by
configuration. What a role may do is no affair of this module.
"""

import hashlib
import json
import re
import threading
import time
import urllib.request
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

import anyio.to_thread
import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.refusals import TokenRefused
from ledger.access.roles import roles
from ledger.access.rules import OPERATOR
from ledger.command import names_nobody
from ledger.settings import PERSON_CLAIM_DEFAULT, ROLES_CLAIM_DEFAULT, Settings
from ledger.vault.keys import SubjectKeys

LOCAL_ISSUER = "complaint-ledger"
"""The `iss` of the tokens that the ledger itself gives out."""

LOCAL_SECRET = "token-issuer/v1"  # noqa: S105 - the name of a secret, not one
LIFE_MAX = timedelta(days=366)
LEEWAY_SECONDS = 30
"""How far the clocks of an issuer and of the ledger may differ."""

TOKEN_CHARACTERS_MAX = 8192
OWN_NAMES = frozenset(
    (
        *("ledger", "timekeeper", "checkpoints", "sealer", "measurer", "eraser", "returns", "demo", "library"),
        "import.cfpb",
    )
)
"""Under which the program records what it does itself: nobody's token speaks for it, however it is capitalised."""

STAFF_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""As commands name staff (`ledger.command.StaffId`): who asks stands in the record for ever, and no address with him."""

ALGORITHMS = ("EdDSA", "ES256", "ES384", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
"""Signatures by a private key only: `none` and HMAC are not among them, so no public key can pass for a secret."""

REFRESH_SECONDS_MIN = 30
"""A token with an unknown key makes us ask the issuer again, but not more often than this."""
KEYS_SECONDS_MAX = 600
GOOD_SECONDS = 60
"""How long a token that was found good is not checked again: the check costs as much as reading the body."""
GOOD_MAX = 1000
FETCH_SECONDS_MAX = 5
FETCH_BYTES_MAX = 1024 * 1024


SERVICE = "service"
"""The role of an account that states what others did: its own users, whom it knows and this service does not."""

SERVICE_ALONE = f"the role {SERVICE} is of an account that speaks for others, and so goes with no role of a person"


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a request speaks for: a member of staff or a service account, with what the issuer vouches for."""

    id: str
    name: str
    roles: frozenset[str]
    books: frozenset[str]
    departments: frozenset[str]
    receivers: frozenset[str] = frozenset()
    """For whom a regulator's token reads: names of receivers of returns, such as `nfra`."""

    @property
    def speaks_for_others(self) -> bool:
        """Whether it is a service account and nothing else: four eyes are then those of its own users."""
        return self.roles == {SERVICE}


class IssuerUnreachable(Exception):
    """The keys of the OpenID Connect issuer could not be read; the message says from where."""


@dataclass(eq=False)
class _Issuer:
    """One issuer: its name, the audience that its tokens are for, its public keys by id."""

    name: str
    audience: str
    fetch: Callable[[], Mapping[str, jwt.PyJWK]]
    refreshes: bool
    roles_claim: str = ROLES_CLAIM_DEFAULT
    person_claim: str = PERSON_CLAIM_DEFAULT
    keys: Mapping[str, jwt.PyJWK] = field(default_factory=dict)
    fetched_at: float | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def knows(self, key_id: str) -> bool:
        age = None if self.fetched_at is None else time.monotonic() - self.fetched_at
        fresh = age is not None and (not self.refreshes or age < KEYS_SECONDS_MAX)
        return fresh and (key_id in self.keys or not self.refreshes or (age or 0) < REFRESH_SECONDS_MIN)

    def read_keys(self) -> None:
        """Asks the issuer for its keys, unless another thread just did."""
        asked_at = self.fetched_at
        with self.lock:
            if self.fetched_at == asked_at:
                self.keys = self.fetch()
                self.fetched_at = time.monotonic()


class _Checked(NamedTuple):
    """What a token that was found good speaks for, until when that holds, and the keys that it was checked by."""

    person: Person
    until: float
    issuer: _Issuer
    keys: Mapping[str, jwt.PyJWK]


class TokenReader:
    """Says for whom a token speaks, or why it is refused.

    Costs one signature check a minute for each token, and rarely one request to the issuer.
    """

    def __init__(self, keys: SubjectKeys, settings: Settings | None = None) -> None:
        self._good: OrderedDict[bytes, _Checked] = OrderedDict()
        settings = settings or Settings()
        own = {key.key_id: key for key in (LocalIssuer(keys).public_key,) if key.key_id}
        self._issuers = {LOCAL_ISSUER: _Issuer(LOCAL_ISSUER, LOCAL_ISSUER, lambda: own, False)}
        if settings.issuer is not None:
            address = settings.issuer
            self._issuers[address] = _Issuer(
                *(address, settings.audience, lambda: published_keys(address), True),
                *(settings.roles_claim, settings.person_claim),
            )

    async def person(self, token: str) -> Person:
        """Raises TokenRefused, whose reason never repeats the token, or IssuerUnreachable."""
        digest = hashlib.sha256(token.encode(errors="surrogatepass")).digest()
        good = self._good.get(digest)
        if good is not None and time.time() < good.until and good.issuer.keys is good.keys:
            return good.person
        issuer, key_id = self._claimed(token)
        if not issuer.knows(key_id):
            await anyio.to_thread.run_sync(issuer.read_keys)
        key = issuer.keys.get(key_id)
        if key is None:
            raise TokenRefused("it names a key that its issuer does not publish")
        claims = self._checked(token, key, issuer)
        person = _person(claims, issuer)
        self._good[digest] = _Checked(person, min(int(claims["exp"]), time.time() + GOOD_SECONDS), issuer, issuer.keys)
        if len(self._good) > GOOD_MAX:
            self._good.popitem(last=False)
        return person

    def _claimed(self, token: str) -> tuple[_Issuer, str]:
        """The issuer and the key that the token claims; nothing of it is believed yet."""
        if len(token) > TOKEN_CHARACTERS_MAX:
            raise TokenRefused("it is too long")
        try:
            said = jwt.decode_complete(token, options={"verify_signature": False})
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise TokenRefused("it is no signed JSON web token") from None
        issuer = self._issuers.get(str(said["payload"].get("iss")))
        if issuer is None:
            raise TokenRefused("its issuer is not one that this ledger trusts")
        if said["header"].get("alg") not in ALGORITHMS:
            raise TokenRefused("it is not signed by a private key of its issuer")
        return issuer, str(said["header"].get("kid", ""))

    @staticmethod
    def _checked(token: str, key: jwt.PyJWK, issuer: _Issuer) -> Mapping[str, Any]:
        try:
            return jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name] if key.algorithm_name in ALGORITHMS else [],
                audience=issuer.audience,
                issuer=issuer.name,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "sub", "aud", "iss"]},
            )
        except jwt.ExpiredSignatureError:
            raise TokenRefused("it has expired") from None
        except jwt.ImmatureSignatureError:
            raise TokenRefused("it is not valid yet") from None
        except jwt.InvalidAudienceError:
            raise TokenRefused("it is meant for another service") from None
        except jwt.MissingRequiredClaimError as missing:
            raise TokenRefused(f"it lacks the claim {missing.claim}") from None
        except (jwt.PyJWTError, ValueError):
            raise TokenRefused("its signature is not that of its issuer") from None


def _person(claims: Mapping[str, Any], issuer: _Issuer) -> Person:
    subject = _claim(claims, issuer.person_claim)
    if not isinstance(subject, str) or not is_staff_id(subject):
        raise TokenRefused(
            f"its claim {issuer.person_claim} is not a staff number or account name: an e-mail address or a telephone number "
            "would stand in the record for ever (LEDGER_PERSON_CLAIM names the claim that has one)"
        )
    if is_own_name(subject):
        raise TokenRefused(f"its claim {issuer.person_claim} is a name that the ledger itself records under")
    held = frozenset(_texts(_claim(claims, issuer.roles_claim))) & roles().roles.keys()
    if mixes_service(held):
        raise TokenRefused(SERVICE_ALONE)
    return Person(
        id=subject,
        name=str(claims.get("name", "")),
        roles=held,
        books=frozenset(_texts(claims.get("books"))),
        departments=frozenset(_texts(claims.get("departments"))),
        receivers=frozenset(_texts(claims.get("receivers"))),
    )


def mixes_service(held: Collection[str]) -> bool:
    """Whether a service account would be a person too: its holder would be asked for no second pair of eyes."""
    return SERVICE in held and len(set(held)) > 1


def is_own_name(text: str) -> bool:
    """Whether the program itself is known by it in the record."""
    return text.casefold() in OWN_NAMES or text.casefold().startswith(OPERATOR)


def is_staff_id(text: str) -> bool:
    """Whether somebody may be known by it in the record: an institution's own identifier, and no address or number of a person."""
    try:
        return STAFF_ID.fullmatch(text) is not None and names_nobody(text) == text
    except ValueError:
        return False


def _claim(claims: Mapping[str, Any], place: str) -> Any:
    """What stands at a place of the token, steps parted by dots; None where nothing does."""
    found: Any = claims
    for step in place.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def _texts(claim: object) -> Iterable[str]:
    if isinstance(claim, str):
        return claim.split()
    return [each for each in claim if isinstance(each, str)] if isinstance(claim, list) else []


def published_keys(issuer: str) -> Mapping[str, jwt.PyJWK]:
    """The signing keys that an OpenID Connect issuer publishes, by id (Discovery 1.0, section 4; RFC 7517)."""
    try:
        found = _fetched(issuer.rstrip("/") + "/.well-known/openid-configuration")
        if found.get("issuer") != issuer:
            raise IssuerUnreachable(
                f"what {issuer} publishes is of another issuer: set LEDGER_ISSUER to its exact name"
            )
        listed = _fetched(str(found["jwks_uri"]))["keys"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IssuerUnreachable(f"the keys of {issuer} cannot be read ({type(error).__name__})") from None
    keys: dict[str, jwt.PyJWK] = {}
    for each in listed:
        if each.get("use", "sig") == "sig" and each.get("kty") != "oct":
            try:
                keys[str(each.get("kid", ""))] = jwt.PyJWK(each)
            except jwt.PyJWTError:
                continue  # a key of a kind that we do not use
    return keys


def _fetched(address: str) -> dict[str, Any]:
    if not re.match(r"https://|http://(127\.0\.0\.1|localhost)[:/]", address):
        raise IssuerUnreachable(f"{address} is not https: an issuer's keys are read over nothing else")
    with urllib.request.urlopen(address, timeout=FETCH_SECONDS_MAX) as answer:  # noqa: S310 - https, as checked above
        found = json.loads(answer.read(FETCH_BYTES_MAX))
    if not isinstance(found, dict):
        raise TypeError("what an issuer publishes is an object")
    return found


class LocalIssuer:
    """Gives out tokens where no other issuer is configured. Its Ed25519 key is a secret of the key store."""

    def __init__(self, keys: SubjectKeys) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(keys.secret(LOCAL_SECRET))
        public = self._key.public_key()
        self._key_id = hashlib.sha256(public.public_bytes_raw()).hexdigest()[:16]
        as_jwk = jwt.algorithms.OKPAlgorithm.to_jwk(public, as_dict=True)
        self.public_key = jwt.PyJWK({**as_jwk, "kid": self._key_id, "alg": "EdDSA", "use": "sig"})

    def issue(
        self,
        subject: str,
        *,
        roles: Iterable[str],
        books: Iterable[str],
        expires_at: datetime,
        departments: Iterable[str] = (),
        receivers: Iterable[str] = (),
        name: str = "",
        now: datetime | None = None,
    ) -> str:
        """A token; `expires_at` is at most 366 days from now. Whoever holds it is taken for the subject until then."""
        at = now or datetime.now(UTC)
        assert is_staff_id(subject), "the caller checks what somebody typed"
        assert expires_at - at <= LIFE_MAX
        claims = {
            "iss": LOCAL_ISSUER,
            "aud": LOCAL_ISSUER,
            "sub": subject,
            "name": name,
            "roles": sorted(roles),
            "books": sorted(books),
            "departments": sorted(departments),
            "receivers": sorted(receivers),
            "iat": int(at.timestamp()),
            "exp": int(expires_at.timestamp()),
            "jti": uuid4().hex,
        }
        return jwt.encode(claims, self._key, algorithm="EdDSA", headers={"kid": self._key_id})
