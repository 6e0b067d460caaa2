"""What the database refuses of events, tried as each role; and that the owner's way around it is seen."""

from contextlib import closing

import psycopg2
import pytest

from ledger.database.faults import RoleNotGranted
from ledger.database.roles import Role
from ledger.record.verify import verify
from tests.proof.conftest import Story

CHANGES = (
    "UPDATE ledger.{table} SET book = book",
    "DELETE FROM ledger.{table}",
    "TRUNCATE ledger.{table}",
)


@pytest.mark.parametrize("table", ["event", "leaves"])
@pytest.mark.parametrize("change", CHANGES)
def test_no_role_changes_an_event_and_the_owner_is_told_the_rule(story: Story, table: str, change: str) -> None:
    with pytest.raises(RoleNotGranted):
        story.database.connect(Role.PUBLISHER)  # does not even come into this database
    for role in set(Role) - {Role.PUBLISHER}:
        with closing(story.database.connect(role, autocommit=True)) as connection, connection.cursor() as cursor:
            with pytest.raises(psycopg2.Error) as refused:
                cursor.execute(change.format(table=table))
            if role is Role.OWNER:
                assert refused.value.pgcode == "CL008"
                assert "recorded once, for ever" in str(refused.value)
                assert "annul the fact, or correct it" in str(refused.value)
            else:
                assert isinstance(refused.value, psycopg2.errors.InsufficientPrivilege)
    assert verify(story.database, story.book).ok


def test_an_owner_who_takes_the_trigger_away_is_found(story: Story) -> None:
    with closing(story.database.connect(Role.OWNER)) as owner, owner, owner.cursor() as cursor:
        cursor.execute("ALTER TABLE ledger.event DISABLE TRIGGER USER")
        cursor.execute("UPDATE ledger.event SET state = state || ' ' WHERE book = %s AND position = 2", (story.book,))
        cursor.execute("ALTER TABLE ledger.event ENABLE TRIGGER USER")
    found = verify(story.database, story.book)
    assert 2 in {problem.position for problem in found.problems}
