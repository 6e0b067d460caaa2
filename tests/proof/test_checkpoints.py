"""Checkpoints of a real book: made, found, signed by known keys only; a book that forgot what it signed records nothing."""

import os
from collections.abc import Callable
from contextlib import closing

import pytest
from eventsourcing.persistence import OperationalError

from ledger.application import Ledger
from ledger.attesting.events import BookSucceeded, VerifierKeyIntroduced
from ledger.proof.checkpoint import checkpoint_in
from ledger.proof.checkpoints import (
    Checkpoints,
    NoSuchCheckpoint,
    check_held,
    first_covering,
    held,
    latest,
    listed,
    verifier_keys,
)
from ledger.proof.guard import BookForked
from ledger.proof.keeping import SigningKeyUnusable
from ledger.proof.note import Note, Signer, VerifierKey
from ledger.proof.succession import NothingLost, succeed
from ledger.record.envelope import opened
from ledger.record.reading import events_after, head
from ledger.vault.master import KeysExposed
from tests.proof.conftest import Story


def test_the_first_checkpoint_makes_the_key_and_the_book_names_it(story: Story) -> None:
    made = story.checkpoints.make()
    assert made is not None
    with story.connect() as connection:
        end = head(connection, story.book)
        (key,) = verifier_keys(connection, story.book)
        last = events_after(connection, story.book, end.size - 1, 1)[0]
        assert check_held(made, (key,)) == made.checkpoint
        assert latest(connection, story.book).note == made.note
    assert (made.checkpoint.size, made.checkpoint.root) == (end.size, end.root)
    assert isinstance(opened(last).event, VerifierKeyIntroduced)
    folder = story.keys.folder / "checkpoints"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in folder.iterdir())


def test_a_checkpoint_is_made_once_for_each_size(story: Story) -> None:
    first, again = story.checkpoints.make(), story.checkpoints.make()
    assert first is not None
    assert again is not None
    assert first.note == again.note
    story.complaint()
    more = story.checkpoints.make()
    assert more is not None
    assert more.checkpoint.size == first.checkpoint.size + 3
    with story.connect() as connection:
        assert [each.checkpoint for each in listed(connection, story.book, 0, 10)] == [
            first.checkpoint,
            more.checkpoint,
        ]
        assert held(connection, story.book, first.checkpoint.size).note == first.note
        assert first_covering(connection, story.book, first.checkpoint.size + 1).checkpoint == more.checkpoint
        with pytest.raises(NoSuchCheckpoint, match="covers position"):
            first_covering(connection, story.book, more.checkpoint.size + 1)


def test_an_empty_book_has_no_checkpoint(make_story: Callable[[str], Story], book: str) -> None:
    empty = make_story(book)
    assert empty.checkpoints.make() is None
    with empty.connect() as connection, pytest.raises(NoSuchCheckpoint):
        latest(connection, book)


def test_a_key_that_the_book_does_not_know_signs_nothing(story: Story) -> None:
    made = story.checkpoints.make()
    assert made is not None
    stranger = Signer(made.checkpoint.origin, 1, os.urandom(32)).written()
    with pytest.raises(SigningKeyUnusable, match="does not know"):
        Checkpoints(story.ledger, story.database, stranger).make()
    with pytest.raises(SigningKeyUnusable, match="signs for another"):
        Checkpoints(story.ledger, story.database, Signer("another", 1, os.urandom(32)).written()).make()
    with pytest.raises(SigningKeyUnusable, match="PRIVATE"):
        Checkpoints(story.ledger, story.database, "nonsense").make()
    (key_file,) = (story.keys.folder / "checkpoints").glob("*.key")
    own = key_file.read_text()
    key_file.unlink()
    story.complaint()
    with pytest.raises(SigningKeyUnusable, match="put it back"):
        story.checkpoints.make()
    assert Checkpoints(story.ledger, story.database, own).make() is not None


def test_a_key_that_others_can_read_is_not_used(story: Story) -> None:
    story.checkpoints.make()
    (key_file,) = (story.keys.folder / "checkpoints").glob("*.key")
    key_file.chmod(0o640)
    with pytest.raises(KeysExposed, match="chmod 600"):
        story.checkpoints.make()


def test_a_new_key_leaves_old_checkpoints_valid_and_takes_over(story: Story) -> None:
    before = story.checkpoints.make()
    new = story.checkpoints.rotate("zhang.min", "the yearly change")
    after = story.checkpoints.make()
    assert before is not None
    assert after is not None
    with story.connect() as connection:
        keys = verifier_keys(connection, story.book)
    assert [key.verifier_key for key in keys][1] == str(new)
    assert check_held(before, keys) == before.checkpoint
    assert checkpoint_in(after.note, [new]) == after.checkpoint
    old = VerifierKey.read(keys[0].verifier_key)
    assert keys[0].signs(before.checkpoint.size)
    assert not keys[0].signs(after.checkpoint.size)
    assert after.note.by(old) is None


