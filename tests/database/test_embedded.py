"""The embedded server: who gets in, what is touched, how it is shared, and what a crash leaves."""

import json
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest

from ledger.database import embedded
from ledger.database.faults import BinariesMissing, DatabaseUnavailable, DataFolderNotOurs, FolderOutOfReach
from ledger.database.folder import Account, DataFolder, server_account
from ledger.database.programs import wheel_binaries, within_reach
from ledger.database.roles import SUPERUSER, Role
from ledger.database.target import Database, open_database
from ledger.settings import Settings
from tests.database.acting import acting_as

CHECKOUT = Path(__file__).parents[2]
USE = """
import sys
from pathlib import Path
from ledger.database.target import open_database
from ledger.settings import Settings
from tests.database.acting import acting_as
with open_database(Settings(data=Path(sys.argv[1]))):
    print("in use", flush=True)
    sys.stdin.readline()
"""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another account")


def postmaster(data: Path) -> int:
    return int((data / "postgres/postmaster.pid").read_text().splitlines()[0])


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in {"Z", "X"}  # ended, whether or not its parent has noticed


def wait_until_gone(pid: int) -> None:
    until = time.monotonic() + 20
    while is_running(pid):
        assert time.monotonic() < until, "the process did not end"
        time.sleep(0.02)


