"""The program on the server of the tests, where each test has a book of its own."""

from pathlib import Path

import pytest

from ledger.settings import Settings
from tests.command.running import Answer, Program, run_within


@pytest.fixture
def program(settings: Settings) -> Program:
    """`program("sla", "--book", book)` on the database of the tests, within this process: a start takes most of a second."""

    def on_the_tests_database(*words: str | Path) -> Answer:
        return run_within(*words, "--data", settings.data)

    return on_the_tests_database
