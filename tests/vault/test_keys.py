"""The store of keys: made once, durable, wrapped, shared by threads and processes, and truly forgotten."""

import base64
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from ledger.vault.keys import STORE_FILE, SubjectErased, SubjectKeys
from ledger.vault.master import (
    KeysExposed,
    MasterKey,
    MasterKeyMalformed,
    MasterKeyMissing,
    WrongMasterKey,
    key_from_file,
    key_from_text,
)

AT = datetime(2026, 11, 22, 7, 30, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "keys"


@pytest.fixture
def keys(folder: Path) -> Iterator[SubjectKeys]:
    keys = SubjectKeys.open(folder)
    yield keys
    keys.close()


def reopened(folder: Path, master: str | None = None) -> SubjectKeys:
    return SubjectKeys.open(folder, master)


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.glob(f"{STORE_FILE}*")))


def wrapped_of(folder: Path, subject_id: UUID) -> bytes:
    with sqlite3.connect(folder / STORE_FILE) as other:
        row = other.execute("SELECT wrapped FROM subject_key WHERE subject_id = ?", [str(subject_id)]).fetchone()
    other.close()
    return bytes(row[0])


def new_master() -> str:
    return base64.b64encode(os.urandom(32)).decode()


def test_each_subject_gets_a_key_of_its_own_that_stays(keys: SubjectKeys, folder: Path) -> None:
    one, other = uuid4(), uuid4()
    made = keys.keys_for([one, other, one])
    assert set(made) == {one, other}
    assert made[one] != made[other]
    assert {len(key) for key in made.values()} == {32}
    assert keys.keys_for([other])[other] == made[other]
    again = reopened(folder)
    assert again.keys_for([one, other]) == made
    again.close()


def test_reading_makes_no_key(keys: SubjectKeys) -> None:
    stranger = uuid4()
    assert keys.held([stranger]) == {}
    made = keys.keys_for([stranger])
    assert keys.held([stranger, uuid4()]) == made


def test_only_wrapped_keys_are_on_the_disk(keys: SubjectKeys, folder: Path) -> None:
    made = keys.keys_for(uuid4() for _ in range(50))
    secret = keys.secret("request-fingerprint")
    stored = on_disk(folder)
    assert len(stored) > 50 * 60
    assert not any(key in stored for key in [*made.values(), secret])


def test_files_are_their_owners_alone(keys: SubjectKeys, folder: Path) -> None:
    keys.keys_for([uuid4()])
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {
        "master.key": 0o600,
        "subjects.sqlite": 0o600,
        "subjects.sqlite-shm": 0o600,
        "subjects.sqlite-wal": 0o600,
    }


@pytest.mark.parametrize(("name", "mode"), [("master.key", 0o640), ("subjects.sqlite", 0o604), (".", 0o750)])
def test_an_exposed_file_is_refused(keys: SubjectKeys, folder: Path, name: str, mode: int) -> None:
    keys.close()
    (folder / name).chmod(mode)
    with pytest.raises(KeysExposed, match="chmod"):
        reopened(folder)


def test_a_wide_umask_opens_nothing(folder: Path) -> None:
    before = os.umask(0)
    try:
        keys = SubjectKeys.open(folder)
    finally:
        os.umask(before)
    keys.close()
    assert not [path for path in [folder, *folder.iterdir()] if path.stat().st_mode & 0o077]


def test_the_master_key_may_come_from_the_environment(folder: Path) -> None:
    master = new_master()
    keys = reopened(folder, master)
    made = keys.keys_for([uuid4()])
    keys.close()
    assert not (folder / "master.key").exists()
    again = reopened(folder, key_from_text(master).hex())
    assert again.keys_for(made) == made
    again.close()