@pytest.fixture
def start_user() -> Iterator[Callable[[Path], subprocess.Popen[str]]]:
    """Starts another process that uses the server of a data folder until it is told to stop."""
    started: list[subprocess.Popen[str]] = []

    def start(data: Path) -> subprocess.Popen[str]:
        user = subprocess.Popen(
            [sys.executable, "-c", USE, str(data)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        )
        started.append(user)
        return user

    yield start
    for user in started:
        if user.poll() is None:
            user.kill()
        user.communicate()


def await_use(user: subprocess.Popen[str]) -> None:
    assert user.stdout is not None
    assert user.stdout.readline() == "in use\n"


class TestWhoGetsIn:
    def test_no_line_trusts_anybody(self, database: Database, settings: Settings) -> None:
        lines = (settings.data / "config/pg_hba.conf").read_text().splitlines()
        assert [line for line in lines if not line.startswith("#")] == ["local all all peer map=ledger"]
        assert database.is_embedded
        for spare in settings.data.glob("postgres/*.conf"):
            rules = [line for line in spare.read_text().splitlines() if not line.startswith("#")]
            assert not any("trust" in rule for rule in rules), f"{spare.name} would trust if it were read"

    def test_the_server_reads_these_rules_and_no_port_is_open(self, database: Database, settings: Settings) -> None:
        with database.connect(Role.OWNER) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('listen_addresses'), current_setting('fsync')")
            assert cursor.fetchone() == ("", "on")
        with psycopg2.connect(**server_dsn(settings)) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT type, database, user_name, auth_method, options, error FROM pg_hba_file_rules")
            assert cursor.fetchall() == [("local", ["all"], ["all"], "peer", ["map=ledger"], None)]
            cursor.execute("SELECT DISTINCT sys_name FROM pg_ident_file_mappings")
            assert cursor.fetchall() == [(pwd.getpwuid(os.geteuid()).pw_name,)]

    def test_whom_an_operator_lets_in_stays_let_in(self, database: Database, settings: Settings) -> None:
        assert database.is_embedded
        file = settings.data / "config/pg_ident.conf"
        ours = file.read_text()
        added = ours + 'ledger "nobody" ledger_publisher_nfra\n'
        file.write_text(added)
        try:
            with open_database(settings):
                assert file.read_text() == added, "as at every start"
        finally:
            file.write_text(ours)

    @as_root
    @pytest.mark.parametrize("account", ["nobody", "postgres", "daemon"])
    @pytest.mark.parametrize("role", [SUPERUSER, Role.OWNER, Role.APPLICATION])
    def test_another_local_account_does_not_get_in(
        self, database: Database, settings: Settings, account: str, role: str
    ) -> None:
        try:
            entry = pwd.getpwnam(account)
        except KeyError:
            pytest.skip(f"this system has no account {account}")
        assert database._server is not None
        psql = database._server.binaries / "psql"
        command = [
            psql,
            "-w",
            "-h",
            settings.data / "socket",
            "-p",
            "5432",
            "-U",
            role,
            "-d",
            "ledger",
            "-c",
            "SELECT 1",
        ]
        tried = subprocess.run(
            command, check=False, capture_output=True, text=True, user=entry.pw_uid, group=entry.pw_gid, extra_groups=[]
        )
        assert tried.returncode == 2
        assert "Permission denied" in tried.stderr or "Peer authentication failed" in tried.stderr

    @as_root
    def test_what_the_server_keeps_is_closed_to_others(self, settings: Settings) -> None:
        assert settings.data.stat().st_mode & 0o777 == 0o711
        for name in ("postgres", "socket", "log"):
            found = (settings.data / name).stat()
            assert stat.S_IMODE(found.st_mode) == 0o700, name
            assert found.st_uid != 0, "the server's account owns what it writes"
        for log in (settings.data / "log").iterdir():
            assert stat.S_IMODE(log.stat().st_mode) == 0o600, log.name
        for rules in (settings.data / "config").iterdir():
            assert rules.stat().st_uid == 0, "the server's account does not decide who gets in"

    def test_nothing_but_the_roles_can_log_in(self, database: Database) -> None:
        with database.connect(Role.AUDITOR) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT rolname, rolsuper FROM pg_roles WHERE rolcanlogin ORDER BY rolname")
            logins = cursor.fetchall()
        # doors that other tests opened on this server have a login each, of no power
        doors = [(name, rules) for name, rules in logins if name.startswith(f"{Role.PUBLISHER.value}_")]
        assert not any(rules for _, rules in doors)
        assert [each for each in logins if each not in doors] == sorted(
            [*((role.value, False) for role in Role), (SUPERUSER, True)]
        )

    def test_a_connection_is_the_role_it_asked_for(self, database: Database) -> None:
        for role in Role:
            with acting_as(database, role) as connection, connection.cursor() as cursor:
                cursor.execute(
                    "SELECT current_user, current_setting('TimeZone'), current_setting('transaction_isolation'),"
                    " current_setting('statement_timeout'), current_setting('application_name')"
                )
                assert cursor.fetchone() == (role, "UTC", "read committed", "1min", "complaint-ledger")


class TestWhatIsLogged:
    def test_no_value_of_a_failed_statement_reaches_the_log(self, database: Database, settings: Settings) -> None:
        secret = "Wang-Xiaoming-13800138000"
        connection = database.connect(Role.OWNER)
        with connection.cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE kept (name text CONSTRAINT name_is_short CHECK (length(name) < 5))")
            for statement in ("INSERT INTO kept VALUES (%s)", "SELECT 1 / (length(%s) - length(%s))"):
                cursor.execute("SAVEPOINT before")
                with pytest.raises(psycopg2.Error):
                    cursor.execute(statement, (secret,) * statement.count("%s"))
                cursor.execute("ROLLBACK TO before")
        connection.close()
        until = time.monotonic() + 20
        while "division by zero" not in (logs := "".join(log.read_text() for log in (settings.data / "log").iterdir())):
            assert time.monotonic() < until, "the error itself is logged"
            time.sleep(0.05)
        assert "name_is_short" in logs
        assert secret not in logs


class TestTheFolder:
    def test_a_folder_of_something_else_is_refused_and_left_alone(self, folder: Path) -> None:
        (folder / "thesis.txt").write_text("mine")
        before = folder.stat()
        with pytest.raises(DataFolderNotOurs, match="is not empty and is not a data folder"):
            embedded.enter(folder)
        assert [entry.name for entry in folder.iterdir()] == ["thesis.txt"]
        assert (folder.stat().st_mode, folder.stat().st_mtime_ns) == (before.st_mode, before.st_mtime_ns)

    def test_a_folder_that_everybody_writes_to_is_refused(self, folder: Path) -> None:
        (folder / "data").mkdir()
        (folder / "data").chmod(0o777)
        with pytest.raises(DataFolderNotOurs, match="every account may write"):
            embedded.enter(folder / "data")

    def test_no_mode_of_a_foreign_folder_changes(self, folder: Path) -> None:
        data = folder / "kept" / "data"
        data.mkdir(parents=True)
        data.chmod(0o755)
        foreign = [Path("/"), Path(folder.anchor, *folder.parts[1:2]), folder, data.parent, data]
        foreign += [wheel_binaries(), *wheel_binaries().parents]
        before = [(path.stat().st_mode, path.stat().st_uid, path.stat().st_gid) for path in foreign]
        embedded.enter(data).leave()
        assert [(path.stat().st_mode, path.stat().st_uid, path.stat().st_gid) for path in foreign] == before

    @as_root
    def test_a_parent_that_shuts_the_server_out_is_named(self, folder: Path) -> None:
        closed = folder / "closed"
        closed.mkdir(mode=0o700)
        with pytest.raises(FolderOutOfReach, match=rf"cannot enter {closed} .*--data DIR.*ordinary user"):
            embedded.enter(closed / "data")
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700

    @as_root
    def test_programs_of_somebody_else_out_of_reach_are_named(self, folder: Path) -> None:
        closed = folder / "closed"
        closed.mkdir(mode=0o700)
        with pytest.raises(FolderOutOfReach, match=f"cannot enter {closed}"):
            embedded.enter(folder / "data", binaries=closed)

    @as_root
    def test_the_wheels_programs_are_copied_to_where_the_server_reaches_them(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As when root installed the program in a folder of its own: its home, or a temporary folder."""
        site = folder / "closed" / "site-packages"
        site.mkdir(parents=True)
        (folder / "closed").chmod(0o700)
        wheel = wheel_binaries().parents[1]
        shutil.copytree(wheel / "pginstall18", site / wheel.name / "pginstall18", symlinks=True)
        shutil.copytree(wheel.with_name(wheel.name + ".libs"), site / (wheel.name + ".libs"))
        closed = site / wheel.name / "pginstall18" / "bin"
        monkeypatch.setattr("ledger.database.programs.wheel_binaries", lambda: closed)
        monkeypatch.setattr("ledger.database.embedded.wheel_binaries", lambda: closed)
        for _ in range(2):  # made once, and found again
            server = embedded.enter(folder / "data")
            assert server.binaries.is_relative_to(folder / "data/programs")
            answer(server)
            server.leave()
        assert (folder / "closed").stat().st_mode & 0o777 == 0o700

    def test_programs_within_reach_stay_where_they_are(self, database: Database, folder: Path) -> None:
        server = database._server
        assert server is not None
        assert within_reach(server.binaries, DataFolder(folder), server.account) == server.binaries

    def test_data_of_another_major_version_are_not_touched(self, folder: Path) -> None:
        embedded.enter(folder / "data").leave()
        older = wheel_binaries().parents[1] / "pginstall" / "bin"
        with pytest.raises(BinariesMissing, match="made by PostgreSQL 18"):
            embedded.enter(folder / "data", binaries=older)

    def test_a_crash_while_the_data_were_made_leaves_nothing_in_the_way(self, folder: Path) -> None:
        half = folder / "data" / "postgres.new"
        half.mkdir(parents=True)
        (half / "PG_VERSION").write_text("18\n")
        (folder / "data" / "complaint-ledger.json").write_text(json.dumps({"program": "complaint-ledger", "layout": 1}))
        (folder / "data").chmod(0o711)
        server = embedded.enter(folder / "data")
        assert not half.exists()
        server.leave()

    def test_a_path_too_long_for_a_socket(
        self, folder: Path, start_user: Callable[[Path], subprocess.Popen[str]]
    ) -> None:
        data = folder / ("a-name-with-many-letters-" * 4) / "data"
        server = embedded.enter(data)
        assert not (data / "socket").exists()
        assert stat.S_IMODE(server.socket.stat().st_mode) == 0o700
        await_use(start_user(data))  # finds the folder although it was drawn at random
        server.leave()
        assert server.socket.exists(), "the other process still uses it"

    def test_the_drawn_socket_folder_goes_with_the_server(self, folder: Path) -> None:
        server = embedded.enter(folder / "a,b 'c'" / "data")  # libpq would take a comma for a list of hosts
        assert server.socket.exists()
        server.leave()
        assert not server.socket.exists()

    @as_root
    def test_data_of_an_ordinary_account_stay_with_it(self) -> None:
        assert server_account(None, owner_of_data=65534).uid == 65534
        assert server_account(None, owner_of_data=None).uid != 0


class TestSharing:
    def test_the_last_one_stops_the_server(
        self, folder: Path, start_user: Callable[[Path], subprocess.Popen[str]]
    ) -> None:
        data = folder / "data"
        with open_database(Settings(data=data)):
            pid = postmaster(data)
            other = start_user(data)
            await_use(other)
            assert postmaster(data) == pid
        assert is_running(pid), "the other process still uses it"
        other.communicate("\n", timeout=20)
        assert other.returncode == 0
        assert not is_running(pid)

    def test_two_that_start_at_once_make_one_server(
        self, folder: Path, start_user: Callable[[Path], subprocess.Popen[str]]
    ) -> None:
        users = [start_user(folder / "data") for _ in range(3)]
        for user in users:
            await_use(user)
        pid = postmaster(folder / "data")
        for user in users:
            user.communicate("\n", timeout=20)
        assert [user.returncode for user in users] == [0, 0, 0]
        assert not is_running(pid)

    def test_a_killed_user_counts_no_more(
        self, folder: Path, start_user: Callable[[Path], subprocess.Popen[str]]
    ) -> None:
        data = folder / "data"
        user = start_user(data)
        await_use(user)
        pid = postmaster(data)
        user.kill()
        user.communicate()
        assert is_running(pid), "nobody was left to stop it"
        embedded.enter(data).leave()
        assert not is_running(pid)

    def test_closing_twice_is_closing_once(self, folder: Path) -> None:
        with open_database(Settings(data=folder / "data")) as database:
            database.close()
            assert not DataFolder(folder / "data").in_use()


class TestAfterACrash:
    def test_a_server_that_was_killed_is_started_again(self, folder: Path) -> None:
        data = folder / "data"
        embedded.enter(data)  # its descriptor is left open, like that of a process which hangs
        pid = postmaster(data)
        os.kill(pid, signal.SIGKILL)
        wait_until_gone(pid)
        server = embedded.enter(data)
        assert postmaster(data) != pid
        answer(server)
        server.leave()

    def test_a_number_that_went_to_another_process(self, folder: Path) -> None:
        data = folder / "data"
        embedded.enter(data).leave()
        left_over = [str(os.getpid()), str(data / "postgres"), "1", "5432", str(data / "socket"), "", "", "ready"]
        (data / "postgres/postmaster.pid").write_text("\n".join(left_over) + "\n")
        server = embedded.enter(data)
        answer(server)
        server.leave()

    def test_a_socket_that_was_left_behind(self, folder: Path) -> None:
        data = folder / "data"
        embedded.enter(data).leave()
        (data / "socket/.s.PGSQL.5432").touch()
        server = embedded.enter(data)
        answer(server)
        server.leave()


class TestWhatIsSaid:
    def test_a_server_that_cannot_start_says_why(self, folder: Path) -> None:
        data = folder / "data"
        embedded.enter(data).leave()
        (data / "postgres/postgresql.auto.conf").write_text("shared_buffers = '1 cow'\n")
        with pytest.raises(DatabaseUnavailable, match="shared_buffers"):
            embedded.enter(data)
        assert not DataFolder(data).in_use()

    def test_an_account_without_a_name(self) -> None:
        with pytest.raises(DatabaseUnavailable, match="no account with the number"):
            Account.of_uid(2**31 - 7)


def server_dsn(settings: Settings) -> dict[str, str]:
    return {"host": str(settings.data / "socket"), "port": "5432", "user": SUPERUSER, "dbname": "postgres"}


def answer(server: embedded.Server) -> None:
    connection = psycopg2.connect(**server.dsn(Role.APPLICATION))
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)
    connection.close()
