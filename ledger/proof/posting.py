"""Asks one server over HTTP and waits a bounded time for the whole of its answer. Knows no checkpoint and no witness."""

import contextlib
import http.client
import socket
import threading
from typing import NamedTuple
from urllib.parse import urlsplit

ANSWER_SECONDS_MAX = 10.0
"""For the whole answer, from the first look for the server's address to its last byte."""
ANSWER_BYTES_MAX = 64 * 1024


class Unanswered(Exception):
    """A witness or an authority is away, or answered what cannot be read; it is asked again with the next checkpoint."""


class Answer(NamedTuple):
    """What came back; the content type without its parameters."""

    status: int
    content_type: str
    body: bytes


def post(url: str, body: bytes, content_type: str, seconds_max: float | None = None) -> Answer:
    """The answer to one POST; follows no redirection. Raises Unanswered, at the latest after so many seconds.

    A timeout of the socket bounds each single read, and a server that sends a byte now and then would never meet it: so
    the exchange has a thread of its own, which is waited for and then cut off. That thread keeps no program alive.
    """
    exchange = _Exchange(url, body, content_type, ANSWER_SECONDS_MAX if seconds_max is None else seconds_max)
    return exchange.answer()


class _Exchange:
    def __init__(self, url: str, body: bytes, content_type: str, seconds_max: float) -> None:
        place = urlsplit(url)
        kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
        self._seconds_max = max(seconds_max, 0.001)  # none at all would mean: without waiting
        self._netloc, self._path = place.netloc, place.path or "/"
        self._body, self._content_type = body, content_type
        self._asked = kind(place.netloc, timeout=self._seconds_max)
        self._cut_off = threading.Event()
        self._came: Answer | Unanswered | None = None
        self._thread = threading.Thread(target=self._run, name=f"asking {place.netloc}", daemon=True)

    def answer(self) -> Answer:
        self._thread.start()
        self._thread.join(self._seconds_max)
        came = self._came
        if came is None:
            self._cut_off.set()
            self._shut()
            raise Unanswered(f"{self._netloc} did not answer as a whole within {self._seconds_max:g} seconds")
        if isinstance(came, Unanswered):
            raise came
        return came

    def _shut(self) -> None:
        held = self._asked.sock
        if held is not None:
            with contextlib.suppress(OSError):  # it may have ended just now
                held.shutdown(socket.SHUT_RDWR)

    def _run(self) -> None:
        try:
            self._came = self._exchanged()
        except Unanswered as unanswered:
            self._came = unanswered
        except (OSError, http.client.HTTPException, ValueError) as away:
            self._came = Unanswered(f"{self._netloc} is away ({type(away).__name__})")
        finally:
            self._asked.close()

    def _exchanged(self) -> Answer:
        self._asked.connect()
        if self._cut_off.is_set():
            raise Unanswered("cut off")
        self._asked.request("POST", self._path, self._body, {"Content-Type": self._content_type})
        answer = self._asked.getresponse()
        content = answer.read(ANSWER_BYTES_MAX + 1)
        if len(content) > ANSWER_BYTES_MAX:
            raise Unanswered(f"{self._netloc} answered more than {ANSWER_BYTES_MAX} bytes")
        return Answer(answer.status, answer.headers.get("Content-Type", "").partition(";")[0].strip(), content)
