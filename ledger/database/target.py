"""Where the program's PostgreSQL is, and how to connect to it as one of the roles; runs no query of the domain."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from uuid import UUID

import orjson
import psycopg2
from psycopg2 import sql
from psycopg2.errors import InsufficientPrivilege, InvalidParameterValue, UndefinedObject
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import make_dsn, new_type, parse_dsn, register_type
from psycopg2.extras import register_default_jsonb, register_uuid

from ledger.database import embedded
from ledger.database.faults import DatabaseUnavailable, RoleNotGranted, ServerUnsuitable
from ledger.database.roles import SUPERUSER, Role, ensure_roles, statements_for_an_administrator
from ledger.settings import Settings

VERSION_MIN = 150000
STATEMENT_SECONDS_MAX = 60
CONNECT_SECONDS_MAX = 10

_SESSION = {
    "TimeZone": "UTC",
    "client_encoding": "UTF8",
    # the record is written for it, whatever the server's default is
    "default_transaction_isolation": r"read\ committed",
    # a role may change its own default, and would stop the book with it: `append` asks for a durable commit
    "synchronous_commit": "on",
    "statement_timeout": f"{STATEMENT_SECONDS_MAX}s",
    # what is prepared is written for any parameters (ledger.database.prepared)
    "plan_cache_mode": "force_generic_plan",
    # a client that died in a transaction must not hold the book's row for ever
    "idle_in_transaction_session_timeout": "60s",
}

_UUID_OID = 2950


@lru_cache(maxsize=20_000)
def _uuid(text: str) -> UUID:
    """The id of a text: a batch of events names each stream many times, and the same object is found sooner than an equal one."""
    return UUID(text)


_UUID = new_type((_UUID_OID,), "UUID", lambda text, _: None if text is None else _uuid(text))


class Database:
    """A PostgreSQL that the program may use until `close`: the embedded one, or somebody's by URL."""

    def __init__(self, target: Mapping[str, str], server: embedded.Server | None) -> None:
        self._target = dict(target)
        self._server = server

    @property
    def is_embedded(self) -> bool:
        """Whether we started the server ourselves and roles log in through its private socket."""
        return self._server is not None

    def dsn(self, role: Role) -> str:
        """What libpq needs to connect as a role, the session's settings included; may hold a password."""
        target = dict(self._target)
        settings = dict(_SESSION)
        if self.is_embedded:
            target["user"] = role
        else:
            settings["role"] = role
        given = [target["options"]] if target.get("options") else []
        target["options"] = " ".join([*given, *(f"-c {name}={value}" for name, value in settings.items())])
        return str(make_dsn(**target))

    def connect(self, role: Role, *, autocommit: bool = False) -> Connection:
        """A new connection that acts as the role; raises a DatabaseUnavailable that says what to do."""
        try:
            connection: Connection = psycopg2.connect(self.dsn(role))
        except psycopg2.OperationalError as error:
            raise self._explained(role, error) from None
        connection.autocommit = autocommit
        register_uuid(conn_or_curs=connection)  # type: ignore[no-untyped-call]  # the stubs leave it untyped
        register_type(_UUID, connection)
        register_default_jsonb(conn_or_curs=connection, loads=orjson.loads)
        return connection

    def prepare(self) -> None:
        """Sees that the server is fit, and makes the roles where they are missing; before the migrations."""
        administrator = self._connect_as_login()
        try:
            _check_fitness(administrator)
            if not self.is_embedded:
                ensure_roles(administrator, may_log_in=False)
        finally:
            administrator.close()

    @property
    def name(self) -> str:
        """The name of the database itself, on its server."""
        return self._target.get("dbname", "")

    def beside(self, name: str) -> "Database":
        """Another database of the same server; it is open as long as this one is, and need not be closed."""
        return Database({**self._target, "dbname": name}, self._server)

    def administrator(self) -> Connection:
        """A connection that may make databases: the embedded server's superuser, elsewhere the login itself."""
        login = {"user": SUPERUSER, "dbname": "postgres"} if self.is_embedded else {}
        connection: Connection = psycopg2.connect(make_dsn(**{**self._target, **login}))
        connection.autocommit = True
        return connection

    def close(self) -> None:
        """Gives up the use of the server; the last user stops an embedded one. A second call does nothing."""
        server, self._server = self._server, None
        if server is not None:
            server.leave()

    def _connect_as_login(self) -> Connection:
        """A connection as the login itself; the embedded server's is its owner role."""
        login = {"user": Role.OWNER} if self.is_embedded else {}
        try:
            connection: Connection = psycopg2.connect(make_dsn(**{**self._target, **login}))
        except psycopg2.OperationalError as error:
            raise _unreachable(self._target, error) from None
        connection.autocommit = True
        return connection

    def _explained(self, role: Role, error: psycopg2.OperationalError) -> DatabaseUnavailable:
        """Finds out whether the server was away or the role was the trouble: the error alone has no code."""
        login = self._connect_as_login()
        try:
            _check_fitness(login)
            with login.cursor() as cursor:
                cursor.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
        except (InsufficientPrivilege, InvalidParameterValue, UndefinedObject):
            statements = statements_for_an_administrator(login.info.user, login.info.dbname)
            return RoleNotGranted(
                f"the login {login.info.user} may not act as {role}, or there is no such role: run "
                f"`complaint-ledger migrate`, or let an administrator of the server run this once:\n{statements}"
            )
        finally:
            login.close()
        return _unreachable(self._target, error)


@contextmanager
def open_database(settings: Settings) -> Iterator[Database]:
    """The database that the settings name, in use until the block ends; starts the embedded server if need be."""
    database = database_at(settings.database_url) if settings.database_url else _embedded(settings)
    try:
        yield database
    finally:
        database.close()


def _embedded(settings: Settings) -> Database:
    server = embedded.enter(settings.data, binaries=settings.server_binaries, wanted_account=settings.server_account)
    return Database({**_CONNECT, **server.dsn(Role.APPLICATION)}, server)


def database_at(url: str) -> Database:
    """The PostgreSQL at a URL or DSN; raises DatabaseUnavailable when the text is neither. Connects to nothing yet."""
    try:
        target = parse_dsn(url)
    except psycopg2.ProgrammingError:
        # the reason is not shown: it may quote the password
        raise DatabaseUnavailable(
            "LEDGER_DATABASE_URL (or --database) is not an address of PostgreSQL: "
            "write postgresql://login@host:5432/database"
        ) from None
    return Database({**_CONNECT, **target}, None)


_CONNECT = {"application_name": "complaint-ledger", "connect_timeout": str(CONNECT_SECONDS_MAX)}


def _check_fitness(connection: Connection) -> None:
    if connection.server_version < VERSION_MIN:
        found = connection.info.parameter_status("server_version")
        raise ServerUnsuitable(f"the server is PostgreSQL {found}: complaint-ledger needs PostgreSQL 15 or newer")
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise ServerUnsuitable(
            f"the database is encoded in {encoding}: make one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
        )


def _unreachable(target: Mapping[str, str], error: psycopg2.OperationalError) -> DatabaseUnavailable:
    place = f"{target.get('host', 'the default socket')}, database {target.get('dbname', 'of the login')}"
    return DatabaseUnavailable(
        f"no connection to PostgreSQL at {place}: {str(error).strip()}. "
        "See that it runs and lets this login in, or leave LEDGER_DATABASE_URL out for the embedded server"
    )
