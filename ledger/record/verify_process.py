"""Other processes that verify stretches of a book: how they are started, handed their work and asked. Checks nothing itself.

Not `multiprocessing`: what it spawns imports the program's main module again, a second of the processor in each process,
and what it forks shares connections and locks. A process here imports what compares and no more.
"""

import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

from ledger.record.verify_page import Streams, Stretch, Verified
from ledger.record.verify_serving import Work, read, write

_BEGIN = "import pickle, sys; sys.path = pickle.load(sys.stdin.buffer); from ledger.record.verify_serving import serve; serve()"


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
            write(process.stdin, question)
            answer = read(process.stdout)
        except EOFError:
            raise ConnectionError("a process that verified has ended; verify again") from None
        finally:
            self._idle.put(process)
        if isinstance(answer, BaseException):
            raise answer
        return answer


def _started(work: Work) -> "subprocess.Popen[bytes]":
    """With `-P`, so that no module of the folder that somebody happens to stand in is imported."""
    process = subprocess.Popen([sys.executable, "-P", "-c", _BEGIN], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    write(process.stdin, sys.path)
    write(process.stdin, work)
    return process