def test_the_master_key_may_be_in_another_file(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "mounted.key"
    with pytest.raises(MasterKeyMissing):
        SubjectKeys.open(folder, None, elsewhere)
    elsewhere.write_text(new_master() + "\n")
    elsewhere.chmod(0o600)
    keys = SubjectKeys.open(folder, None, elsewhere)
    made = keys.keys_for([uuid4()])
    keys.close()
    again = SubjectKeys.open(folder, elsewhere.read_text())
    assert again.keys_for(made) == made
    again.close()


def test_a_wrong_master_key_is_named_before_anything_is_written(keys: SubjectKeys, folder: Path) -> None:
    keys.keys_for([uuid4()])
    keys.close()
    with pytest.raises(WrongMasterKey, match="LEDGER_MASTER_KEY"):
        reopened(folder, new_master())


def test_a_lost_master_key_is_not_replaced_by_a_new_one(keys: SubjectKeys, folder: Path) -> None:
    keys.close()
    (folder / "master.key").unlink()
    with pytest.raises(MasterKeyMissing):
        reopened(folder)
    assert not (folder / "master.key").exists()


@pytest.mark.parametrize("text", ["", "short", "A" * 44, base64.b64encode(b"x" * 31).decode(), "0" * 63, "密" * 32])
def test_a_malformed_master_key_is_refused_and_not_repeated(folder: Path, text: str) -> None:
    with pytest.raises(MasterKeyMalformed) as refused:
        reopened(folder, text)
    assert not text or text not in str(refused.value)


def test_a_key_put_in_anothers_place_does_not_open(keys: SubjectKeys, folder: Path) -> None:
    one, other = uuid4(), uuid4()
    keys.keys_for([one, other])
    keys.close()
    with sqlite3.connect(folder / STORE_FILE) as thief:
        wrapped = thief.execute("SELECT wrapped FROM subject_key WHERE subject_id = ?", [str(one)]).fetchone()
        thief.execute("UPDATE subject_key SET wrapped = ? WHERE subject_id = ?", [*wrapped, str(other)])
    thief.close()
    again = reopened(folder)
    with pytest.raises(WrongMasterKey, match=str(other)):
        again.keys_for([other])
    again.close()


def test_a_destroyed_key_is_gone_for_good(keys: SubjectKeys, folder: Path) -> None:
    gone, kept = uuid4(), uuid4()
    made = keys.keys_for([gone, kept])
    wrapped = wrapped_of(folder, gone)
    assert wrapped in on_disk(folder)

    keys.destroy(gone, AT)

    assert wrapped not in on_disk(folder)
    assert wrapped_of(folder, kept) in on_disk(folder)
    assert keys.held([gone, kept]) == {kept: made[kept]}
    assert keys.erased([gone, kept]) == {gone: AT}
    with pytest.raises(SubjectErased) as refused:
        keys.keys_for([gone])
    assert str(gone) in str(refused.value)


def test_no_stale_copy_of_any_destroyed_key_is_left_among_many(keys: SubjectKeys, folder: Path) -> None:
    subjects = list(keys.keys_for(uuid4() for _ in range(2_000)))
    gone = subjects[::7]
    wrapped = [wrapped_of(folder, each) for each in gone]
    for each in gone:
        keys.destroy(each, AT)
    stored = on_disk(folder)
    assert not [each for each in wrapped if each in stored]
    assert len(keys.held(subjects)) == len(subjects) - len(gone)


def test_destroying_again_keeps_the_first_time(keys: SubjectKeys) -> None:
    subject = uuid4()
    keys.keys_for([subject])
    keys.destroy(subject, AT)
    keys.destroy(subject, datetime(2027, 1, 1, tzinfo=UTC))
    assert keys.erased([subject]) == {subject: AT}


def test_a_subject_without_a_key_can_be_erased_too(keys: SubjectKeys) -> None:
    subject = uuid4()
    keys.destroy(subject, AT)
    with pytest.raises(SubjectErased):
        keys.keys_for([subject])


def test_nothing_is_made_when_one_of_many_was_erased(keys: SubjectKeys) -> None:
    gone, fresh = uuid4(), uuid4()
    keys.destroy(gone, AT)
    with pytest.raises(SubjectErased):
        keys.keys_for([fresh, gone])
    assert keys.held([fresh]) == {}


def test_a_key_destroyed_elsewhere_is_forgotten_here(keys: SubjectKeys, folder: Path) -> None:
    subjects = list(keys.keys_for(uuid4() for _ in range(3)))
    other = reopened(folder)
    other.destroy(subjects[0], AT)
    assert set(keys.held(subjects)) == set(subjects[1:])
    with pytest.raises(SubjectErased):
        keys.keys_for(subjects)
    other.close()


def test_a_secret_keeps_its_value(keys: SubjectKeys, folder: Path) -> None:
    secret = keys.secret("request-fingerprint")
    assert len(secret) == 32
    assert keys.secret("another") != secret == keys.secret("request-fingerprint")
    again = reopened(folder)
    assert again.secret("request-fingerprint") == secret
    again.close()


def test_a_new_master_key_changes_no_key_and_no_secret(keys: SubjectKeys, folder: Path) -> None:
    made = keys.keys_for(uuid4() for _ in range(1_005))
    gone, *_ = made
    keys.destroy(gone, AT)
    del made[gone]
    secret = keys.secret("request-fingerprint")
    before = on_disk(folder)
    wrapped = wrapped_of(folder, next(iter(made)))
    old, new = (folder / "master.key").read_text(), new_master()

    assert keys.rewrap(MasterKey(key_from_text(new))) == len(made)

    assert keys.keys_for([uuid4()])
    keys.close()
    again = reopened(folder, new)
    assert again.held([gone, *made]) == made
    assert again.secret("request-fingerprint") == secret
    again.close()
    assert wrapped in before
    assert wrapped not in on_disk(folder)
    with pytest.raises(WrongMasterKey):
        reopened(folder, old)


def test_who_still_has_the_old_master_key_writes_nothing_more(keys: SubjectKeys, folder: Path) -> None:
    other = reopened(folder)
    keys.rewrap(MasterKey(os.urandom(32)))
    with pytest.raises(WrongMasterKey, match="new master key"):
        other.keys_for([uuid4()])
    other.close()


def test_threads_get_one_key_for_one_subject(keys: SubjectKeys) -> None:
    subjects = [uuid4() for _ in range(40)]
    seen: list[dict[UUID, bytes]] = []
    threads = [threading.Thread(target=lambda: seen.append(keys.keys_for(subjects))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8
    assert all(each == seen[0] for each in seen)


PROCESS = """
import sys
from pathlib import Path
from uuid import UUID
from ledger.vault.keys import SubjectKeys
keys = SubjectKeys.open(Path(sys.argv[1]))
for n in range(40):
    print(keys.keys_for([UUID(int=n)])[UUID(int=n)].hex(), keys.secret("shared").hex())
"""


def test_processes_that_begin_together_agree_on_every_key(folder: Path) -> None:
    program = [sys.executable, "-c", PROCESS, str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    started = [subprocess.Popen(program, stdout=subprocess.PIPE, env=environment) for _ in range(4)]
    said = [each.communicate(timeout=60)[0] for each in started]
    assert [each.returncode for each in started] == [0] * 4
    assert len(set(said)) == 1
    assert said[0].count(b"\n") == 40
    assert len(key_from_file(folder / "master.key")) == 32


def test_memory_is_bounded(keys: SubjectKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.vault.keys.KEYS_IN_MEMORY_MAX", 10)
    made = keys.keys_for(uuid4() for _ in range(25))
    assert len(made) == 25
    assert len(keys._held) == 10
    assert keys.keys_for(made) == made


HOLDS = """
import sys
from pathlib import Path
from uuid import UUID
from ledger.vault.keys import SubjectKeys

keys = SubjectKeys.open(Path(sys.argv[1]))
print(len(keys.held(map(UUID, sys.argv[2:]))))
keys.close()
"""


def test_a_key_that_is_made_while_others_open_and_close_the_store_is_not_lost(folder: Path) -> None:
    """Opening the store once more in this process must not give up the locks under the first connection."""

    def held_elsewhere(*subjects: UUID) -> int:
        command = [sys.executable, "-c", HOLDS, folder, *map(str, subjects)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2])
        return int(done.stdout)

    first, before, after = SubjectKeys.open(folder), uuid4(), uuid4()
    first.keys_for([before])
    SubjectKeys.open(folder).close()
    assert held_elsewhere(before) == 1  # and closes the store, as if it were the last to use it
    first.keys_for([after])
    assert held_elsewhere(before, after) == 2
    first.close()
