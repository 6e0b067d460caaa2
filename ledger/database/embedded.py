"""The embedded server: PostgreSQL from the installed wheel, made, started, shared and stopped by us.

The wheel's own start-up code is never called: it trusts every local account, may put its socket where
anybody can reach it, and as root opens foreign folders. Nothing here knows a table.
"""

import os
import pwd
import shlex
import shutil
import stat
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import make_dsn

from ledger.database.faults import ServerDidNotStart
from ledger.database.folder import Account, DataFolder, check_reach, server_account, write_whole
from ledger.database.programs import check_version, wheel_binaries, within_reach
from ledger.database.roles import SUPERUSER, Role, ensure_roles

DATABASE = "ledger"
_CONFIG = Path(__file__).with_suffix(".conf")
_SOCKET_NAME = ".s.PGSQL.5432"
_SOCKET_PATH_BYTES_MAX = 107
_SOCKET_FOLDER_PREFIX = "complaint-ledger-"
_START_SECONDS_MAX = 60
_STOP_SECONDS_MAX = 20
_ORPHANS_SECONDS_MAX = 10
_HBA = """\
# Of complaint-ledger: the accounts of pg_ident.conf, proved by the kernel, and nobody else.
local all all peer map=ledger
"""
_YOURS = "# What stands below this line is yours, and kept: let a regulator's own login in here.\n"
_NO_LARGE_OBJECTS = """
DO $$
DECLARE
    v_function regprocedure;
BEGIN
    FOR v_function IN
        SELECT p.oid
          FROM pg_catalog.pg_proc AS p
         WHERE p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace AND p.proname ~ '^(lo_|loread$|lowrite$)'
    LOOP
        EXECUTE pg_catalog.format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', v_function);
    END LOOP;
END
$$
"""
"""PostgreSQL lets everybody store large objects, outside every right that the migrations grant."""


@dataclass(frozen=True)
class Server:
    """A running embedded server that this process counts as a user of."""

    folder: DataFolder
    binaries: Path
    account: Account
    socket: Path
    in_use: int

    def dsn(self, user: str, database: str = DATABASE) -> dict[str, str]:
        """How libpq reaches the server as one of its roles."""
        return {"host": str(self.socket), "port": "5432", "user": user, "dbname": database}

    def leave(self) -> None:
        """Gives up our use; the last user stops the server."""
        with self.folder.starting():
            os.close(self.in_use)
            if not self.folder.in_use():
                _stop(self.folder, self.binaries, self.account)


def enter(data: Path, *, binaries: Path | None = None, wanted_account: str | None = None) -> Server:
    """Makes the data folder when there is none, starts its server when it does not run, and counts us as a user.

    About a second the first time, a third of one later. Raises a DatabaseUnavailable that says what to do.
    """
    folder = DataFolder(data.resolve())
    programs = (binaries or wheel_binaries()).resolve()
    folder.make_or_adopt()
    with folder.starting():
        folder.mark()
        owner_of_data = folder.postgres.stat().st_uid if folder.postgres.exists() else None
        account = server_account(wanted_account, owner_of_data)
        check_reach(account, (folder.path,))
        programs = within_reach(programs, folder, account)
        others = folder.in_use()
        in_use = folder.use()
        try:
            if owner_of_data is None:
                _initialise(folder, programs, account)
            check_version(programs, folder)
            reload = _write_who_may_enter(folder)
            socket = _socket_of_running(folder)
            if socket is None:
                socket = _start(folder, programs, account, others=others)
            elif reload:
                _run(account, programs / "pg_ctl", "reload", "-D", folder.postgres)
            server = Server(folder, programs, account, socket, in_use)
            _provision(server)
        except BaseException:
            os.close(in_use)
            if not folder.in_use() and _running_pid(folder) is not None:
                with suppress(ServerDidNotStart):  # what went wrong first is what has to be told
                    _stop(folder, programs, account)
            raise
    return server


def _initialise(folder: DataFolder, programs: Path, account: Account) -> None:
    """Makes the cluster aside and moves it into place whole, so that a crash leaves nothing half made."""
    new = folder.postgres.with_name("postgres.new")
    if new.exists():
        shutil.rmtree(new)
    folder.give(new, account)
    _run(
        account,
        programs / "initdb",
        *("-D", new, "-U", SUPERUSER, "-E", "UTF8", "--locale=C", "--data-checksums", "--no-instructions"),
        *("--auth-local=peer", "--auth-host=reject"),
    )
    new.rename(folder.postgres)


