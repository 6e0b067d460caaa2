"""Runs the service with uvicorn, on loopback only until callers prove who they are; logs nothing by uvicorn's own form."""

import uvicorn
from fastapi import FastAPI

LOOPBACK = "127.0.0.1"
KEEP_ALIVE_SECONDS = 75
HEAD_BYTES_MAX = 32 * 1024
"""The request line and the headers together."""
SHUTDOWN_SECONDS_MAX = 20


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
            http="h11",
            h11_max_incomplete_event_size=HEAD_BYTES_MAX,
            date_header=True,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS_MAX,
        )
    )