@pytest.mark.parametrize("moment", ["made", "recorded"])
def test_a_rotation_that_was_cut_off_is_finished(story: Story, moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    story.checkpoints.make()
    cut = "_record" if moment == "made" else "_folder"

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        if moment == "made":
            patched.setattr(Checkpoints, cut, killed)
        else:
            patched.setattr("ledger.proof.keeping.SigningFolder.adopt_successor", killed)
        with pytest.raises(KeyboardInterrupt):
            story.checkpoints.rotate("zhang.min", "the yearly change")
    made = story.checkpoints.make()
    assert made is not None
    with story.connect() as connection:
        keys = verifier_keys(connection, story.book)
        check_held(made, keys)
    assert len(keys) == (1 if moment == "made" else 2)
    new = story.checkpoints.rotate("zhang.min", "the yearly change")
    again = story.checkpoints.make()
    assert again is not None
    assert checkpoint_in(again.note, [new]).size == again.checkpoint.size


def test_what_was_signed_and_not_stored_is_given_out_the_next_time(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("ledger.proof.checkpoints._kept", killed)
        with pytest.raises(KeyboardInterrupt):
            story.checkpoints.make()
    (last,) = (story.keys.folder / "checkpoints").glob("*.last")
    signed_then = Note.read(last.read_bytes())
    made = story.checkpoints.make()
    assert made is not None
    assert made.note == signed_then


def test_a_restored_older_database_records_nothing(story: Story) -> None:
    backup = story.copied()
    story.complaint()
    made = story.checkpoints.make()
    assert made is not None
    story.restored(backup)
    restarted = story.reopened()
    with pytest.raises(BookForked, match="are missing") as refused:
        restarted.complaint()
    assert "book succeed" in str(refused.value)
    with pytest.raises(BookForked):
        restarted.checkpoints.make()
    with restarted.connect() as connection:
        assert head(connection, story.book).size == 6
    restarted.ledger.close()


def test_a_book_that_grew_apart_records_nothing(story: Story) -> None:
    """Restored, and then written to by a program without the key's folder, past the size that was signed."""
    backup = story.copied()
    story.complaint()
    made = story.checkpoints.make()
    assert made is not None
    last_file = next((story.keys.folder / "checkpoints").glob("*.last"))
    signed_last = last_file.read_bytes()
    story.restored(backup)
    last_file.unlink()
    elsewhere = story.reopened()
    for _ in range(3):
        elsewhere.complaint()
    last_file.write_bytes(signed_last)
    restarted = elsewhere.reopened()
    with pytest.raises(BookForked, match="not what was signed"):
        restarted.complaint()
    restarted.ledger.close()


def test_a_fail_over_is_noticed_while_the_program_runs(story: Story) -> None:
    """The connection breaks, and the server that answers next is behind."""
    backup = story.copied()
    story.complaint()
    story.checkpoints.make()
    story.restored(backup)
    story.as_superuser(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'ledger_application' AND pid <> pg_backend_pid()"
    )
    with pytest.raises(OperationalError):
        story.complaint()  # what was read over the broken connection
    with pytest.raises(BookForked):
        story.complaint()


def test_a_last_checkpoint_that_cannot_be_read_stops_recording(story: Story) -> None:
    story.checkpoints.make()
    last_file = next((story.keys.folder / "checkpoints").glob("*.last"))
    last_file.write_bytes(b"torn")
    restarted = story.reopened()
    with pytest.raises(SigningKeyUnusable, match="put it back"):
        restarted.complaint()
    restarted.ledger.close()


def test_after_a_loss_a_successor_begins_with_it(story: Story) -> None:
    with pytest.raises(NothingLost):
        succeed(story.database, story.keys, story.book, f"{story.book}-2", "zhang.min", "none")
    backup = story.copied()
    story.complaint()
    made = story.checkpoints.make()
    assert made is not None
    story.restored(backup)
    for _ in range(2):  # again changes nothing
        receipt = succeed(story.database, story.keys, story.book, f"{story.book}-2", "zhang.min", "disk failure")
        assert receipt.first_position == 1
    with story.connect() as connection:
        end = head(connection, f"{story.book}-2")
        (first, *more) = events_after(connection, f"{story.book}-2", 0, 10)
    assert not more
    fact = opened(first).event
    assert isinstance(fact, BookSucceeded)
    assert (fact.kept_size, fact.signed_size) == (6, made.checkpoint.size)
    assert end.origin == f"{made.checkpoint.origin}/after-{made.checkpoint.size}"
    assert Note.read(fact.checkpoint.encode()) == made.note
    with closing(Ledger(story.database, f"{story.book}-2", story.keys)) as ledger:
        successor = Story(story.database, ledger, story.keys)
        successor.complaint()
        again = successor.checkpoints.make()
    assert again is not None
    assert again.checkpoint.origin == end.origin
    restarted = story.reopened()
    with pytest.raises(BookForked):
        restarted.complaint()
    restarted.ledger.close()
