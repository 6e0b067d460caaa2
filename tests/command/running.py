"""Runs the real program as a process of its own; knows no test."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

SECONDS_MAX = 180


class Answer(NamedTuple):
    """How the program ended and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def complaint(self) -> str:
        """The one line in which it says what is wrong."""
        (line,) = [line for line in self.err.splitlines() if line.startswith("complaint-ledger: ")]
        return line.removeprefix("complaint-ledger: ")


Program = Callable[..., Answer]


def command_line(*words: str | Path) -> list[str]:
    """What is executed: the entry point, by the Python of the tests."""
    return [sys.executable, "-m", "api.command.main", *map(str, words)]


def run(*words: str | Path) -> Answer:
    """Runs it to its end."""
    done = subprocess.run(command_line(*words), capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
    return Answer(done.returncode, done.stdout, done.stderr)
