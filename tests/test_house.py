"""The house's rules that no tool checks: what every module says, what is locked, how migrations are numbered."""

import ast
import io
import re
import subprocess
import tokenize
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
PARTS = ("ledger", "projections", "api", "migrations")
MODULES = sorted(path for part in PARTS for path in (CHECKOUT / part).rglob("*.py"))
TESTS = sorted((CHECKOUT / "tests").rglob("*.py"))
MIGRATIONS = sorted((CHECKOUT / "migrations").glob("*.sql"))
SCRIPTS = sorted(path for path in [*(CHECKOUT / "scripts").iterdir(), CHECKOUT / ".ci/run"] if path.is_file())
WRITTEN = {".py", ".sql", ".toml", ".md", ".conf", ".lock", ""}
NAMES_THAT_SAY_NOTHING = {"utils", "util", "helpers", "helper", "manager", "common", "base", "misc", "info"}
LINES_MAX = 600
LINES_MAX_ALONE = 680
"""Of the verifier: strangers run it as one file, which imports nothing of ours, so it cannot be parted."""
FUNCTION_LINES_MAX = 70


def name(path: Path) -> str:
    return str(path.relative_to(CHECKOUT))


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_says_what_it_holds_and_fits_its_subject(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    if tree.body:
        assert ast.get_docstring(tree), "a module opens with one sentence: what it holds and what it must not do"
    assert path.stem not in NAMES_THAT_SAY_NOTHING
    lines_max = LINES_MAX_ALONE if path.name == "verifier.py" else LINES_MAX
    assert len(text.splitlines()) <= lines_max, "a module stays near 300 lines: part it by subject"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            assert lines <= FUNCTION_LINES_MAX, f"{node.name} has {lines} lines: a function fits on a screen"


@pytest.mark.parametrize("path", [*MODULES, *TESTS], ids=name)
def test_an_exception_to_a_check_has_its_reason_on_the_line(path: Path) -> None:
    readable = io.StringIO(path.read_text(encoding="utf-8"))
    for token in tokenize.generate_tokens(readable.readline):
        if token.type == tokenize.COMMENT and re.search(r"#\s*(noqa|type:\s*ignore)", token.string):
            reason = re.sub(r"#\s*(noqa(:[\sA-Z0-9,]+)?|type:\s*ignore(\[[\w, -]+\])?)", "", token.string)
            assert len(reason.strip(" #-\u2013:")) >= 8, f"line {token.start[0]}: {token.string}"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_nothing_is_swallowed(path: Path) -> None:
    """`except Exception` stands in an outermost loop only, and says so."""
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, start=1):
        if re.search(r"except (Base)?Exception\b|except:", line):
            raises_again = any(re.match(r"\s+raise\b", after) for after in lines[number : number + 6])
            assert raises_again or "outermost" in line, f"line {number}"


def test_migrations_are_numbered_once_and_wait_for_no_lock_for_ever() -> None:
    numbers = [path.name[:4] for path in MIGRATIONS]
    assert all(re.fullmatch(r"\d{4}_[a-z0-9_]+\.sql", path.name) for path in MIGRATIONS)
    assert len(set(numbers)) == len(numbers)
    for path in MIGRATIONS:
        assert re.search(r"^SET (LOCAL )?lock_timeout\b", path.read_text(encoding="utf-8"), re.MULTILINE), path.name


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_pins_everything_by_hash_and_names_no_registry(lock: str) -> None:
    text = (CHECKOUT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(
        r"^\s*-", re.sub(r"^ +--hash=sha256:[0-9a-f]{64}( \\)?$", "", text, flags=re.MULTILINE), re.MULTILINE
    )
    entries = re.split(r"\n(?=[a-z])", text.strip())
    assert entries
    for entry in entries:
        assert re.match(r"[a-z0-9-]+==[^\s;]+( ; [^\\]+)? \\\n", entry), entry.splitlines()[0]
        assert "--hash=sha256:" in entry


def test_the_program_is_tested_with_what_it_runs_with() -> None:
    def pins(lock: str) -> set[str]:
        return set(re.findall(r"^[a-z0-9-]+==[^\s;]+", (CHECKOUT / lock).read_text(encoding="utf-8"), re.MULTILINE))

    assert pins("requirements.lock") < pins("requirements-dev.lock")


@pytest.mark.parametrize("path", SCRIPTS, ids=name)
def test_a_script_can_be_run_and_says_what_it_does(path: Path) -> None:
    first, second, *_ = path.read_text(encoding="utf-8").splitlines()
    assert first.startswith("#!/usr/bin/env ")
    assert second.startswith(("# ", '"""'))
    assert path.stat().st_mode & 0o111
    if first.endswith(" bash"):
        subprocess.run(["bash", "-n", path], check=True)


def test_no_file_names_a_path_of_the_machine_it_was_written_on() -> None:
    folders = [CHECKOUT / part for part in (*PARTS, "tests", "scripts", "docs", ".ci")]
    files = [*CHECKOUT.glob("*"), *(path for folder in folders for path in folder.rglob("*"))]
    for path in files:
        if path.is_file() and path.suffix in WRITTEN and path.name != ".setup.lock":
            assert f"{CHECKOUT}/" not in path.read_text(encoding="utf-8"), name(path)
