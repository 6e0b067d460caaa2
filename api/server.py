"""Runs the service with uvicorn, on loopback only until callers prove who they are; logs nothing by uvicorn's own form.

Here also is what uvicorn has no limit for: connections, and the time that a request's head and an answer's way out may take.
"""

import asyncio
from http import HTTPStatus
from uuid import uuid4

import h11
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from api.edge import HEAD_BYTES_MAX, HEADERS
from api.problems import problem_answer
from api.refusals import RequestMalformed

LOOPBACK = "127.0.0.1"
KEEP_ALIVE_SECONDS = 75
HEAD_SECONDS_MAX = 20
"""From a connection, or from the first byte of its next request, to the end of the head: whoever sends a byte now and then is cut
off, and so is who goes on sending a body that was answered already."""
ANSWER_SECONDS_MAX = 60
"""For some of what waits to be sent (64 KiB) to be taken: whoever reads nothing is cut off, a slow line is not."""
CONNECTIONS_MAX = 768
"""At once; a further one is closed unanswered. It leaves room among the 1,024 files that a process may commonly open."""
SHUTDOWN_SECONDS_MAX = 20


class Protocol(H11Protocol):
    """One connection. Keeps the times that uvicorn does not, and answers what is no HTTP as a problem too: such a request
    reaches no application that could say what to do.
    """

    _head: asyncio.TimerHandle | None = None
    _answer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        if len(self.connections) > CONNECTIONS_MAX:
            transport.abort()
        else:
            self._head = self.loop.call_later(HEAD_SECONDS_MAX, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop("_head")
        self._stop("_answer")
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._head is None and not self._is_answering():
            self._head = self.loop.call_later(HEAD_SECONDS_MAX, self.transport.abort)
        super().data_received(data)

    def handle_events(self) -> None:
        before = self.cycle
        super().handle_events()
        if self.cycle is not before:  # a head has come; an answer that is quick may be on its way already
            self._stop("_head")

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stop("_answer")
        self._answer = self.loop.call_later(ANSWER_SECONDS_MAX, self.transport.abort)

    def resume_writing(self) -> None:
        self._stop("_answer")
        super().resume_writing()

    def _is_answering(self) -> bool:
        answering: RequestResponseCycle | None = (
            self.cycle
        )  # None before the first request, whatever uvicorn's types say
        return answering is not None and not answering.response_complete

    def _stop(self, timer: str) -> None:
        running: asyncio.TimerHandle | None = getattr(self, timer)
        if running is not None:
            running.cancel()
            setattr(self, timer, None)

    def send_400_response(self, msg: str) -> None:
        del msg
        request_id = uuid4().hex
        problem = problem_answer(RequestMalformed(), request_id, dict(HEADERS) | {"x-request-id": request_id})
        headers = [*problem.raw_headers, (b"connection", b"close")]
        head = h11.Response(status_code=HTTPStatus.BAD_REQUEST, headers=headers, reason=b"Bad Request")
        for event in (head, h11.Data(data=bytes(problem.body)), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


def server(app: FastAPI, port: int, *, host: str = LOOPBACK) -> uvicorn.Server:
    """A server that is not started yet. `configure_logging` decides what is logged; port 0 takes a free one."""
    if host not in {LOOPBACK, "::1"}:
        raise ValueError("the service knows callers by what they say they are: it is served on loopback only")
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            server_header=False,
            http=Protocol,
            h11_max_incomplete_event_size=HEAD_BYTES_MAX,
            date_header=True,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS_MAX,
        )
    )
