"""Other event stores: how each is installed into a folder of its own, and driven by so many waiting callers."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from measuring import Side, Unavailable
from place import HOME, Place

HERE = Path(__file__).parent
INSTALL_SECONDS_MAX = 600
RUN_SECONDS_MAX = 300

WRITE_MESSAGE = (
    "SELECT message_store.write_message(gen_random_uuid()::varchar, 'complaint-' || gen_random_uuid(), "
    "'ContactNoted', jsonb_build_object('content', repeat('a', 780)));"
)


@dataclass(frozen=True)
class Peer:
    """One event store. `installs` puts it into a folder, `drives` makes the side that is measured."""

    name: str
    database: str
    installs: Callable[[Path], None]
    drives: "Callable[[Place, Path, Mapping[str, str], int], Side]"
    at_least: float | None
    aim: float | None

    @property
    def folder(self) -> Path:
        return HOME / self.database

    def install(self) -> None:
        """Installs it once; raises Unavailable with the reason."""
        done = self.folder / "installed"
        if done.exists():
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        try:
            self.installs(self.folder)
        except (OSError, subprocess.SubprocessError) as error:
            raise Unavailable(f"it could not be installed ({type(error).__name__})") from error
        done.touch()

    def prepared(self, place: Place, target: Mapping[str, str], callers: int) -> Side:
        try:
            return self.drives(place, self.folder, target, callers)
        except subprocess.SubprocessError as error:
            said = getattr(error, "stderr", "") or ""
            raise Unavailable(f"it did not run here: {said.strip().splitlines()[-1:] or error}") from error


def _python(*packages: str) -> Callable[[Path], None]:
    def install(folder: Path) -> None:
        _run(sys.executable, "-m", "venv", str(folder / "venv"))
        _run(str(folder / "venv" / "bin" / "python"), "-m", "pip", "install", "--quiet", *packages)

    return install


def _npm(*packages: str) -> Callable[[Path], None]:
    def install(folder: Path) -> None:
        if shutil.which("npm") is None:
            raise Unavailable("there is no npm on this machine")
        (folder / "package.json").write_text('{"private": true, "type": "module"}')
        _run("npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), *packages)

    return install


def _program(program: str, mode: str = "") -> Callable[[Place, Path, Mapping[str, str], int], Side]:
    """A small program beside this module that prints how many events per second it stored."""

    def drive(place: Place, folder: Path, target: Mapping[str, str], callers: int) -> Side:
        source = HERE / program
        if source.suffix == ".py":
            command = [str(folder / "venv" / "bin" / "python"), str(source)]
        else:
            shutil.copy(source, folder / source.name)  # where its packages are found
            command = ["node", str(folder / source.name)]

        def side() -> float:
            given = json.dumps({**target, "callers": callers, "seconds": place.seconds, "bytes": 800, "mode": mode})
            printed = _run(*command, given)
            return float(json.loads(printed.strip().splitlines()[-1])["events_per_second"])

        side()  # makes its tables, and shows at once whether it runs here
        return side

    return drive


def _message_db(place: Place, folder: Path, target: Mapping[str, str], callers: int) -> Side:
    database = folder / "node_modules" / "@eventide" / "message-db" / "database"
    environment = {
        **os.environ,
        "DATABASE_NAME": target["dbname"],
        "PGHOST": target["host"],
        "PGPORT": target["port"],
        "PGUSER": target["user"],
        "PGDATABASE": target["dbname"],
    }
    order = ["roles/message-store.sql", "schema/message-store.sql", "extensions/pgcrypto.sql", "tables/messages.sql"]
    for file in order:
        if (database / file).exists():
            _psql(environment, database / file, check="extensions" not in file)
    types = sorted((database / "types").glob("*.sql"))
    functions = database / "functions"
    # in the order of its own installer: what others call comes first
    first = [
        "message-store-version.sql",
        "hash-64.sql",
        "acquire-lock.sql",
        "category.sql",
        "is-category.sql",
        "id.sql",
        "cardinal-id.sql",
        "stream-version.sql",
        "write-message.sql",
    ]
    for file in [*types, *(functions / name for name in first if (functions / name).exists())]:
        _psql(environment, file)
    for file in sorted((database / "indexes").glob("*.sql")):
        _psql(environment, file)
    with closing(place.connect(target["dbname"])) as connection, connection.cursor() as cursor:
        # once for all sessions: a SET in the script would be one more statement in each of its transactions
        cursor.execute(f'ALTER DATABASE "{target["dbname"]}" SET search_path = message_store, public')

    def side() -> float:
        printed = place.pgbench(WRITE_MESSAGE, target["dbname"], callers)
        (line,) = [line for line in printed.splitlines() if line.startswith("tps = ")]
        return float(line.split()[2])

    return side


def _psql(environment: Mapping[str, str], file: Path, *, check: bool = True) -> None:
    psql = shutil.which("psql")
    if psql is None:
        raise Unavailable("there is no psql on this machine to load it with")
    subprocess.run(
        [psql, "-q", "-v", "ON_ERROR_STOP=1", "-f", str(file)],
        env=dict(environment), check=check, capture_output=True, text=True, timeout=RUN_SECONDS_MAX,
    )  # fmt: skip


def _run(*command: str) -> str:
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=INSTALL_SECONDS_MAX)
    return done.stdout


PEERS = (
    Peer("the library's own recorder, default mode", "eventsourcing", _python("eventsourcing[postgres]==9.5.6", "psycopg[binary]"), _program("eventsourcing_recorder.py"), 8, 20),
    Peer("the library's own recorder, database functions (no lock, loses tracking)", "eventsourcing-functions", _python("eventsourcing[postgres]==9.5.6", "psycopg[binary]"), _program("eventsourcing_recorder.py", "functions"), None, None),
    Peer("Message DB 1.3.1", "message-db", _npm("@eventide/message-db@1.3.1"), _message_db, 3, 10),
    Peer("Emmett 0.42.0", "emmett", _npm("@event-driven-io/emmett@0.42.0", "@event-driven-io/emmett-postgresql@0.42.0"), _program("emmett_store.mjs"), 3, 10),
    Peer("eventsource-py", "eventsource-py", _python("eventsource-py[postgresql]", "greenlet"), _program("eventsource_store.py"), 3, 10),
)  # fmt: skip
