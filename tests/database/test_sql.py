"""The loader of named queries, and the house's rules for every `.sql` file beside a module."""

from pathlib import Path

import pytest

from ledger.database.sql import UnreadableQueries, queries

CHECKOUT = Path(__file__).parents[2]
FILES = sorted(path for part in ("ledger", "projections", "api") for path in (CHECKOUT / part).rglob("*.sql"))


def load(folder: Path, text: str) -> dict[str, str]:
    (folder / "module.sql").write_text(text)
    return dict(queries(str(folder / "module.py")))


def test_queries_are_found_by_name_and_keep_their_reason(tmp_path: Path) -> None:
    found = load(tmp_path, "-- About it.\n\n-- name: one\n-- Why.\nSELECT 1;\n\n-- name: two\n-- Why.\nSELECT 2;\n")
    assert found == {"one": "-- Why.\nSELECT 1;", "two": "-- Why.\nSELECT 2;"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("SELECT 1;\n-- name: one\n-- Why.\nSELECT 1;", "before the first"),
        ("-- name: one\n-- Why.\nSELECT 1;\n-- name: one\n-- Why.\nSELECT 2;", "twice"),
        ("-- name: one\nSELECT 1;", "does not say why"),
        ("-- name: one\n-- Why.\n", "no statement"),
    ],
)
def test_a_file_of_another_shape_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(UnreadableQueries, match=reason):
        load(tmp_path, text)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_file_of_queries_can_be_read(path: Path) -> None:
    assert queries(str(path.with_suffix(".py")))
    assert path.with_suffix(".py").exists(), "queries stand beside the module that uses them"
