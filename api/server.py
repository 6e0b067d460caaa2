"""Runs the service with uvicorn, on loopback only until callers prove who they are; logs nothing by uvicorn's own form."""

from http import HTTPStatus
from uuid import uuid4

import h11
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.edge import HEADERS
from api.problems import problem_answer
from api.refusals import RequestMalformed

LOOPBACK = "127.0.0.1"
KEEP_ALIVE_SECONDS = 75
HEAD_BYTES_MAX = 32 * 1024
"""The request line and the headers together."""
SHUTDOWN_SECONDS_MAX = 20


class Protocol(H11Protocol):
    """Answers what is no HTTP as a problem too: such a request reaches no application that could say what to do."""

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
