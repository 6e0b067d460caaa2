"""Log lines: JSON through structlog, for our own and every library's; never an exception's message.

An exception's message may hold what somebody wrote (pydantic's, PostgreSQL's DETAIL): of an exception
only its class, its SQLSTATE and the places in the code go into a line.
"""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, BinaryIO

import orjson
import structlog
from structlog.typing import EventDict, ExcInfo, Processor

FRAMES_MAX = 30

ExceptionTriple = tuple[type[BaseException], BaseException, TracebackType | None]


def configure_logging(stream: BinaryIO | None = None, level: int = logging.INFO) -> None:
    """Sends every log line of this process to `stream` (default: standard error), one JSON object each.

    Uvicorn must then be started with `log_config=None` and `access_log=False`, as `api.server` does.
    """
    out = stream or sys.stderr.buffer
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_messages,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(serializer=_json)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.BytesLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    handler = _Lines(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(serializer=lambda event, **_: _json(event).decode()),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("uvicorn.access").disabled = True  # it would log paths and queries, whoever listens


def told_of(error: BaseException) -> dict[str, object]:
    """What may be logged of an exception: its class, those behind it, the SQLSTATE, and where it was raised."""
    return {
        "exception": [type(link).__qualname__ for link in _chain(error)],
        "sqlstate": next((code for link in _chain(error) if (code := getattr(link, "pgcode", None))), None),
        "frames": [
            f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}"
            for link in _chain(error)
            for frame in traceback.extract_tb(link.__traceback__, limit=-FRAMES_MAX)
        ],
    }


class _Lines(logging.Handler):
    """Writes formatted records to a binary stream, as structlog's own logger does."""

    def __init__(self, out: BinaryIO) -> None:
        super().__init__()
        self._out = out

    def emit(self, record: logging.LogRecord) -> None:
        self._out.write(self.format(record).encode() + b"\n")
        self._out.flush()


def _without_messages(_logger: object, _method: str, event: EventDict) -> EventDict:
    given = event.pop("exc_info", None)
    error = _exception(given)
    return event if error is None else {**event, **told_of(error)}


def _exception(given: ExcInfo | BaseException | bool | None) -> BaseException | None:
    if isinstance(given, BaseException):
        return given
    if isinstance(given, tuple):
        return given[1]
    return sys.exc_info()[1] if given else None


def _chain(error: BaseException) -> list[BaseException]:
    links = [error]
    while (behind := links[-1].__cause__ or links[-1].__context__) is not None and behind not in links:
        links.append(behind)
    return links


def _json(event: MutableMapping[str, Any], **_: Any) -> bytes:
    return orjson.dumps(event, default=str)
