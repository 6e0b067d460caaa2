"""Asks a book's witnesses to cosign a checkpoint, and a time-stamping authority to stamp it. Signs nothing itself."""

import hashlib
import re
import secrets
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple
from urllib.parse import urlsplit

from psycopg2.extensions import connection as Connection

from ledger.database.sql import queries
from ledger.proof import posting
from ledger.proof.checkpoint import check_cosignature
from ledger.proof.checkpoints import Checkpoints, Held, held
from ledger.proof.files import ConsistencyFile
from ledger.proof.note import NoteMalformed, SignatureWrong, VerifierKey, signature_lines
from ledger.proof.posting import Answer, Unanswered, post
from ledger.proof.stored import StoredTree
from ledger.proof.time_stamp import TimeStampWrong, check_time_stamp
from ledger.proof.witness import SIZE_TYPE

_QUERIES = queries(__file__)


class WitnessDisagrees(Exception):
    """A witness holds a tree of this book that is not a beginning of ours, or refuses it: find out why at once."""


class WitnessAt(NamedTuple):
    """A witness's key and the address under which it is asked."""

    key: VerifierKey
    url: str


class Policy(NamedTuple):
    """The witnesses of a book, and how many of them have to cosign."""

    witnesses: tuple[WitnessAt, ...] = ()
    quorum: int = 0

    @classmethod
    def read(cls, file: Path) -> "Policy":
        """Lines `witness KEY URL` and one `quorum N`; # begins a comment. Raises NoteMalformed."""
        witnesses: list[WitnessAt] = []
        quorum: int | None = None
        for line in file.read_text(encoding="utf-8").splitlines():
            match line.partition("#")[0].split():
                case []:
                    continue
                case ["witness", key, url] if urlsplit(url).scheme in {"http", "https"}:
                    witnesses.append(WitnessAt(VerifierKey.read(key), url.rstrip("/")))
                case ["quorum", number] if number.isdecimal():
                    quorum = int(number)
                case _:
                    raise NoteMalformed(f"{file}: a line is `witness KEY http://…` or `quorum N`, not {line[:80]!r}")
        if quorum is None or not 0 <= quorum <= len(witnesses):
            raise NoteMalformed(f"{file}: state a quorum from 0 to the number of witnesses ({len(witnesses)})")
        return cls(tuple(witnesses), quorum)


NOBODY_ASKED = Policy()


class Collected(NamedTuple):
    """How many witnesses have cosigned, and what the others said."""

    cosigned: int
    quorum: int
    failures: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return self.cosigned >= self.quorum


def collect(connection: Connection, book: str, found: Held, policy: Policy) -> Collected:
    """Asks the witnesses that have not cosigned this checkpoint yet, side by side, and keeps each answer as it comes.

    Takes no longer than `ANSWER_SECONDS_MAX`, however slow one is, and raises WitnessDisagrees after all were heard. One
    request a witness, two where it has seen another size than we know of.
    """
    failures: list[str] = []
    disagrees: WitnessDisagrees | None = None
    asked = [_Asked(connection, book, found, each) for each in policy.witnesses if found.note.by(each.key) is None]
    cosigned = len(policy.witnesses) - len(asked)
    answers: SimpleQueue[tuple[_Asked, Answer | Unanswered]] = SimpleQueue()
    for each in asked:
        each.ask(answers)
    waited_for = len(asked)
    while waited_for:
        whom, answer = answers.get()  # each comes, within its bound
        try:
            if whom.take(answer):
                cosigned += 1
            else:
                whom.ask(answers)
                continue
        except Unanswered as away:
            failures.append(f"{whom.name}: {away}")
        except WitnessDisagrees as against:
            disagrees = disagrees or against
        waited_for -= 1
    if disagrees is not None:
        raise disagrees
    return Collected(cosigned, policy.quorum, tuple(failures))


def make_and_collect(checkpoints: Checkpoints, policy: Policy) -> tuple[Held | None, Collected]:
    """The checkpoint of the book as it is now, with the cosignatures that could be had; raises as both do."""
    made = checkpoints.make()
    if made is None or not policy.witnesses:
        return made, Collected(0, policy.quorum, ())
    with checkpoints.connection() as connection:
        size = made.checkpoint.size
        collected = collect(connection, checkpoints.book, held(connection, checkpoints.book, size), policy)
        return held(connection, checkpoints.book, size), collected


