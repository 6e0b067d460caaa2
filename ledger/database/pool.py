"""A bounded set of connections for short autocommit statements of many threads; knows no query."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg2
from psycopg2.extensions import connection as Connection

CONNECTIONS_MAX = 16
WAIT_SECONDS_MAX = 30.0


class NoneFree(psycopg2.OperationalError):
    """Every connection stayed lent out: nothing was asked of the server, and nothing is wrong with it."""


def is_cut(error: psycopg2.Error) -> bool:
    """Whether the connection broke, or was ended by the server: the error has no code of the server's, or one of class 57P."""
    if isinstance(error, NoneFree):
        return False
    return error.pgcode is None or error.pgcode.startswith("57P")


class Pool:
    """Lends connections, the most recently used first; a borrower waits while all are lent out.

    psycopg2's own pool raises where this one waits, and hands out connections that the server has closed.
    """

    def __init__(self, connect: Callable[[], Connection], connections_max: int = CONNECTIONS_MAX) -> None:
        self._connect = connect
        self._free = threading.BoundedSemaphore(connections_max)
        self._idle: list[Connection] = []
        self._closed = False

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """One connection for the block. Raises NoneFree after 30 seconds without a free one."""
        if not self._free.acquire(timeout=WAIT_SECONDS_MAX):
            raise NoneFree(f"no database connection became free within {WAIT_SECONDS_MAX:.0f} seconds")
        try:
            connection = self._idle.pop() if self._idle else self._connect()
            try:
                yield connection
            except psycopg2.Error as error:
                connection.close()  # it may be broken; a new one costs milliseconds
                if is_cut(error):
                    self._drop_idle()  # the server went away: what else is idle was cut off with it
                raise
            finally:
                self._give_back(connection)
        finally:
            self._free.release()

    def close(self) -> None:
        """Closes what is idle now, and what is lent out when it comes back."""
        self._closed = True
        self._drop_idle()

    def _drop_idle(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _give_back(self, connection: Connection) -> None:
        if self._closed:
            connection.close()
        elif not connection.closed:
            self._idle.append(connection)
