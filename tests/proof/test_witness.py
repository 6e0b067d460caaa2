"""A witness and the ledger that asks it, over real sockets; a fork is refused, a race rolls nothing back."""

import shutil
import socketserver
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

from api.command.witnessing import server
from ledger.proof.checkpoint import Checkpoint, check_cosignature
from ledger.proof.checkpoints import latest, verifier_keys
from ledger.proof.cosigning import Policy, WitnessAt, WitnessDisagrees, make_and_collect, stamp
from ledger.proof.files import ConsistencyFile
from ledger.proof.note import ED25519, Note, NoteMalformed, Signer, VerifierKey, signature_lines, signed
from ledger.proof.posting import Unanswered, post
from ledger.proof.schedule import Schedule
from ledger.proof.time_stamp import check_time_stamp
from ledger.proof.verifying import signed_checkpoints
from ledger.proof.witness import Witness
from ledger.record.problems import Kind
from ledger.record.tree import consistency_proof, leaf_hash, subtrees_of, tree_root
from ledger.record.verify import verify
from tests.proof.conftest import Story

ORIGIN = "bank.example/main"
BOOK = Signer(ORIGIN, ED25519, bytes(range(32)))
LEAVES = [leaf_hash(b"%d" % n) for n in range(40)]
OTHERS = [*LEAVES[:4], *[leaf_hash(b"x%d" % n) for n in range(36)]]


def asked(old: int, new: int, leaves: list[bytes] = LEAVES, signer: Signer = BOOK) -> bytes:
    hashes = consistency_proof(old, new, subtrees_of(leaves)) if old else ()
    note = signed(Checkpoint(signer.verifier.name, new, tree_root(leaves[:new])).text(), signer)
    return ConsistencyFile(old, hashes, note.written()).written()


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return Witness(tmp_path / "witness", "audit.example/w1", [BOOK.verifier], lambda: 1_700_000_000.5)


def test_a_witness_follows_a_book_and_refuses_what_does_not_continue_it(witness: Witness) -> None:
    first = witness.add_checkpoint(asked(0, 5))
    assert first.status == 200
    text = Note.read(ConsistencyFile.read(asked(0, 5)).checkpoint).text
    (line,) = signature_lines(first.body.decode())
    assert check_cosignature(text, line, witness.verifier) == 1_700_000_000
    assert witness.add_checkpoint(asked(5, 9)).status == 200
    assert witness.add_checkpoint(asked(9, 9)).status == 200
    stale = witness.add_checkpoint(asked(5, 12))
    assert (stale.status, stale.content_type, stale.body) == (409, "text/x.tlog.size", b"9\n")
    assert witness.add_checkpoint(asked(9, 9, OTHERS)).status == 409
    assert witness.add_checkpoint(asked(9, 20, OTHERS)).status == 422
    assert witness.last(ORIGIN) == Checkpoint(ORIGIN, 9, tree_root(LEAVES[:9]))
    assert witness.add_checkpoint(asked(9, 20)).status == 200


def test_a_witness_answers_strangers_and_nonsense_as_c2sp_says(witness: Witness) -> None:
    stranger = Signer("other.example/main", ED25519, bytes(32))
    impostor = Signer(ORIGIN, ED25519, bytes(32))
    assert witness.add_checkpoint(asked(0, 5, signer=stranger)).status == 404
    assert witness.add_checkpoint(asked(0, 5, signer=impostor)).status == 403
    assert witness.add_checkpoint(b"nonsense").status == 400
    assert witness.add_checkpoint(asked(0, 5).replace(b"old 0", b"old 9")).status == 400
    assert witness.add_checkpoint(asked(0, 5).replace(b"old 0\n", b"old 0\n" + b"A" * 43 + b"=\n")).status == 422
    assert witness.last(ORIGIN) is None


def test_a_witness_that_begins_anew_knows_what_it_saw(witness: Witness, tmp_path: Path) -> None:
    witness.add_checkpoint(asked(0, 5))
    again = Witness(tmp_path / "witness", "audit.example/w1", [BOOK.verifier], lambda: 0.0)
    assert again.verifier == witness.verifier
    assert again.add_checkpoint(asked(0, 3)).body == b"5\n"
    with pytest.raises(NoteMalformed, match="is called"):
        Witness(tmp_path / "witness", "another", [BOOK.verifier], lambda: 0.0)


