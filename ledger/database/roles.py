"""The roles of the database and how they come to be; what each may do is granted by the migrations."""

from enum import StrEnum

from psycopg2 import sql
from psycopg2.errors import DuplicateObject, InsufficientPrivilege, UniqueViolation
from psycopg2.extensions import connection as Connection

from ledger.database.faults import RoleNotGranted

SUPERUSER = "ledger_superuser"
"""Of the embedded server only: makes the roles and the database, and is not used for anything else."""


class Role(StrEnum):
    """Whom a connection acts as."""

    OWNER = "ledger_owner"
    """Owns every schema, table and function; runs the migrations and makes books."""
    APPLICATION = "ledger_application"
    """Records commands: executes `ledger.append` and reads."""
    PROJECTOR = "ledger_projector"
    """Reads events and writes the tables of the projections."""
    AUDITOR = "ledger_auditor"
    """Reads events, entries and proofs, and writes nothing."""
    PUBLISHER = "ledger_publisher"
    """Reads the projections that regulators receive."""
    VAULT = "ledger_vault"
    """Reads sealed personal values."""


def ensure_roles(administrator: Connection, *, may_log_in: bool) -> list[Role]:
    """Makes the roles that are missing, and lets the owner make schemas in this database; returns those made.

    `may_log_in` is for the embedded server, where a role logs in through the private socket and has no
    password. On a server of somebody else a role cannot log in: the program's login is granted the
    right to act as it. Safe when several processes do it at once. Raises RoleNotGranted with the
    statements that an administrator has to run when the login may not do it.
    """
    made = [role for role in Role if _make(administrator, role, may_log_in=may_log_in)]
    _let_owner_make_schemas(administrator)
    return made


def statements_for_an_administrator(login: str, database: str) -> str:
    """What a login needs, as statements that a database administrator can run."""
    lines = [f"CREATE ROLE {role} NOLOGIN; GRANT {role} TO {login};" for role in Role]
    return "\n".join([*lines, f"GRANT CREATE ON DATABASE {database} TO {Role.OWNER};"])


def _make(administrator: Connection, role: Role, *, may_log_in: bool) -> bool:
    with administrator.cursor() as cursor:
        cursor.execute("SELECT FROM pg_catalog.pg_roles WHERE rolname = %s", (role,))
        if cursor.fetchone() is not None:
            return False
        login = sql.SQL("LOGIN" if may_log_in else "NOLOGIN")
        try:
            cursor.execute(
                sql.SQL("CREATE ROLE {} {} NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS").format(
                    sql.Identifier(role), login
                )
            )
            if not may_log_in:
                cursor.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(role)))
        except (DuplicateObject, UniqueViolation):
            return False  # another process was quicker
        except InsufficientPrivilege:
            raise _not_allowed(administrator, f"make the role {role}") from None
    return True


def _let_owner_make_schemas(administrator: Connection) -> None:
    if _owner_may_make_schemas(administrator):
        return
    name = sql.Identifier(administrator.info.dbname)
    grant = sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(name, sql.Identifier(Role.OWNER))
    try:
        with administrator.cursor() as cursor:
            cursor.execute(grant)
    except InsufficientPrivilege:
        raise _not_allowed(administrator, f"let {Role.OWNER} make schemas") from None
    if not _owner_may_make_schemas(administrator):  # PostgreSQL may only have warned
        raise _not_allowed(administrator, f"let {Role.OWNER} make schemas")


def _owner_may_make_schemas(administrator: Connection) -> bool:
    with administrator.cursor() as cursor:
        cursor.execute(
            "SELECT pg_catalog.has_database_privilege(%s, pg_catalog.current_database(), 'CREATE')", (Role.OWNER,)
        )
        return cursor.fetchone() == (True,)


def _not_allowed(administrator: Connection, what: str) -> RoleNotGranted:
    login, database = administrator.info.user, administrator.info.dbname
    return RoleNotGranted(
        f"the login {login} may not {what}. Let an administrator of the server run this once:\n"
        + statements_for_an_administrator(login, database)
    )
