"""Runs the real program, as a process of its own or within this one; knows no test."""

import io
import json
import logging
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from contextvars import copy_context
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import structlog

from api.command import main

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


@contextmanager
def _logging_as_it_was() -> Iterator[None]:
    """A command that serves sets up what is logged, and where to: to a stream that is closed with the command here."""
    root, of_access, structured = logging.getLogger(), logging.getLogger("uvicorn.access"), structlog.get_config()
    before = (root.handlers[:], root.level, of_access.disabled)
    try:
        yield
    finally:
        root.handlers[:], level, of_access.disabled = before
        root.setLevel(level)
        structlog.configure(**structured)


def run_within(*words: str | Path) -> Answer:
    """The same by the program's entry point, within this process: what starting a process tests, other tests do.

    It takes a tenth of the time. Not for what is stopped from outside, nor for what a terminal or a pipe decides.
    """
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="", write_through=True) for _ in range(2))
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        with (
            _logging_as_it_was(),
            redirect_stdout(out),
            redirect_stderr(err),
            patch.object(sys, "argv", ["main.py", *map(str, words)]),
        ):
            copy_context().run(main.run)  # what it sets for itself is not left behind
            code: object = 0
    except SystemExit as ended:
        code = ended.code or 0
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert isinstance(code, int), code
    return Answer(code, *(written.buffer.getvalue().decode() for written in (out, err)))
