"""Other processes that verify stretches of a book: how they are started, handed their work and asked. Checks nothing itself.

Not `multiprocessing`: what it spawns imports the program's main module again, a second of the processor in each process,
and what it forks shares connections and locks. A process here imports what compares and no more.
"""

import pickle
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from ledger.record.digests import Plans
from ledger.record.verify_page import Streams, Stretch, Verified, Verifier

if TYPE_CHECKING:
    from ledger.vault.keys import SubjectKeys


_BEGIN = "import pickle, sys; sys.path = pickle.load(sys.stdin.buffer); from ledger.record.verify_process import serve; serve()"


class Work(NamedTuple):
    """What another process needs to verify stretches: how to connect, which book, and how to open the keys."""

    dsn: str
    book: str
    origin: str
    plans: Plans
    open_keys: "Callable[[], SubjectKeys] | None"


class Processes:
    """So many processes, ended by `close`. Work is handed to whichever is idle."""

    def __init__(self, count: int, work: Work) -> None:
        self._processes = [_started(work) for _ in range(count)]
        self._idle: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
        for process in self._processes:
            self._idle.put(process)
        self._threads = ThreadPoolExecutor(count)

    def stretch(self, stretch: Stretch) -> "Future[Verified]":
        return self._threads.submit(self._asked, stretch)

    def streams_agree(self, streams: Streams) -> "Future[bool]":
        return self._threads.submit(self._asked, streams)

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)
        for process in self._processes:
            process.communicate()

    def _asked(self, question: Stretch | Streams) -> Any:
        process = self._idle.get()
        try:
            _write(process.stdin, question)
            answer = _read(process.stdout)
        finally:
            self._idle.put(process)
        if isinstance(answer, BaseException):
            raise answer
        return answer


def _started(work: Work) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen([sys.executable, "-c", _BEGIN], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    _write(process.stdin, sys.path)
    _write(process.stdin, work)
    return process


def serve() -> None:
    """What such a process does until nobody asks any more. What goes wrong is the answer."""
    import psycopg2  # noqa: PLC0415 - this process connects by itself, the other one is handed a connection

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who asked was interrupted too, and closes this end
    work: Work = _read(sys.stdin.buffer)
    connection = psycopg2.connect(work.dsn)
    connection.autocommit = True
    keys = None if work.open_keys is None else work.open_keys()
    verifier = Verifier(connection, work.book, work.origin, work.plans, keys)
    while True:
        try:
            question = _read(sys.stdin.buffer)
        except EOFError:
            return
        answer: object
        try:
            answer = verifier.stretch(question) if isinstance(question, Stretch) else verifier.streams_agree(question)
        except Exception as problem:  # noqa: BLE001 - it is raised where the question came from
            answer = problem
        _write(sys.stdout.buffer, answer)


def _write(stream: IO[bytes] | None, what: object) -> None:
    assert stream is not None, "both ends are pipes"
    pickle.dump(what, stream, protocol=pickle.HIGHEST_PROTOCOL)
    stream.flush()


def _read(stream: IO[bytes] | None) -> Any:
    """Both ends are this program's own, so what comes is trusted."""
    assert stream is not None, "both ends are pipes"
    return pickle.load(stream)  # noqa: S301 - as above
