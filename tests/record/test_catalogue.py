"""What the migration files say of the schema `ledger`, as a verification reads them, is what a migrated database has."""

from contextlib import closing

from ledger.database.rights import RIGHTS
from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.database.written import alike, typed, written_schema
from ledger.record.problems import Found
from ledger.record.verify_catalogue import check_catalogue


def test_a_migrated_database_is_as_the_files_say(database: Database) -> None:
    """On every other version `test_verify` says so: a book left alone has no difference of this kind either."""
    found = Found()
    with closing(database.connect(Role.AUDITOR, autocommit=True)) as connection:
        check_catalogue(connection, found)
    assert found.kept == []


def test_every_table_and_function_that_a_role_may_use_is_among_them() -> None:
    written = written_schema()
    assert written.tables.keys() | written.functions.keys() == {name for name in RIGHTS if name.startswith("ledger.")}
    assert all(table.columns and len(table.policies) == 2 for table in written.tables.values())
    assert {trigger for table in written.tables.values() for trigger, _ in table.triggers} == {
        *("events_are_recorded_once", "leaf_hashes_are_recorded_once", "checkpoints_are_kept_once")
    }


def test_the_servers_own_way_of_writing_changes_nothing_and_another_word_does() -> None:
    assert typed('p_book text, p_at timestamptz, "position" bigint') == typed(
        "p_book text,\n p_at timestamp with time zone,position bigint"
    )
    assert alike("book IN (SELECT a.book FROM t AS a)") == alike("(book IN ( SELECT a.book\n   FROM t a))")
    assert alike("pg_has_role(role, 'MEMBER')") == alike("pg_has_role((role)::text, 'MEMBER'::text)")
    assert alike("book IN (SELECT a.book FROM t AS a)") != alike("book NOT IN (SELECT a.book FROM t AS a)")
