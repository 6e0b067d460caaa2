"""Signed notes and checkpoints: what is written is read, published examples are accepted, any changed bit is refused."""

import base64
from pathlib import Path

import pytest

from ledger.proof.checkpoint import Checkpoint, check_cosignature, checkpoint_in, cosigned
from ledger.proof.files import ConsistencyFile, InclusionFile
from ledger.proof.note import (
    COSIGNATURE,
    ED25519,
    Note,
    NoteMalformed,
    SignatureWrong,
    Signer,
    VerifierKey,
    signed,
)

ORIGIN = "complaints.bank.example/main"
SIGNER = Signer(ORIGIN, ED25519, bytes(range(32)))
WITNESS = Signer("audit.bank.example/w1", COSIGNATURE, bytes(range(1, 33)))
CHECKPOINT = Checkpoint(ORIGIN, 20_852_163, bytes(range(32)))
NOTE = signed(CHECKPOINT.text(), SIGNER)

# the example of Go's package documentation (golang.org/x/mod/sumdb/note)
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_the_example_of_go_is_accepted_and_a_changed_one_is_not() -> None:
    key = VerifierKey.read(GO_KEY)
    assert Note.read(GO_NOTE.encode()).check([key]) == key
    with pytest.raises(SignatureWrong):
        Note.read(GO_NOTE.replace("answer", "anvwer").encode()).check([key])


def test_what_is_written_is_read() -> None:
    assert Signer.read(SIGNER.written()).verifier == SIGNER.verifier
    assert VerifierKey.read(str(SIGNER.verifier)) == SIGNER.verifier
    assert VerifierKey.read(str(WITNESS.verifier)) == WITNESS.verifier
    assert Note.read(NOTE.written()) == NOTE
    assert checkpoint_in(NOTE, [SIGNER.verifier]) == CHECKPOINT
    assert SIGNER.written() not in repr(SIGNER)


def refuses(raw: bytes) -> bool:
    try:
        checkpoint_in(Note.read(raw), [SIGNER.verifier])
    except (NoteMalformed, SignatureWrong):
        return True
    return False


def test_a_checkpoint_with_any_one_bit_changed_is_refused() -> None:
    raw = NOTE.written()
    assert not refuses(raw)
    for bit in range(8 * len(raw)):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        assert refuses(bytes(changed)), f"bit {bit}"


def test_a_key_with_any_one_character_changed_is_refused() -> None:
    written = str(SIGNER.verifier)
    for place in range(len(written)):
        changed = written[:place] + ("A" if written[place] != "A" else "B") + written[place + 1 :]
        with pytest.raises(NoteMalformed):
            VerifierKey.read(changed)


def test_the_key_of_one_book_signs_for_no_other() -> None:
    other = Checkpoint("complaints.bank.example/other", 5, bytes(32))
    with pytest.raises(SignatureWrong):
        checkpoint_in(signed(other.text(), SIGNER), [SIGNER.verifier])


def test_a_cosignature_says_when_and_fits_one_text_only() -> None:
    line = cosigned(NOTE.text, WITNESS, 1_700_000_000)
    assert check_cosignature(NOTE.text, line, WITNESS.verifier) == 1_700_000_000
    for bit in range(8 * len(line.signature)):
        changed = bytearray(line.signature)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SignatureWrong):
            check_cosignature(NOTE.text, line._replace(signature=bytes(changed)), WITNESS.verifier)
    with pytest.raises(SignatureWrong):
        check_cosignature(NOTE.text.replace("main", "mean"), line, WITNESS.verifier)
    with pytest.raises(SignatureWrong):
        check_cosignature(NOTE.text, line, SIGNER.verifier)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n\n",
        NOTE.written()[:-1],
        NOTE.written() + b"\n",
        NOTE.written().replace(b"\n", b"\r\n"),
        NOTE.written() + b"- x AAAAAAA=\n",
        b"\xff" + NOTE.written(),
        b"x" * 1_000_001,
    ],
)
def test_what_is_no_note_is_refused(raw: bytes) -> None:
    with pytest.raises(NoteMalformed):
        Note.read(raw)


@pytest.mark.parametrize("size", ["", "01", "-1", "1.0", "9" * 30, " 1"])
def test_a_size_has_one_form(size: str) -> None:
    with pytest.raises(NoteMalformed):
        Checkpoint.read(CHECKPOINT.text().replace("20852163", size))


def test_proof_files_are_read_as_they_are_written() -> None:
    hashes = (bytes(32), bytes(range(32)))
    for extra in (None, b"", b"beside the proof"):
        file = InclusionFile(7, hashes, NOTE.written(), extra)
        assert InclusionFile.read(file.written()) == file
    assert InclusionFile.read(InclusionFile(0, (), NOTE.written()).written()).hashes == ()
    consistency = ConsistencyFile(7, hashes, NOTE.written())
    assert ConsistencyFile.read(consistency.written()) == consistency
    assert (
        InclusionFile(7, hashes, NOTE.written())
        .written()
        .startswith(b"c2sp.org/tlog-proof@v1\nindex 7\n" + base64.b64encode(bytes(32)) + b"\n")
    )


def test_a_signing_key_is_not_repeated_in_an_error(tmp_path: Path) -> None:
    del tmp_path
    secret = SIGNER.written()
    with pytest.raises(NoteMalformed) as wrong:
        Signer.read(secret.replace("+AQ", "+AB"))
    assert secret[-20:] not in str(wrong.value)
