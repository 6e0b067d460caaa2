"""The regulator's door over HTTP: the rows of one receiver, and their seal. Its database is asked, and nothing of the ledger.

Each door has a few connections of its own, which are kept while the service runs.

Whose token reads which door is found out in `api.caller`.
"""

import threading
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import psycopg2
from fastapi import APIRouter, Depends, Path, Query, Response
from psycopg2.extensions import connection as Connection

from api import return_answers as answers
from api.answers import answer
from api.asking import PAGE_DEFAULT, After, Asker, Limit, only_known_parameters
from api.description import question_description
from ledger.database.pool import Pool, is_cut
from ledger.database.roles import Role
from ledger.database.target import Database
from projections.asking import BadCursor, NotReached
from projections.regulator import reading
from projections.regulator.door import RECEIVER, database_of
from projections.regulator.reading import DoorNotOpened

Receiver = Annotated[str, Path(pattern=f"^{RECEIVER.pattern}$", description="Whose door it is, such as `nfra`.")]
Position = Annotated[int | None, Query(ge=0, lt=2**62)]

Found = TypeVar("Found")

CONNECTIONS_PER_DOOR_MAX = 4


class Doors:
    """The connections to the doors, made as they are asked for. They are of the publisher, who reads doors and nothing else."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pools: dict[str, Pool] = {}
        self._lock = threading.Lock()

    def pool(self, receiver: str) -> Pool:
        """The connections to a door that is there."""
        with self._lock:
            if receiver not in self._pools:
                place = self._database.beside(database_of(receiver))
                self._pools[receiver] = Pool(
                    lambda: place.connect(Role.PUBLISHER, autocommit=True), CONNECTIONS_PER_DOOR_MAX
                )
            return self._pools[receiver]

    def close(self) -> None:
        """Closes them all; what is lent out, when it comes back."""
        with self._lock:
            for pool in self._pools.values():
                pool.close()
            self._pools.clear()


def router(asker: Asker, doors: Doors) -> APIRouter:
    """The questions to a door, bound to a book."""
    routes = APIRouter(default_response_class=Response, dependencies=[Depends(only_known_parameters)])

    async def ask(receiver: str, question: Callable[..., Found], **asked: Any) -> Found:
        return await asker.ask(_at_the_door, doors, receiver, question, **asked)

    @routes.get(
        "/regulator/{receiver}/complaints",
        **question_description(answers.DoorRows, DoorNotOpened, NotReached, BadCursor),
    )
    async def door_rows(
        receiver: Receiver,
        as_of: Annotated[Position, Query(description="As the door stood at this position; none: as it stands.")] = None,
        since: Annotated[Position, Query(description="Only rows that began or ended behind this position.")] = None,
        limit: Limit = PAGE_DEFAULT,
        cursor: After = None,
    ) -> Response:
        """The complaints as this receiver may see them, in the order of their references."""
        found = await ask(receiver, reading.rows, as_of=as_of, since=since, rows_max=limit, cursor=cursor)
        return answer(answers.DoorRows, found)

    @routes.get("/regulator/{receiver}/seal", **question_description(answers.DoorSealed, DoorNotOpened))
    async def door_seal(receiver: Receiver) -> Response:
        """The newest seal: what the rows of its position are checked with."""
        return answer(answers.DoorSealed, await ask(receiver, reading.seal))

    return routes


def _at_the_door(
    ledger: Connection, book: str, doors: Doors, receiver: str, question: Callable[..., Found], **asked: Any
) -> Found:
    """Asks at a door that is open; once more where the connection was cut, for nothing is written. Raises DoorNotOpened.

    A connection that lay idle while the door's database was away is found cut by whoever is next to use it: the pool drops it
    and the other idle ones, so that the second time a new one is made.
    """
    if not reading.is_open(ledger, book, receiver):
        raise DoorNotOpened(receiver)
    pool = doors.pool(receiver)
    try:
        return _asked(pool, book, receiver, question, asked)
    except psycopg2.Error as cut:
        if not is_cut(cut):
            raise
    return _asked(pool, book, receiver, question, asked)


def _asked(pool: Pool, book: str, receiver: str, question: Callable[..., Found], asked: dict[str, Any]) -> Found:
    with pool.connection() as door:
        return question(door, book, receiver, **asked)