class _Asked:
    """One witness that is asked for its line under one checkpoint. The database is asked by the collecting thread alone."""

    def __init__(self, connection: Connection, book: str, found: Held, witness: WitnessAt) -> None:
        self._connection, self._book, self._found, self._witness = connection, book, found, witness
        self._old = _last_cosigned(connection, book, witness.key)
        self._ends = time.monotonic() + posting.ANSWER_SECONDS_MAX
        self._again = True
        self.name = witness.key.name

    def ask(self, answers: "SimpleQueue[tuple[_Asked, Answer | Unanswered]]") -> None:
        """Begins to ask, from the size that it should be at; what it answers, or that it does not, comes to `answers`."""
        size, root = self._found.checkpoint.size, self._found.checkpoint.root
        tree = StoredTree(self._connection, self._book, size)
        hashes = () if self._old == 0 else tree.consistency(self._old, tree.root(self._old), root)
        body = ConsistencyFile(self._old, hashes, self._found.note.written()).written()

        def run() -> None:
            try:
                left = self._ends - time.monotonic()
                answers.put((self, post(f"{self._witness.url}/add-checkpoint", body, TEXT, left)))
            except Unanswered as away:
                answers.put((self, away))

        threading.Thread(target=run, name=f"witness {self.name}", daemon=True).start()

    def take(self, answer: Answer | Unanswered) -> bool:
        """Keeps its line; False where it has to be asked once more. Raises Unanswered or WitnessDisagrees."""
        if isinstance(answer, Unanswered):
            raise answer
        status, kind, body = answer
        if status == 200:
            line = _line_of(self._witness.key, self._found, body)
            (signature,) = signature_lines(line)
            at = check_cosignature(self._found.note.text, signature, self._witness.key)
            _keep(self._connection, self._book, self._found.checkpoint.size, self._witness.key, line, at)
            return True
        if status == 409 and kind == SIZE_TYPE and re.fullmatch(rb"(0|[1-9][0-9]{0,18})\n", body):
            self._follow(int(body))
            if self._again:
                self._again = False
                return False
        if status in {409, 422}:
            raise WitnessDisagrees(
                f"the witness {self.name} refuses the checkpoint over {self._found.checkpoint.size} events of the book "
                f"{self._book}: it does not continue what it saw ({status})"
            )
        raise Unanswered(f"answered {status}: {body[:200].decode(errors='replace').strip()}")

    def _follow(self, seen: int) -> None:
        """It has cosigned another size than we know of: one that this checkpoint has to continue."""
        size = self._found.checkpoint.size
        if seen > size or seen == self._old:
            raise WitnessDisagrees(
                f"the witness {self.name} has cosigned {seen} events of the book {self._book}, and this checkpoint over "
                f"{size} does not continue them: the book was restored, or somebody was shown another one"
            )
        self._old = seen


TEXT = "text/plain; charset=utf-8"


def _line_of(key: VerifierKey, found: Held, body: bytes) -> str:
    """The line of the witness that was asked; other lines are of keys that nobody here knows."""
    try:
        for line in signature_lines(body.decode("utf-8")):
            if line.is_of(key):
                check_cosignature(found.note.text, line, key)
                return line.line()
    except (NoteMalformed, SignatureWrong, UnicodeDecodeError) as wrong:
        raise Unanswered(f"its answer is no cosignature of this checkpoint ({wrong})") from None
    raise Unanswered("its answer is signed by another key than the one that is known of it")


def _last_cosigned(connection: Connection, book: str, key: VerifierKey) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_QUERIES["last_cosigned"], {"book": book, "verifier_key": str(key)})
        row = cursor.fetchone()
    return 0 if row is None or row[0] is None else int(row[0])


def _keep(connection: Connection, book: str, size: int, key: VerifierKey, line: str, at: int) -> None:
    parameters = {
        "book": book,
        "size": size,
        "verifier_key": str(key),
        "line": line,
        "cosigned_at": datetime.fromtimestamp(at, UTC),
    }
    with connection.cursor() as cursor:
        cursor.execute(_QUERIES["keep_cosignature"], parameters)


SHA256_IMPRINT = bytes.fromhex("3031300d060960864801650304020105000420")
"""MessageImprint of RFC 3161 up to its 32 bytes: SHA-256, no parameters."""


def time_stamp_request(text: bytes, nonce: int) -> bytes:
    """TimeStampReq (RFC 3161, section 2.4.1): version 1, the digest, a nonce, and the wish for the certificate."""
    number = nonce.to_bytes(9, "big")  # nine bytes, so that its first bit is never a sign
    inside = b"\x02\x01\x01" + SHA256_IMPRINT + hashlib.sha256(text).digest()
    inside += b"\x02" + bytes([len(number)]) + number + b"\x01\x01\xff"
    return b"\x30" + bytes([len(inside)]) + inside


def stamp(connection: Connection, book: str, found: Held, url: str) -> bytes:
    """A time stamp over the checkpoint's text, kept with it; the answer of the authority as it came (DER).

    Checked as `verify` checks it, but for whose certificate signed it (docs/proof.md). Raises Unanswered.
    """
    text = found.note.text.encode()
    nonce = secrets.randbits(63) | 1 << 63
    status, _, answer = post(url, time_stamp_request(text, nonce), "application/timestamp-query")
    if status != 200:
        raise Unanswered(f"the authority did not grant a time stamp (status {status})")
    try:
        check_time_stamp(answer, text)
    except TimeStampWrong as wrong:
        raise Unanswered(f"what the authority answered is no time stamp over the checkpoint: {wrong}") from None
    if nonce.to_bytes(9, "big") not in answer:
        raise Unanswered("the authority answered something else than what was asked now")
    parameters = {"book": book, "size": found.checkpoint.size, "authority": url[:200], "token": answer}
    with connection.cursor() as cursor:
        cursor.execute(_QUERIES["keep_time_stamp"], parameters)
    return answer
