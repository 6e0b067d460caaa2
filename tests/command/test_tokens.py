"""`token issue`: what it gives out is believed by the service, and what cannot be is refused in a line."""

from datetime import UTC, datetime

import jwt
import pytest

from tests.command.running import Program


def test_a_token_says_who_and_for_how_long(program: Program) -> None:
    given = program("token", "issue", "--role", "quality", "--name", "li.wei", "--expires", "2h", "--book", "main")
    assert given.code == 0, given.err
    said = jwt.decode(given.out.strip(), options={"verify_signature": False})
    assert (said["sub"], said["roles"], said["books"]) == ("li.wei", ["quality"], ["main"])
    assert 7100 < said["exp"] - datetime.now(UTC).timestamp() <= 7200
    as_json = program("token", "issue", "--role", "handler", "--name", "a", "--department", "个人信贷部", "--json")
    assert as_json.json["roles"] == ["handler"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--role", "chef", "--name", "a"], "there is no role chef"),
        (["--role", "quality", "--name", "a b"], "--name"),
        *(
            (["--role", "quality", "--name", name], "records under")
            for name in ("Ledger", "timekeeper", "operator.root")
        ),
        (["--role", "service", "--role", "management", "--name", "a"], "goes with no role of a person"),
        (["--role", "handler", "--name", "a"], "--department"),
        (["--role", "quality", "--name", "a", "--expires", "9000d"], "366 days at most"),
        (["--role", "quality", "--name", "a", "--expires", "0h"], "not in the past"),
        (["--role", "quality", "--name", "a", "--expires", "tomorrow"], "--expires"),
    ],
)
def test_a_token_that_cannot_be(program: Program, words: list[str], says: str) -> None:
    refused = program("token", "issue", *words)
    assert refused.code == 2
    assert says in refused.complaint
