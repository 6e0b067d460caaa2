"""Three books to compute figures of, made once, and a connection that may ask."""

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from psycopg2.extensions import connection as Connection

from ledger.application import Ledger
from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.vault.keys import SubjectKeys
from tests.api.conftest import fresh_book
from tests.indicators import books


@pytest.fixture(scope="session")
def reader(database: Database) -> Iterator[Connection]:
    with closing(database.connect(Role.APPLICATION, autocommit=True)) as connection:
        yield connection


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SubjectKeys]:
    with closing(SubjectKeys.open(tmp_path_factory.mktemp("keys"))) as opened:
        yield opened


@pytest.fixture(scope="session")
def book_of(database: Database, keys: SubjectKeys) -> Callable[[str], str]:
    """`book_of("year")`, `book_of("stories")`, `book_of("cfpb")`: filled and caught up, once."""
    made: dict[str, str] = {}

    def find(kind: str) -> str:
        if kind not in made:
            book = made[kind] = fresh_book(database)
            if kind.startswith("year"):
                with closing(Ledger(database, book, keys)) as ledger:
                    books.made_up_year(ledger, 2_600 if kind == "year-whole" else 130)
            elif kind == "stories":
                books.stories(database, book, 90)
            else:
                books.cfpb_rows(database, book, 8_000 if kind == "cfpb-many" else 120)
            if kind != "cfpb":
                with closing(Ledger(database, book, keys)) as ledger:
                    ledger.handle(books.BRANCHES, principal="li")
            if kind == "stories":
                with closing(Ledger(database, book, keys)) as ledger:
                    ledger.handle(books.OWN, principal="li")
            books.caught_up(database, book)
        return made[kind]

    return find
