"""The table of roles: what it must have, and what it may not say."""

from pathlib import Path

import pytest

from ledger.access.roles import RolesUnreadable, as_markdown, read, roles

ROLES_OF_THE_ISSUE = {
    *("registrar", "handler", "assisting-department", "supervisor", "department-lead", "customer-service-head"),
    *("management", "quality", "risk", "compliance", "archivist", "internal-auditor", "external-auditor"),
    *("regulator", "administrator", "service"),
}


def test_every_role_is_there_and_is_of_use() -> None:
    assert set(roles().roles) == ROLES_OF_THE_ISSUE
    used = {role for line in (*roles().commands.values(), *roles().questions.values()) for role in line}
    assert used == ROLES_OF_THE_ISSUE


def test_who_only_looks_gives_no_command_about_a_complaint() -> None:
    for action, may in roles().commands.items():
        if action.endswith("-complaint") or action in {"annul-fact", "correct-fact"}:
            assert not may & {"internal-auditor", "external-auditor", "regulator", "administrator"}, action


def test_the_page_is_the_table() -> None:
    """Written anew with `python -m ledger.access.roles > docs/roles.md`."""
    page = Path(__file__).parents[2] / "docs" / "roles.md"
    assert page.read_text(encoding="utf-8") == "\n".join(as_markdown()) + "\n", test_the_page_is_the_table.__doc__


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('[commands]\na = ["nobody"]\n[questions]', "names nobody"),
        ('[commands]\na = ["@ring"]\n[questions]', "group of itself"),
        ('[commands]\na = ["x"]\n[questions]\na = ["x"]', "under [questions]"),
    ],
)
def test_a_line_names_what_there_is(line: str, says: str) -> None:
    head = '[roles]\nx = { zh = "甲", en = "X", scope = "book" }\n[groups]\n"@ring" = ["@ring"]\n'
    with pytest.raises(RolesUnreadable) as refused:
        read(head + line)
    assert says in str(refused.value)
