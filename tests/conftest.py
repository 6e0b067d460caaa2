"""What every test may ask for: a real PostgreSQL with the schema in it, and a fresh book; no mock of either."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import hypothesis
import pytest

from ledger.database.migrate import migrate
from ledger.database.programs import wheel_binaries
from ledger.database.roles import Role
from ledger.database.target import Database, open_database
from ledger.record.book import create_book
from ledger.settings import Settings

DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")

hypothesis.settings.register_profile("quick", deadline=None, max_examples=60, derandomize=True)
hypothesis.settings.register_profile("long", deadline=None, max_examples=2_000)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="also run the campaigns that take minutes")


def pytest_configure(config: pytest.Config) -> None:
    hypothesis.settings.load_profile("long" if config.getoption("--long") else "quick")


SLOWEST_FIRST = (
    "test_demo.py",
    "test_bench.py",
    "test_campaign.py",
    "test_import.py",
    "test_machine.py",
    "test_program.py",
)
"""A file is never split between workers: one that begins last and takes a minute has the other worker wait for it."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    places = {name: place for place, name in enumerate(SLOWEST_FIRST)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))
    if not config.getoption("--long"):
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(pytest.mark.skip(reason="a campaign of minutes: give --long"))


def second_postgres() -> Path:
    """The programs of another major version: an installed 15, or else the older one inside the wheel."""
    named = os.environ.get("LEDGER_TEST_POSTGRES_BIN")
    if named:
        return Path(named)
    return DEBIAN_15 if DEBIAN_15.is_dir() else wheel_binaries().parents[1] / "pginstall" / "bin"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.definition.get_closest_marker("every_postgres") and "settings" in metafunc.fixturenames:
        metafunc.parametrize(
            "settings", [None, second_postgres()], ids=["embedded", "second"], indirect=True, scope="session"
        )


@pytest.fixture(scope="session")
def make_folder() -> Iterator[Callable[[], Path]]:
    """Makes empty folders that the server's account can reach; pytest's own are closed to it when root runs them."""
    made: list[Path] = []

    def make() -> Path:
        made.append(Path(tempfile.mkdtemp(prefix="ledger-test-")))
        made[-1].chmod(0o711)
        return made[-1]

    yield make
    for folder in made:
        shutil.rmtree(folder)


@pytest.fixture
def folder(make_folder: Callable[[], Path]) -> Path:
    """An empty folder that the server's account can reach."""
    return make_folder()


@pytest.fixture(scope="session")
def running(make_folder: Callable[[], Path]) -> Iterator[Callable[[Path | None], tuple[Settings, Database]]]:
    """Starts a server for each version once, with the schema in it, and keeps it to the end of the session."""
    started: dict[Path | None, tuple[Settings, Database]] = {}
    with ExitStack() as until_the_end:

        def start(binaries: Path | None) -> tuple[Settings, Database]:
            if binaries not in started:
                settings = Settings(data=make_folder() / "data", server_binaries=binaries)
                database = until_the_end.enter_context(open_database(settings))
                migrate(database)
                started[binaries] = (settings, database)
            return started[binaries]

        yield start


@pytest.fixture(scope="session")
def settings(request: pytest.FixtureRequest, running: Callable[[Path | None], tuple[Settings, Database]]) -> Settings:
    """How this process, or another one, opens the database of the tests."""
    return running(getattr(request, "param", None))[0]


@pytest.fixture(scope="session")
def database(settings: Settings, running: Callable[[Path | None], tuple[Settings, Database]]) -> Database:
    """A migrated database, shared by all tests; with the mark `every_postgres`, on each version in turn."""
    return running(settings.server_binaries)[1]


@pytest.fixture
def new_book(database: Database) -> Callable[[], str]:
    """Makes fresh, empty books of the test's own."""

    def make() -> str:
        name = f"test-{secrets.token_hex(6)}"
        connection = database.connect(Role.OWNER)
        try:
            create_book(connection, name)
        finally:
            connection.close()
        return name

    return make


@pytest.fixture
def book(new_book: Callable[[], str]) -> str:
    """A fresh, empty book."""
    return new_book()