def _write_who_may_enter(folder: DataFolder) -> bool:
    """Writes pg_hba.conf and pg_ident.conf, where ours differs; returns whether a running server has to read them again.

    What an operator has added below our lines stays.
    """
    accounts = sorted({pwd.getpwuid(uid).pw_name for uid in (os.geteuid(), folder.owner())})
    users = [SUPERUSER, *Role]
    lines = [f'ledger "{account}" {user}\n' for account in accounts for user in users]
    wanted = {"pg_hba.conf": _HBA, "pg_ident.conf": "".join(lines)}
    folder.config.mkdir(mode=0o755, exist_ok=True)
    changed = False
    for name, ours in wanted.items():
        there = _text_or_none(folder.config / name) or ""
        text = ours + _YOURS + there.partition(_YOURS)[2]
        if text != there:
            write_whole(folder.config / name, text, mode=0o644)
            changed = True
    return changed


def _start(folder: DataFolder, programs: Path, account: Account, *, others: bool) -> Path:
    crashed = _clear_what_a_crash_left(folder, others=others)
    folder.give(folder.log, account)
    socket = _socket_folder(folder, account)
    _write_config(folder, socket)
    options = f"-c config_file={shlex.quote(str(folder.config / 'postgresql.conf'))}"
    log = folder.log / "start.log"
    until = time.monotonic() + (_ORPHANS_SECONDS_MAX if crashed else 0)
    while True:
        try:
            _run(
                account,
                programs / "pg_ctl",
                *("start", "-D", folder.postgres, "-l", log, "-w", "-t", _START_SECONDS_MAX, "-s", "-o", options),
            )
        except ServerDidNotStart as error:
            if time.monotonic() < until:
                time.sleep(0.2)  # the processes of a killed server take a moment to notice
                continue
            said = " / ".join((_text_or_none(log) or "").splitlines()[-3:])
            raise ServerDidNotStart(f"{error}. The end of {log}: {said}") from None
        return socket


def _write_config(folder: DataFolder, socket: Path) -> None:
    """Into a folder of ours, so that the server's account does not decide who may log in."""
    paths = {
        "unix_socket_directories": f'"{socket}"',
        "hba_file": folder.config / "pg_hba.conf",
        "ident_file": folder.config / "pg_ident.conf",
        "log_directory": folder.log,
    }
    lines = "".join("{} = '{}'\n".format(name, str(value).replace("'", "''")) for name, value in paths.items())
    write_whole(folder.config / "postgresql.conf", _CONFIG.read_text(encoding="utf-8") + lines, mode=0o644)


def _stop(folder: DataFolder, programs: Path, account: Account) -> None:
    drawn = _drawn_socket_folder(folder)
    stop = (programs / "pg_ctl", "stop", "-D", folder.postgres, "-w", "-s")
    try:
        _run(account, *stop, "-m", "fast", "-t", _STOP_SECONDS_MAX)
    except ServerDidNotStart:
        # a server that is asked to stop while it recovers from a crash may hang; what was committed is in its log
        _run(account, *stop, "-m", "immediate", "-t", _STOP_SECONDS_MAX)
    if drawn is not None:
        shutil.rmtree(drawn, ignore_errors=True)


def _socket_folder(folder: DataFolder, account: Account) -> Path:
    """A folder of mode 0700 whose path fits into a socket's address, and that libpq does not take for a list."""
    length = len(os.fsencode(folder.socket / _SOCKET_NAME))
    if length <= _SOCKET_PATH_BYTES_MAX and not set(str(folder.socket)) & set(",\"'\\"):
        folder.give(folder.socket, account)
        return folder.socket
    fresh = Path(tempfile.mkdtemp(prefix=_SOCKET_FOLDER_PREFIX))  # postmaster.pid names it to other processes
    if os.geteuid() == 0:
        os.chown(fresh, account.uid, account.gid)
    check_reach(account, (fresh,))
    return fresh


def _socket_of_running(folder: DataFolder) -> Path | None:
    """The socket folder of the server that runs on these data, once it answers; None when none runs."""
    until = time.monotonic() + _START_SECONDS_MAX
    while (pid := _running_pid(folder)) is not None:
        socket = _pid_file(folder)[4:5]
        if socket and _answers(Path(socket[0])):
            return Path(socket[0])
        if time.monotonic() > until:
            raise ServerDidNotStart(
                f"the server on {folder.postgres} runs (process {pid}) and has not answered for "
                f"{_START_SECONDS_MAX} seconds: look into {folder.log}"
            )
        time.sleep(0.05)
    return None


