"""The outermost layer of the service: request id, host names, headers, one log line a request, and the last resort.

A log line holds the route's template and never the path, the query or the body, which may be personal.
"""

import re
import time
from collections.abc import Collection
from typing import Any
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem_answer
from api.refusals import HostNotServed, ProgramFailed, RequestMalformed

REQUEST_ID = re.compile(r"(?=.*[A-Za-z])(?!.*\d{7})[A-Za-z0-9._-]{1,64}")
"""What is logged as it was sent, and so cannot be a phone, identity or account number; else we make one."""

HEAD_BYTES_MAX = 32 * 1024
"""The request line and the headers together. The server stops reading an unfinished head; here is refused what came at once."""

HEADERS = (
    ("x-content-type-options", "nosniff"),
    ("cache-control", "no-store"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "content-security-policy",
        (
            "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; "
            "base-uri 'none'; form-action 'none'"
        ),
    ),
)
"""On every answer: what a complaint file says is not kept by a browser or a proxy."""

log = structlog.get_logger("api")


class Edge:
    """Answers 500 for what nothing inside has answered: the one place that catches every exception."""

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        offered = headers.get("x-request-id", "")
        request_id = offered if REQUEST_ID.fullmatch(offered) else uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        asked, head = scope["method"], scope["method"] == "HEAD"
        if head:  # answered like GET, without the content (RFC 9110, section 9.3.2)
            scope = {**scope, "method": "GET"}
        exchange = _Exchange(scope, send, request_id, asked, without_content=head)
        try:
            if _head_bytes(scope) > HEAD_BYTES_MAX:
                await problem_answer(RequestMalformed(), request_id)(scope, receive, exchange.send)
            elif _host_name(headers.get("host", "")) in self._hosts:
                await self._app(scope, receive, exchange.send)
            else:
                await problem_answer(HostNotServed(), request_id)(scope, receive, exchange.send)
        except (
            Exception
        ) as error:  # the outermost loop: whatever is left is a bug, logged and answered without its message
            log.exception("failed", request_id=request_id, route=exchange.route, exc_info=error)
            if exchange.status is None:
                await problem_answer(ProgramFailed(), request_id)(scope, receive, exchange.send)
        finally:
            exchange.log()


class _Exchange:
    """One request and its answer, as the log line tells them."""

    def __init__(self, scope: Scope, send: Send, request_id: str, asked: str, *, without_content: bool) -> None:
        self._scope, self._send, self._request_id = scope, send, request_id
        self._asked, self._without_content = asked, without_content
        self._began = time.perf_counter()
        self._position: str | None = None
        self.status: int | None = None

    @property
    def route(self) -> str | None:
        """The template of the path, such as `/complaints/{complaint_id}`; None when no route was found."""
        route: Any = self._scope.get("route")
        return getattr(route, "path_format", None)

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS:
                headers.setdefault(name, value)
            headers["x-request-id"] = self._request_id
            self.status, self._position = message["status"], headers.get("ledger-position")
        elif self._without_content:
            message = {**message, "body": b""}
        await self._send(message)

    def log(self) -> None:
        log.info(
            "request",
            request_id=self._request_id,
            method=self._asked,
            route=self.route,
            status=self.status,
            principal=getattr(self._scope["state"].get("person"), "id", None),
            problem=self._scope["state"].get("problem"),
            duration_ms=round((time.perf_counter() - self._began) * 1000, 2),
            position=self._position,
        )


def _head_bytes(scope: Scope) -> int:
    """The size of a head, as it came: the request line and each header with what stands between and behind them."""
    line = len(scope["method"]) + len(scope["raw_path"]) + len(scope["query_string"]) + len("  HTTP/1.1\r\n")
    return line + sum(len(name) + len(value) + len(": \r\n") for name, value in scope["headers"])


def _host_name(host: str) -> str:
    """The name in a Host header, without the port: `[::1]:8000` is `[::1]`."""
    return re.sub(r":\d+\Z", "", host.lower())
