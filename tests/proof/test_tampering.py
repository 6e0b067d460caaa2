"""A campaign against a verification: what a superuser can do to the stored tables, found with an auditor's checkpoint.

The auditor holds one checkpoint and one key, on paper. Everything lies at positions that the checkpoint covers. Without
it all is found but the two kinds that leave a database consistent in itself: an old copy, and one rewritten as a whole.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from psycopg2.errors import LockNotAvailable

from ledger.access.commands import EraseSubject
from ledger.application import BulkRequest, Ledger, Receipt
from ledger.complaint.events import ComplaintReceived
from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.event import Personal
from ledger.proof.checkpoint import Checkpoint
from ledger.proof.verifying import signed_checkpoints
from ledger.record.book import create_book
from ledger.record.entry import entry_bytes
from ledger.record.growing import Signed
from ledger.record.problems import Files, Kind, Verification
from ledger.record.reading import events_after, head
from ledger.record.tree import Edge, leaf_hash
from ledger.record.verify import verify
from ledger.vault.erasing import RESTORED
from ledger.vault.keys import SubjectKeys
from tests.proof.conftest import RECEIVED_AT, Story

SEED = 2_026
CASES_QUICK = 22
CASES_LONG = 600


class Target:
    """A book of 299 events (a full tile, and more), what it was at each of three moments, and the auditor's checkpoint."""

    def __init__(self, story: Story) -> None:
        self.story = story
        for _ in range(2):
            story.complaint()
        self.young = story.copied()
        story.evidence("年费多收了一次。".encode() * 70_000)
        requests = [
            BulkRequest(uuid4(), [received()], "test", str(uuid4()), b"", "receive-complaint") for _ in range(282)
        ]
        assert all(isinstance(result, Receipt) for _, result in story.ledger.record_in_bulk(requests))
        made = story.checkpoints.make()
        assert made is not None
        for _ in range(2):
            story.complaint()
        self.held: Checkpoint = made.checkpoint
        self.whole = story.copied()
        self.size = self.held.size + 6
        self.undo: list[str] = []

    def verify(self, *, brought: bool) -> Verification:
        signed = signed_checkpoints(self.held if brought else None)
        return verify(self.story.database, self.story.book, self.story.keys, signed=signed)

    def mend(self) -> None:
        while self.undo:
            self.change(self.undo.pop().replace("%", "%%"))
        self.story.restored(self.whole)

    def change(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        return self.story.as_superuser(statement, *values)

    def position(self, chance: random.Random) -> int:
        return chance.randint(1, self.held.size)


def received() -> ComplaintReceived:
    return ComplaintReceived(
        customer_id=uuid4(),
        received_at=RECEIVED_AT,
        received_by="li.na",
        channel="phone",
        content=Personal.clear("利息算错了"),
    )


@pytest.fixture(scope="module")
def target(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    book = f"test-{uuid4().hex[:12]}"
    with closing(database.connect(Role.OWNER)) as owner:
        create_book(owner, book)
    with (
        closing(SubjectKeys.open(tmp_path_factory.mktemp("tampering") / "keys")) as keys,
        closing(Ledger(database, book, keys)) as ledger,
    ):
        story = Story(database, ledger, keys)
        yield Target(story)
        story.close()


Deed = Callable[[Target, random.Random], None]

AT = "WHERE book = %(book)s AND position = %(v0)s"


def column(name: str, change: str) -> Deed:
    def deed(target: Target, chance: random.Random) -> None:
        target.change(
            f"UPDATE ledger.event SET {name} = {change} {AT}", target.position(chance), chance.randrange(2**31)
        )

    return deed


def swapped(target: Target, chance: random.Random) -> None:
    first, second = chance.sample(range(1, target.held.size + 1), 2)
    for before, after in ((first, 10**6), (second, first), (10**6, second)):
        target.change("UPDATE ledger.event SET position = %(v1)s " + AT, before, after)


def renumbered(target: Target, chance: random.Random) -> None:
    """One is taken out and all behind it move up, in every table that counts positions."""
    gone = target.position(chance)
    target.change(f"DELETE FROM ledger.event {AT}", gone)
    target.change(f"DELETE FROM ledger.disclosure {AT}", gone)
    for table in ("event", "disclosure"):
        for offset in (10**6, -(10**6) - 1):
            target.change(
                f"UPDATE ledger.{table} SET position = position + %(v1)s WHERE book = %(book)s AND position > %(v0)s",
                gone if offset > 0 else 10**6,
                offset,
            )
    target.change("UPDATE ledger.head SET size = size - 1 WHERE book = %(book)s")


def inserted(target: Target, chance: random.Random) -> None:
    place = target.position(chance)
    for offset, behind in ((10**6, place - 1), (-(10**6) + 1, 10**6)):
        target.change(
            "UPDATE ledger.event SET position = position + %(v1)s WHERE book = %(book)s AND position > %(v0)s",
            behind,
            offset,
        )
    target.change(
        "INSERT INTO ledger.event (position, version, recorded_at, stream_id, book, name, state)"
        " SELECT %(v0)s, version, recorded_at - interval '1 microsecond', %(v1)s, book, name, state"
        " FROM ledger.event WHERE book = %(book)s AND position = %(v0)s + 1",
        place,
        uuid4(),
    )


def cut_off(target: Target, chance: random.Random) -> None:
    left = chance.randint(0, target.held.size - 1)
    for table in ("event", "disclosure"):
        target.change(f"DELETE FROM ledger.{table} WHERE book = %(book)s AND position > %(v0)s", left)
    if chance.random() < 0.5:
        target.change("DELETE FROM ledger.leaves WHERE book = %(book)s AND last_position > %(v0)s", left)


def of_the_same_length(target: Target, chance: random.Random) -> None:
    """A state gives way to one of the same length that reads just as well: another nonce."""
    target.change(
        "UPDATE ledger.event SET state = convert_to(regexp_replace(convert_from(state, 'UTF8'), '\"nonce\":\"[0-9a-f]{32}',"
        f" '\"nonce\":\"' || md5(%(v1)s::text)), 'UTF8') {AT}",
        target.position(chance),
        chance.randrange(2**31),
    )


def of_another_event(target: Target, chance: random.Random) -> None:
    (name, state, _), (_, _, other) = chance.sample(
        target.change(
            "SELECT name, state, position FROM ledger.event WHERE book = %(book)s AND position <= %(v0)s",
            target.held.size,
        ),
        2,
    )
    target.change(f"UPDATE ledger.event SET name = %(v1)s, state = %(v2)s {AT}", other, name, state)


def deleted(target: Target, chance: random.Random) -> None:
    target.change(f"DELETE FROM ledger.event {AT}", target.position(chance))


def stream_head(target: Target, chance: random.Random) -> None:
    streams = target.change("SELECT stream_id FROM ledger.stream WHERE book = %(book)s ORDER BY stream_id")
    (stream,) = chance.choice(streams)
    what = chance.choice(["version = version + 1", "version = version - 1", "stream_id = gen_random_uuid()"])
    target.change(f"UPDATE ledger.stream SET {what} WHERE book = %(book)s AND stream_id = %(v0)s", stream)


def vault_value(target: Target, chance: random.Random) -> None:
    values = target.change("SELECT position, path FROM ledger.disclosure WHERE book = %(book)s ORDER BY 1, 2")
    position, path = chance.choice(values)
    what = chance.choice(
        [
            "ciphertext = set_byte(ciphertext, 20, get_byte(ciphertext, 20) # 1)",
            "digest = reverse(digest)",
            "subject_id = gen_random_uuid()",
            "path = 'remedy_wanted'",
            "tier = CASE tier WHEN 'core' THEN 'ordinary' ELSE 'core' END",
            "position = position + 5000",
        ]
    )
    target.change(f"UPDATE ledger.disclosure SET {what} {AT} AND path = %(v1)s", position, path)


def evidence_file(target: Target, chance: random.Random) -> None:
    """One that no key is needed to find: see below for a piece that is changed in its place."""
    for statement in chance.choice(
        [
            ["DELETE FROM ledger.evidence_piece {}", "DELETE FROM ledger.evidence_file {}"],
            ["DELETE FROM ledger.evidence_file {}"],
            ["DELETE FROM ledger.evidence_piece {} AND number = 0"],
            ["UPDATE ledger.evidence_piece SET ciphertext = ciphertext || '\\x00'::bytea {} AND number = 1"],
            ["UPDATE ledger.evidence_piece SET number = number + 1 {} AND number = 1"],
            ["UPDATE ledger.evidence_file SET digest = reverse(digest) {}"],
        ]
    ):
        target.change(statement.format("WHERE book = %(book)s"))


def evidence_piece(target: Target, chance: random.Random) -> None:
    target.change(
        "UPDATE ledger.evidence_piece SET ciphertext = set_byte(ciphertext, %(v0)s, get_byte(ciphertext, %(v0)s) # 1)"
        " WHERE book = %(book)s AND number = %(v1)s",
        chance.randrange(500_000),
        chance.randrange(2),
    )


def tile(target: Target, chance: random.Random) -> None:
    if chance.random() < 0.5:
        target.change(
            "UPDATE ledger.tile SET hashes = set_byte(hashes, %(v0)s, get_byte(hashes, %(v0)s) # 1) WHERE book = %(book)s",
            chance.randrange(8_192),
        )
    else:
        target.change("UPDATE ledger.tile SET root = sha256(root) WHERE book = %(book)s")


def leaf(target: Target, chance: random.Random) -> None:
    target.change(
        "UPDATE ledger.leaves SET hashes = set_byte(hashes, 7, get_byte(hashes, 7) # 1)"
        " WHERE book = %(book)s AND %(v0)s BETWEEN first_position AND last_position",
        target.position(chance),
    )


def end(target: Target, chance: random.Random) -> None:
    what = chance.choice(
        ["root = sha256(root)", "size = size - 1", "size = size + 1", "edge = edge[2:]", "recorded_at = NULL"]
    )
    target.change(f"UPDATE ledger.head SET {what} WHERE book = %(book)s")


def checkpoint(target: Target, chance: random.Random) -> None:
    what = chance.choice(["root = sha256(root)", "note = replace(note, E'\\n\\n', E'\\nx\\n\\n')", "size = size + 1"])
    target.change(f"UPDATE ledger.checkpoint SET {what} WHERE book = %(book)s")


def origin(target: Target, chance: random.Random) -> None:
    del chance
    target.change("UPDATE ledger.book SET origin = origin || 'x' WHERE book = %(book)s")


def an_old_copy(target: Target, chance: random.Random) -> None:
    del chance
    target.story.restored(target.young)


def rewritten(target: Target, chance: random.Random) -> None:
    """One state is changed, and all is made anew: leaves, tiles, edge, root, answers; the book's own checkpoints are gone."""
    of_the_same_length(target, chance)
    rehash(target.story)
    target.change("DELETE FROM ledger.checkpoint WHERE book = %(book)s")


def rehash(story: Story) -> None:
    with story.connect() as connection:
        where = head(connection, story.book)
        rows = events_after(connection, story.book, 0, 20_000)
    leaves = [
        leaf_hash(entry_bytes(where.origin, r.position, r.stream_id, r.version, r.name, r.recorded_at, r.state))
        for r in rows
    ]
    edge = Edge()
    for size, leaf in enumerate(leaves, start=1):
        edge.extend([leaf])
        story.as_superuser(
            "UPDATE ledger.request SET root = %(v1)s WHERE book = %(book)s AND tree_size = %(v0)s", size, edge.root()
        )
    story.as_superuser("DELETE FROM ledger.leaves WHERE book = %(book)s")
    story.as_superuser("DELETE FROM ledger.tile WHERE book = %(book)s")
    story.as_superuser(
        "INSERT INTO ledger.leaves (first_position, last_position, book, hashes) VALUES (1, %(v0)s, %(book)s, %(v1)s)",
        len(leaves),
        b"".join(leaves),
    )
    story.as_superuser(
        "UPDATE ledger.head SET root = %(v0)s, edge = %(v1)s WHERE book = %(book)s", edge.root(), list(edge.levels)
    )


def in_the_way(target: Target, chance: random.Random) -> None:
    """What answers is no more what the migrations made; each of these could show an auditor another book than is stored."""
    do, undo = IN_THE_WAY[chance.choice(list(IN_THE_WAY))]
    put_in_the_way(target, do, undo)


def put_in_the_way(target: Target, do: str, undo: str) -> None:
    if undo.startswith("ledger."):
        ((undo,),) = target.change("SELECT pg_get_functiondef(%(v0)s::regprocedure)", undo)
    target.change(do)
    target.undo.append(undo)


IN_THE_WAY = {
    "a view in the place of a table": (
        (
            "ALTER TABLE ledger.event RENAME TO event_stored; CREATE VIEW ledger.event AS SELECT * FROM ledger.event_stored;"
            " ALTER VIEW ledger.event OWNER TO ledger_owner; GRANT SELECT ON ledger.event TO ledger_auditor, ledger_application"
        ),
        "DROP VIEW ledger.event; ALTER TABLE ledger.event_stored RENAME TO event",
    ),
    "a table that inherits": (
        "CREATE TABLE public.more () INHERITS (ledger.event)",
        "DROP TABLE public.more; ANALYZE ledger.event",
    ),
    "another type of a column": (
        "ALTER TABLE ledger.tile ALTER COLUMN level TYPE bigint",
        "ALTER TABLE ledger.tile ALTER COLUMN level TYPE integer",
    ),
    "another order of a column": (
        'ALTER TABLE ledger.cosignature ALTER COLUMN line TYPE text COLLATE "POSIX"',
        'ALTER TABLE ledger.cosignature ALTER COLUMN line TYPE text COLLATE "default"',
    ),
    "a rewrite rule": (
        "CREATE RULE none_now AS ON INSERT TO ledger.checkpoint DO INSTEAD NOTHING",
        "DROP RULE none_now ON ledger.checkpoint",
    ),
    "a policy that hides rows": (
        "CREATE POLICY no_more ON ledger.checkpoint AS RESTRICTIVE TO ledger_auditor USING (size < 0)",
        "DROP POLICY no_more ON ledger.checkpoint",
    ),
    "a policy that says something else": (
        "ALTER POLICY granted_books_only ON ledger.tile USING (book = 'main')",
        "ALTER POLICY granted_books_only ON ledger.tile USING (book IN (SELECT a.book FROM ledger.book_access AS a))",
    ),
    "policies that the owner is free of": (
        "ALTER TABLE ledger.request NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE ledger.request FORCE ROW LEVEL SECURITY",
    ),
    "a trigger": (
        (
            "CREATE TRIGGER quiet BEFORE UPDATE ON ledger.event FOR EACH ROW"
            " EXECUTE FUNCTION suppress_redundant_updates_trigger()"
        ),
        "DROP TRIGGER quiet ON ledger.event",
    ),
    "a trigger that is switched off": (
        "ALTER TABLE ledger.event DISABLE TRIGGER events_are_recorded_once",
        "ALTER TABLE ledger.event ENABLE TRIGGER events_are_recorded_once",
    ),
    "another body of a function": (
        (
            "CREATE OR REPLACE FUNCTION ledger.answered_size(p_book text) RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER"
            " SET search_path = pg_catalog, pg_temp AS 'SELECT NULL::bigint'"
        ),
        "ledger.answered_size(text)",
    ),
    "a function that fits the call better": (
        (
            "CREATE FUNCTION ledger.vault_told(p_book text, p_after integer, p_upto integer)"
            " RETURNS TABLE (values_stored bigint, told text) LANGUAGE sql AS 'SELECT 0::bigint, NULL::text'"
        ),
        "DROP FUNCTION ledger.vault_told(text, integer, integer)",
    ),
    "a function that looks elsewhere for names": (
        "ALTER FUNCTION ledger.may_use(text) SET search_path = public, pg_catalog",
        "ledger.may_use(text)",
    ),
    "a table that is gone": (
        "ALTER TABLE ledger.leaves RENAME TO leaves_of_old",
        "ALTER TABLE ledger.leaves_of_old RENAME TO leaves",
    ),
}


DEEDS: dict[str, Deed] = {
    "position": column("position", "position + 100000 + %(v1)s"),
    "version": column("version", "version + 1 + %(v1)s %% 1000"),
    "recorded_at": column("recorded_at", "recorded_at + (1 + %(v1)s %% 1000) * interval '1 microsecond'"),
    "stream_id": column("stream_id", "gen_random_uuid()"),
    "name": column(
        "name", "CASE WHEN name = 'complaint-received' THEN 'complaint-registered' ELSE 'complaint-received' END"
    ),
    "state": column(
        "state", "set_byte(state, %(v1)s %% octet_length(state), get_byte(state, %(v1)s %% octet_length(state)) # 1)"
    ),
    "two swapped": swapped,
    "one deleted": deleted,
    "the tail deleted": cut_off,
    "one inserted in the past": inserted,
    "renumbered": renumbered,
    "a state of the same length": of_the_same_length,
    "a state of another event": of_another_event,
    "a stream head": stream_head,
    "a vault value": vault_value,
    "a file of evidence": evidence_file,
    "a piece of a file": evidence_piece,
    "a tile": tile,
    "a leaf hash": leaf,
    "the end of the book": end,
    "a checkpoint": checkpoint,
    "the origin": origin,
    "an old copy of the whole": an_old_copy,
    "all hashes made anew": rewritten,
    "something in the way": in_the_way,
}

LEFT_CONSISTENT = {"an old copy of the whole", "all hashes made anew"}


def tamper(target: Target, name: str, chance: random.Random) -> None:
    DEEDS[name](target, chance)
    try:
        with_it, without = target.verify(brought=True), target.verify(brought=False)
        assert not with_it.ok, f"{name} was not found"
        assert without.ok == (name in LEFT_CONSISTENT), f"{name}: {without.problems[:3]}"
    finally:
        target.mend()
        target.change("UPDATE ledger.book SET origin = %(v0)s WHERE book = %(book)s", target.held.origin)


def test_a_book_left_alone_agrees_with_its_checkpoints(target: Target) -> None:
    found = target.verify(brought=True)
    assert found.problems == ()
    assert (found.events, found.checkpoints) == (target.size, 2)
    assert found.files == Files(opened=1)


@pytest.mark.parametrize("name", DEEDS)
def test_a_deed_is_found(target: Target, name: str) -> None:
    chance = random.Random(f"{SEED} {name}")
    for _ in range(max(1, CASES_QUICK // len(DEEDS))):
        tamper(target, name, chance)


@pytest.mark.parametrize("what", IN_THE_WAY)
def test_what_is_put_in_the_way_is_named_before_anything_is_believed(target: Target, what: str) -> None:
    put_in_the_way(target, *IN_THE_WAY[what])
    try:
        found = verify(target.story.database, target.story.book)
        assert found.problems[0].kind is Kind.CATALOGUE
        assert "verify with that version" in found.problems[0].says
    finally:
        target.mend()
    assert verify(target.story.database, target.story.book).ok


def test_names_are_looked_up_in_the_servers_own_schema_whatever_is_set(target: Target) -> None:
    put_in_the_way(
        target,
        "CREATE SCHEMA other; GRANT USAGE ON SCHEMA other TO PUBLIC; ALTER ROLE ledger_auditor SET search_path = other, pg_catalog;"
        " CREATE FUNCTION other.timestamptz_send(timestamptz) RETURNS bytea LANGUAGE sql AS $$SELECT '\\x00'::bytea$$",
        "ALTER ROLE ledger_auditor RESET search_path; DROP SCHEMA other CASCADE",
    )
    try:
        assert target.verify(brought=True).ok
    finally:
        target.mend()


OUT_AND_BACK = (
    "ALTER TABLE ledger.disclosure RENAME TO stored; ALTER TABLE ledger.stored RENAME TO disclosure",
    "ALTER SCHEMA ledger RENAME TO stored; ALTER SCHEMA stored RENAME TO ledger",
    (
        "ALTER TABLE ledger.event DISABLE TRIGGER events_are_recorded_once;"
        " ALTER TABLE ledger.event ENABLE TRIGGER events_are_recorded_once"
    ),
    "ALTER FUNCTION ledger.may_use(text) COST 99; ALTER FUNCTION ledger.may_use(text) COST 100",
    "CREATE TABLE public.more () INHERITS (ledger.event); DROP TABLE public.more",
)
"""Each leaves the catalogue saying what it said."""


def verified_while(target: Target, *statements: str) -> Verification:
    """A verification in the midst of which this is done, each in a transaction of its own."""

    def signed(*_: object) -> Iterator[Signed]:
        for statement in statements:
            target.change(statement)
        return iter(())

    return verify(target.story.database, target.story.book, signed=signed)


@pytest.mark.parametrize("statements", OUT_AND_BACK)
def test_what_was_put_in_the_way_for_a_moment_is_told_at_the_end(target: Target, statements: str) -> None:
    found = verified_while(target, *statements.split("; "))
    target.change("ANALYZE ledger.event")
    assert {problem.kind for problem in found.problems} == {Kind.CATALOGUE}
    assert verify(target.story.database, target.story.book).ok


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE ledger.event RENAME TO stored",
        "CREATE POLICY no_more ON ledger.checkpoint AS RESTRICTIVE TO ledger_auditor USING (size < 0)",
        "ALTER TABLE ledger.tile DISABLE ROW LEVEL SECURITY",
    ],
)
def test_what_an_auditor_reads_is_held_as_it_is_while_he_reads(target: Target, statement: str) -> None:
    target.change("SET lock_timeout = '50ms'")
    with pytest.raises(LockNotAvailable):
        verified_while(target, statement)
    target.change("RESET lock_timeout")
    assert verify(target.story.database, target.story.book).ok


def test_a_table_that_may_have_had_heirs_is_not_believed(target: Target) -> None:
    target.change("CREATE TABLE public.more () INHERITS (ledger.event)")
    target.change("DROP TABLE public.more")
    found = verify(target.story.database, target.story.book)
    target.change("ANALYZE ledger.event")
    assert [(problem.kind, "ANALYZE it" in problem.says) for problem in found.problems] == [(Kind.CATALOGUE, True)]
    assert verify(target.story.database, target.story.book).ok


def test_what_the_server_does_by_itself_is_no_change(target: Target) -> None:
    found = verified_while(
        target, "VACUUM (ANALYZE, FREEZE) ledger.tile, ledger.checkpoint, ledger.head", "ANALYZE ledger.event"
    )
    assert found.ok


def test_no_better_fitting_function_can_come_between(target: Target) -> None:
    """What is created and dropped leaves no trace, so each call has the types of the written one: no other fits better."""
    create, drop = IN_THE_WAY["a function that fits the call better"]

    def created(*_: object) -> Iterator[Signed]:
        target.change(create)
        return iter(())

    def dropped(*_: object) -> None:
        target.change(drop)  # the whole book is one stretch, and was read

    assert verify(target.story.database, target.story.book, progress=dropped, signed=created).ok


@pytest.mark.parametrize("case", range(6))
def test_whoever_has_no_keys_finds_a_file_that_is_not_whole(target: Target, case: int) -> None:
    chance = random.Random()
    chance.choice = lambda deeds: deeds[case]  # type: ignore[method-assign]  # each of them once
    evidence_file(target, chance)
    try:
        found = verify(target.story.database, target.story.book)
        assert {problem.kind for problem in found.problems} == {Kind.FILE}
    finally:
        target.mend()
    assert verify(target.story.database, target.story.book).files == Files(unopened=1)


@pytest.mark.long
def test_a_campaign_of_deeds(target: Target) -> None:
    chance = random.Random(SEED)
    for case in range(CASES_LONG):
        tamper(target, list(DEEDS)[case % len(DEEDS)], chance)
    assert target.verify(brought=True).ok


def test_several_processes_find_what_one_finds(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.record.verify.EVENTS_FOR_SEVERAL_PROCESSES", 1)

    def found(processes: int) -> Verification:
        return verify(
            target.story.database,
            target.story.book,
            target.story.keys,
            signed=signed_checkpoints(target.held),
            processes=processes,
            open_keys=partial(SubjectKeys.open, target.story.keys.folder),
            events_per_page=100,
        )

    by_two = found(2)
    assert by_two == found(1)
    assert by_two.ok
    vault_value(target, random.Random(SEED))
    deleted(target, random.Random(SEED))
    try:
        by_two = found(2)
        assert by_two == found(1)
        assert not by_two.ok
    finally:
        target.mend()


def test_a_file_that_is_gone_is_erased_only_where_the_record_says_so(story: Story) -> None:
    customer = story.evidence("年费多收了一次。".encode())
    for table in ("piece", "file"):
        story.as_superuser(f"DELETE FROM ledger.evidence_{table} WHERE book = %(book)s")
    assert [problem.kind for problem in verify(story.database, story.book).problems] == [Kind.FILE]
    erased = EraseSubject(subject_id=customer, ground=RESTORED, erased_by="ledger", key_destroyed=True)
    story.ledger.handle(erased, principal="ledger")
    found = verify(story.database, story.book)
    assert (found.ok, found.files) == (True, Files(erased=1))


def test_an_old_copy_is_found_by_the_checkpoint_beside_the_key(story: Story) -> None:
    backup = story.copied()
    story.complaint()
    story.checkpoints.make()
    signed = signed_checkpoints(keys_folder=story.keys.folder)
    assert verify(story.database, story.book, signed=signed).ok
    story.restored(backup)
    assert verify(story.database, story.book, signed=signed_checkpoints()).ok
    assert not verify(story.database, story.book, signed=signed).ok