def _running_pid(folder: DataFolder) -> int | None:
    """The process of the server on these data; None when the number in postmaster.pid means nothing any more."""
    lines = _pid_file(folder)
    if not lines or not lines[0].isdecimal():
        return None
    pid = int(lines[0])
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        return None  # not the server's account, so another process with a number that was used again
    try:  # a postmaster works in its data folder
        return pid if Path(f"/proc/{pid}/cwd").samefile(folder.postgres) else None
    except OSError:
        return None if Path("/proc/self/cwd").exists() else pid


def _clear_what_a_crash_left(folder: DataFolder, *, others: bool) -> bool:
    """Removes what would keep PostgreSQL from starting; returns whether there was a crash at all.

    A number in postmaster.pid that means nothing any more PostgreSQL sees through by itself, and looks
    whether a process of the old server still runs; not so a number that has gone to another process.
    """
    lines, drawn = _pid_file(folder), _drawn_socket_folder(folder)
    if not lines:
        return False
    if _is_alive(lines[0]):
        if others:
            raise ServerDidNotStart(
                f"another process uses {folder.path} and its server does not answer: end that process and try again"
            )
        (folder.postgres / "postmaster.pid").unlink()
    if drawn is not None:
        shutil.rmtree(drawn, ignore_errors=True)
    return True


def _provision(server: Server) -> None:
    """Makes the roles and the database where they are missing."""
    administrator = _connect(server.dsn(SUPERUSER, "postgres"))
    try:
        with administrator.cursor() as cursor:
            cursor.execute("SELECT FROM pg_catalog.pg_database WHERE datname = %s", (DATABASE,))
            if cursor.fetchone() is not None:
                return
            ensure_roles(administrator, may_log_in=True)
            name, owner = sql.Identifier(DATABASE), sql.Identifier(Role.OWNER)
            cursor.execute(sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0").format(name, owner))
            cursor.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
            # the publisher enters the databases of receivers, and never this one
            roles = sql.SQL(", ").join(sql.Identifier(role) for role in Role if role is not Role.PUBLISHER)
            cursor.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(name, roles))
    finally:
        administrator.close()
    administrator = _connect(server.dsn(SUPERUSER))
    try:
        with administrator.cursor() as cursor:
            cursor.execute(_NO_LARGE_OBJECTS)
    finally:
        administrator.close()


def _connect(dsn: dict[str, str]) -> Connection:
    connection: Connection = psycopg2.connect(
        make_dsn(**dsn, connect_timeout=5, application_name="complaint-ledger set-up")
    )
    connection.autocommit = True
    return connection


def _answers(socket: Path) -> bool:
    try:
        _connect({"host": str(socket), "port": "5432", "user": SUPERUSER, "dbname": "postgres"}).close()
    except psycopg2.OperationalError:
        return False
    return True


def _run(account: Account, *command: Path | str | int) -> None:
    """Runs a program of PostgreSQL as the server's account; raises ServerDidNotStart with what it said."""
    name = Path(str(command[0])).name
    # not a pipe, which would stay open in the server
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        try:
            done = subprocess.run(
                [str(part) for part in command],
                stdout=said,
                stderr=subprocess.STDOUT,
                check=False,
                timeout=_START_SECONDS_MAX + 30,
                **account.process(),
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ServerDidNotStart(
                f"{command[0]} could not be run as the account {account.name} ({error}): see that this account may "
                "read and execute the installed program, for example by installing it with umask 022"
            ) from error
        said.seek(0)
        message = said.read(4000).strip()
    if done.returncode != 0:
        raise ServerDidNotStart(f"{name} failed (code {done.returncode}): {message or 'it gave no reason'}")


def _pid_file(folder: DataFolder) -> list[str]:
    return (_text_or_none(folder.postgres / "postmaster.pid") or "").splitlines()


def _is_alive(pid: str) -> bool:
    if not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    state = _text_or_none(Path(f"/proc/{pid}/stat")) or ""
    return state.rpartition(")")[2][:2] != " Z"  # ended, and not yet collected by its parent


def _drawn_socket_folder(folder: DataFolder) -> Path | None:
    """The socket folder that postmaster.pid names, if it is one that we made under the temporary folder."""
    lines = _pid_file(folder)
    path = Path(lines[4]) if len(lines) > 4 and lines[4] else folder.socket
    if path == folder.socket or not path.name.startswith(_SOCKET_FOLDER_PREFIX):
        return None
    try:
        found = path.lstat()
    except OSError:
        return None
    owned = stat.S_ISDIR(found.st_mode) and found.st_uid == folder.postgres.stat().st_uid
    return path if owned else None


def _text_or_none(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
