"""The README and the pages of the documentation, held against the program."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from api.command.main import app
from ledger.complaint.events import ComplaintRegistered
from ledger.database.rights import as_markdown
from ledger.record.entry import FORMAT
from ledger.settings import Settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def every_command(command: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield " ".join(path)
        return
    if command.invoke_without_command and path:
        yield " ".join(path)
    for name, each in inner.items():
        yield from every_command(each, (*path, name))


def test_the_readme_lists_every_command_and_no_other() -> None:
    section = README.split("## All commands")[1].split("\n## ")[0]
    listed = [re.sub(r"( [A-Z]+…?)+$", "", name) for name in re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)]
    assert sorted(listed) == sorted(every_command(typer.main.get_command(app))), "each of them once"


def test_the_readme_lists_every_setting_and_no_other() -> None:
    section = README.split("## Settings")[1].split("\n## ")[0]
    listed = set(re.findall(r"^\| `(LEDGER_\w+)` \|", section, re.MULTILINE))
    source = Path(Settings.from_environment.__code__.co_filename).read_text(encoding="utf-8")
    read = set(re.findall(r'given\.get\("(LEDGER_\w+)"\)', source))
    setup = (ROOT / "scripts" / "setup").read_text(encoding="utf-8")
    assert listed == read | set(re.findall(r"\$\{(LEDGER_\w+):-", setup))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_points_to_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    linked = re.findall(r"\]\((?!http)([^)#]+)\)", text)
    named = re.findall(r"`((?:ledger|projections|api|migrations|tests|scripts|docs)/[\w./-]+)`", text)
    missing = [path for path in linked if not (page.parent / path).exists()]
    missing += [path for path in named if not (ROOT / path).exists()]
    assert missing == []


def test_the_rights_page_is_the_table_of_the_program() -> None:
    """Written anew with `python -m ledger.database.rights > docs/rights.md`."""
    assert (ROOT / "docs" / "rights.md").read_text(encoding="utf-8") == "\n".join(as_markdown()) + "\n"


def test_the_record_page_shows_what_is_written() -> None:
    page = (ROOT / "docs" / "record.md").read_text(encoding="utf-8")
    assert FORMAT in page
    for field in ComplaintRegistered.model_fields:
        assert f'"{field}":' in page


def test_the_examples_of_the_readme_are_of_one_fill() -> None:
    printed, ran = re.findall(r"^(?:\$ )?\.venv/bin/complaint-ledger history (.+)$", README, re.MULTILINE)
    assert printed == ran
    complaint_ids = set(
        re.findall(r"(?<=/complaints/)[0-9a-f-]{36}(?=/history)|(?<=^Complaint )[0-9a-f-]{36}", README, re.MULTILINE)
    )
    assert len(complaint_ids) == 1
    assert f"position {int(ran.split()[-1]):,} of the book demo" in README
    (position,) = set(re.findall(r"(?:ledger-position: |_position\":|tree_size\":|\bP=)(\d+)", README))
    (events,) = re.findall(r'"events": (\d+)', README)
    assert int(events) == int(position) + 1, "the letter's missed first reply is recorded behind it"
    assert f"signed a checkpoint over the first {events} entries" in README
    assert (
        len(set(re.findall(r'(?:location: /complaints/|"complaint_id":"|ONE=/complaints/)([0-9a-f-]{36})', README)))
        == 1
    )