def test_requests_at_once_never_roll_a_witness_back(witness: Witness) -> None:
    witness.add_checkpoint(asked(0, 1))
    sizes = list(range(2, 40))
    answers: list[tuple[int, int]] = []

    def ask(size: int) -> None:
        for _ in range(80):
            last = witness.last(ORIGIN)
            assert last is not None
            if last.size >= size:
                return
            answers.append((size, witness.add_checkpoint(asked(last.size, size)).status))

    threads = [threading.Thread(target=ask, args=(size,)) for size in sizes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    last = witness.last(ORIGIN)
    assert last == Checkpoint(ORIGIN, 39, tree_root(LEAVES[:39]))
    accepted = [size for size, status in answers if status == 200]
    assert len(set(accepted)) == len(accepted)


@contextmanager
def serving(served: ThreadingHTTPServer) -> Iterator[str]:
    thread = threading.Thread(target=served.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{served.server_address[1]}"
    finally:
        served.shutdown()
        thread.join()
        served.server_close()


@pytest.fixture
def watched(story: Story, tmp_path: Path) -> Iterator[Callable[[int], Policy]]:
    """Starts witnesses that watch the book, as many as are asked for."""
    story.checkpoints.make()
    with story.connect() as connection:
        (key,) = verifier_keys(connection, story.book)
    stop = []

    def start(count: int) -> Policy:
        found = []
        for n in range(count):
            made = Witness(
                tmp_path / f"w{n}", f"audit.example/w{n}", [VerifierKey.read(key.verifier_key)], lambda: 1_700_000_000
            )
            running = serving(server(made, "127.0.0.1", 0))
            stop.append(running)
            found.append(WitnessAt(made.verifier, running.__enter__()))
        return Policy(tuple(found), count)

    yield start
    for running in stop:
        running.__exit__(None, None, None)


def test_cosignatures_are_collected_kept_and_verified(story: Story, watched: Callable[[int], Policy]) -> None:
    policy = watched(2)
    for _ in range(2):
        story.complaint()
        made, collected = make_and_collect(story.checkpoints, policy)
        assert made is not None
        assert (collected.cosigned, collected.ok) == (2, True)
        assert len(made.note.signatures) == 3
        for each in policy.witnesses:
            line = made.note.by(each.key)
            assert line is not None
            check_cosignature(made.note.text, line, each.key)
    again, _ = make_and_collect(story.checkpoints, policy)
    assert again is not None
    assert again.note == made.note  # type: ignore[union-attr]  # asserted above
    found = verify(story.database, story.book, signed=signed_checkpoints())
    assert found.ok
    for change in ("+ interval '1 second'", "- interval '1 second'"):
        story.as_superuser(f"UPDATE ledger.cosignature SET cosigned_at = cosigned_at {change} WHERE book = %(book)s")
        moved = verify(story.database, story.book, signed=signed_checkpoints())
        assert {problem.kind for problem in moved.problems} == ({Kind.COSIGNATURE} if "+" in change else set())
    story.as_superuser("UPDATE ledger.cosignature SET line = replace(line, 'A', 'B') WHERE book = %(book)s")
    assert not verify(story.database, story.book, signed=signed_checkpoints()).ok


def test_a_witness_that_is_away_is_missed(story: Story, watched: Callable[[int], Policy]) -> None:
    (there,) = watched(1).witnesses
    gone = WitnessAt(there.key._replace(name="gone.example/w"), "http://127.0.0.1:9")
    made, collected = make_and_collect(story.checkpoints, Policy((there, gone), 2))
    assert made is not None
    assert (collected.cosigned, collected.ok) == (1, False)
    assert "is away" in collected.failures[0]


def test_a_restored_book_is_caught_by_its_witness(story: Story, watched: Callable[[int], Policy]) -> None:
    """Even where the folder with the last checkpoint went back with the database."""
    policy = watched(1)
    backup, folder = story.copied(), story.keys.folder / "checkpoints"
    kept = {path: path.read_bytes() for path in folder.iterdir()}
    for _ in range(2):
        story.complaint()
    make_and_collect(story.checkpoints, policy)
    story.restored(backup)
    for path, content in kept.items():
        path.write_bytes(content)
    restarted = story.reopened()
    restarted.complaint()
    with pytest.raises(WitnessDisagrees):
        make_and_collect(restarted.checkpoints, policy)
    for _ in range(3):
        restarted.complaint()
    with pytest.raises(WitnessDisagrees):
        make_and_collect(restarted.checkpoints, policy)
    restarted.close()


def test_a_schedule_signs_what_comes_in(story: Story, watched: Callable[[int], Policy]) -> None:
    policy = watched(1)
    with story.connect() as connection, Schedule(story.checkpoints, policy, every_seconds=0.05):
        for _ in range(2):
            story.complaint()
            size = story.ledger.record.max_notification_id()
            assert size is not None
            for _ in range(400):
                if latest(connection, story.book).checkpoint.size >= size:
                    break
                threading.Event().wait(0.05)
            assert latest(connection, story.book).checkpoint.size >= size


@contextmanager
def dripping(beginning: bytes) -> Iterator[str]:
    """A server that begins an answer and then sends a byte now and then, for ever; its address."""
    ends = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                self.request.recv(65_536)
                self.request.sendall(beginning)
                while not ends.wait(0.02):
                    self.request.sendall(b"x")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    served = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=served.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{served.server_address[1]}"
    finally:
        ends.set()
        served.shutdown()
        thread.join()
        served.server_close()


IN_ITS_BODY = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 60000\r\n\r\n"
IN_ITS_HEADER = b"HTTP/1.1 200 OK\r\nX-Slow: "


@pytest.mark.parametrize("beginning", [IN_ITS_BODY, IN_ITS_HEADER, b""], ids=["body", "header", "status"])
def test_an_answer_has_a_bound_as_a_whole(beginning: bytes) -> None:
    with dripping(beginning) as address, pytest.raises(Unanswered, match="did not answer as a whole"):
        post(address, b"", "text/plain", 0.2)


def test_a_slow_witness_delays_no_other(
    story: Story, watched: Callable[[int], Policy], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.proof.posting.ANSWER_SECONDS_MAX", 1.0)
    (there,) = watched(1).witnesses
    with dripping(IN_ITS_BODY) as address:
        slow = [WitnessAt(there.key._replace(name=f"slow.example/w{n}"), address) for n in range(5)]
        made, collected = make_and_collect(story.checkpoints, Policy((*slow, there), 1))
    assert made is not None
    assert made.note.by(there.key) is not None
    assert (collected.cosigned, len(collected.failures), collected.ok) == (1, 5, True)


def test_checkpoints_go_on_and_end_while_a_witness_is_slow(
    story: Story, watched: Callable[[int], Policy], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The witness would hold whoever waits for it until the test is over: signing does not, and neither does the end."""
    monkeypatch.setattr("ledger.proof.posting.ANSWER_SECONDS_MAX", 3_600.0)
    monkeypatch.setattr("ledger.proof.schedule.END_SECONDS_MAX", 0.1)
    (there,) = watched(1).witnesses
    with story.connect() as connection, dripping(IN_ITS_BODY) as address:
        with Schedule(story.checkpoints, Policy((there._replace(url=address),), 1), every_seconds=0.05):
            for _ in range(3):
                story.complaint()
                size = story.ledger.record.max_notification_id()
                assert size is not None
                for _ in range(200):
                    if latest(connection, story.book).checkpoint.size >= size:
                        break
                    threading.Event().wait(0.05)
                assert latest(connection, story.book).checkpoint.size >= size
        assert "cosignatures" in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize(
    "text", ["witness x http://a\nquorum 1", "quorum 1", "", "witness\nquorum 0", "hello", "quorum -1"]
)
def test_a_policy_that_cannot_be_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "witnesses"
    file.write_text(text)
    with pytest.raises(NoteMalformed):
        Policy.read(file)


def test_a_policy_lists_witnesses_and_a_quorum(tmp_path: Path, witness: Witness) -> None:
    file = tmp_path / "witnesses"
    file.write_text(f"# internal audit\nwitness {witness.verifier} http://audit.example:8700/\n\nquorum 1\n")
    assert Policy.read(file) == Policy((WitnessAt(witness.verifier, "http://audit.example:8700"),), 1)


OPENSSL = shutil.which("openssl")

TSA = """[tsa]
default_tsa = one
[one]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
certs = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A time-stamping authority of our own: OpenSSL behind a socket."""
    assert OPENSSL is not None
    folder = tmp_path / "tsa"
    folder.mkdir()
    (folder / "serial").write_text("01\n")
    (folder / "tsa.cnf").write_text(TSA.format(folder=folder))
    subprocess.run(
        [
            *(OPENSSL, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "tsa.key", "-days", "2"),
            *("-out", folder / "tsa.pem", "-subj", "/CN=test authority"),
            *("-addext", "extendedKeyUsage=critical,timeStamping"),
        ],
        check=True,
        capture_output=True,
    )

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            (folder / "query").write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            asked = [
                "ts",
                "-reply",
                "-config",
                folder / "tsa.cnf",
                "-queryfile",
                folder / "query",
                "-out",
                folder / "answer",
            ]
            done = subprocess.run([OPENSSL or "", *asked], check=False, capture_output=True)
            body = (folder / "answer").read_bytes() if self.path == "/" and not done.returncode else b"no"
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as address:
        yield address, folder


@pytest.mark.skipif(OPENSSL is None, reason="the local authority is OpenSSL's")
def test_a_time_stamp_is_fetched_kept_and_verified_by_openssl(
    story: Story, authority: tuple[str, Path], tmp_path: Path
) -> None:
    address, folder = authority
    made = story.checkpoints.make()
    assert made is not None
    with story.connect() as connection:
        token = stamp(connection, story.book, made, address)
        with pytest.raises(Unanswered):
            stamp(connection, story.book, made, f"{address}/refuses")
    ((kept,),) = story.as_superuser("SELECT token FROM ledger.time_stamp WHERE book = %(book)s")
    assert bytes(kept) == token
    (tmp_path / "token").write_bytes(token)

    def verified(text: str) -> bool:
        (tmp_path / "text").write_text(text)
        command = [
            "ts",
            "-verify",
            "-data",
            tmp_path / "text",
            "-in",
            tmp_path / "token",
            "-CAfile",
            folder / "tsa.pem",
        ]
        return subprocess.run([OPENSSL or "", *command], check=False, capture_output=True).returncode == 0

    assert verified(made.note.text)
    assert not verified(made.note.text.replace("\n", "x\n", 1))


@pytest.mark.skipif(OPENSSL is None, reason="the local authority is OpenSSL's")
def test_verify_holds_a_time_stamp_against_its_checkpoint_and_its_authority(
    story: Story, authority: tuple[str, Path]
) -> None:
    address, folder = authority
    made = story.checkpoints.make()
    assert made is not None
    with story.connect() as connection:
        token = stamp(connection, story.book, made, address)
    own = x509.load_pem_x509_certificates((folder / "tsa.pem").read_bytes())
    at = check_time_stamp(token, made.note.text.encode(), own).at
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=5)

    def found(*authorities: x509.Certificate) -> tuple[list[Kind], int]:
        said = verify(story.database, story.book, signed=signed_checkpoints(authorities=authorities))
        return [problem.kind for problem in said.problems], said.time_stamps

    assert found() == ([], 1)
    assert found(*own) == ([], 1)
    assert found(stranger()) == ([Kind.TIME_STAMP], 1)
    imprint = token.index(sha256(made.note.text.encode()).digest())
    for place in (imprint, len(token) - 1, token.index(b"20", imprint), 10):
        spoiled = bytearray(token)
        spoiled[place] ^= 1
        change = "UPDATE ledger.time_stamp SET token = %(v0)s WHERE book = %(book)s"
        story.as_superuser(change, bytes(spoiled))
        assert found() == ([Kind.TIME_STAMP], 1), f"byte {place}"
    story.as_superuser("UPDATE ledger.time_stamp SET token = %(v0)s, size = size + 1 WHERE book = %(book)s", token)
    assert found() == ([Kind.TIME_STAMP], 1)


def stranger() -> x509.Certificate:
    """A certificate of another authority."""
    key, name = Ed25519PrivateKey.generate(), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "another authority")])
    now = datetime.now(UTC)
    certificate = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    valid = certificate.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    return valid.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(key, None)
