"""One command over HTTP: the whole service, beside a FastAPI route that INSERTs one row and has a trigger write another."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import MappingProxyType

import crud
from measuring import Line, Side
from place import Place

from api.command.tokens import issued

HERE = Path(__file__).parent
CONNECTIONS = 64
START_SECONDS_MAX = 60
BODY = {
    "received_at": datetime.now(UTC).isoformat(timespec="seconds"),
    "received_by": "li.wei",
    "channel": "phone",
    "content": "客户来电，反映理财产品收益未达到预期，要求说明原因并退还手续费。",
    "product": "credit-card",
}


def lines(place: Place) -> list[Line]:
    against = "a FastAPI route that INSERTs a row, and an audit trigger"
    return [
        Line("one command over HTTP, requests/s", against, "requests/s", partial(_both, place, "per_second"), False, 0.7, 1.2),
        Line("one command over HTTP, p99", against, "ms", partial(_both, place, "p99_ms"), True, 0.7, 1.2),
    ]  # fmt: skip


@contextmanager
def _both(place: Place, figure: str) -> Iterator[tuple[Side, Side]]:
    book = place.new_book()
    ledger = [sys.executable, "-m", "api.command.main", "serve", "--data", str(place.settings.data), "--book", book]
    with place.peer_database("crud") as target, closing(place.connect(target["dbname"])) as connection:
        with connection.cursor() as cursor:
            cursor.execute(crud.TABLES)
        with _served(*ledger) as ours, _served(sys.executable, str(HERE / "crud_app.py"), json.dumps(target)) as theirs:
            who = {"Authorization": f"Bearer {_token(place, book)}"}
            yield partial(_asked, place, ours, figure, who), partial(_asked, place, theirs, figure)


@contextmanager
def _served(*command: str) -> Iterator[int]:
    """A service on a free port of the loopback, until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    service = subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + START_SECONDS_MAX
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if time.monotonic() > until or service.poll() is not None:
                    raise
                time.sleep(0.1)
        yield port
    finally:
        service.terminate()
        service.wait(timeout=30)


def _token(place: Place, book: str) -> str:
    """A registrar's: only our side asks who it is that records."""
    settings = replace(place.settings, book=book)
    return issued(settings, "bench", ["registrar"], [], datetime.now(UTC) + timedelta(hours=1))


def _asked(place: Place, port: int, figure: str, headers: Mapping[str, str] = MappingProxyType({})) -> float:
    """From a process of its own, so that the asking costs neither side more than the other."""
    given = {
        "port": port,
        "path": "/complaints",
        "body": BODY,
        "headers": dict(headers),
        "connections": CONNECTIONS,
        "seconds": place.seconds,
    }
    done = subprocess.run(
        [sys.executable, str(HERE / "client.py"), json.dumps(given)], check=True, capture_output=True, text=True, timeout=120
    )  # fmt: skip
    return float(json.loads(done.stdout)[figure])
