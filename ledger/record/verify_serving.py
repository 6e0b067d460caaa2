"""What another process does that verifies stretches of a book: it answers until nobody asks any more. Starts nothing.

It imports what compares and no more: it is started once for each processor.
"""

import pickle
import signal
import sys
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import psycopg2

from ledger.record.digests import Plans
from ledger.record.verify_page import Stretch, Verifier, fix_search_path

if TYPE_CHECKING:
    from ledger.vault.keys import SubjectKeys


class Work(NamedTuple):
    """What another process needs to verify stretches: how to connect, which book, and how to open the keys."""

    dsn: str
    book: str
    origin: str
    plans: Plans
    open_keys: "Callable[[], SubjectKeys] | None"


def serve() -> None:
    """What such a process does until nobody asks any more. What goes wrong is the answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who asked was interrupted too, and closes this end
    work: Work = read(sys.stdin.buffer)
    verifier: Verifier | None = None
    while True:
        try:
            question = read(sys.stdin.buffer)
        except EOFError:
            return
        answer: object
        try:
            verifier = verifier or _verifier(work)
            answer = verifier.stretch(question) if isinstance(question, Stretch) else verifier.streams_agree(question)
        except Exception as problem:  # noqa: BLE001 - the outermost loop here; raised where it was asked
            answer = problem
        write(sys.stdout.buffer, answer)


def _verifier(work: Work) -> Verifier:
    connection = psycopg2.connect(work.dsn)
    connection.autocommit = True
    fix_search_path(connection)
    keys = None if work.open_keys is None else work.open_keys()
    return Verifier(connection, work.book, work.origin, work.plans, keys)


def write(stream: IO[bytes] | None, what: object) -> None:
    """Puts one question or answer into a pipe."""
    assert stream is not None, "both ends are pipes"
    pickle.dump(what, stream, protocol=pickle.HIGHEST_PROTOCOL)
    stream.flush()


def read(stream: IO[bytes] | None) -> Any:
    """Takes one out; raises EOFError at its end. Both ends are this program's own, so what comes is trusted."""
    assert stream is not None, "both ends are pipes"
    return pickle.load(stream)  # noqa: S301 - as above
