"""What can be wrong with the database as the program finds it, named, each with what to do; no refusal of a rule is here."""


class DatabaseUnavailable(Exception):
    """The database cannot be used now. The message says why and what to do, and holds no password and no value."""


class DataFolderNotOurs(DatabaseUnavailable):
    """The data folder exists and was not made by this program, or not for this account."""


class FolderOutOfReach(DatabaseUnavailable):
    """The account that the embedded server runs under cannot get to a folder that it needs."""


class ServerAccountMissing(DatabaseUnavailable):
    """Root runs the program and no unprivileged account was found to run the server under."""


class BinariesMissing(DatabaseUnavailable):
    """The programs of PostgreSQL were not found, or are of another major version than the data."""


class ServerDidNotStart(DatabaseUnavailable):
    """The embedded server was asked to start, or to answer, and did not."""


class ServerUnsuitable(DatabaseUnavailable):
    """The server is older than PostgreSQL 15, or its database is not UTF8."""


class RoleNotGranted(DatabaseUnavailable):
    """The login may not act as one of the ledger's roles, or the role does not exist yet."""


class DatabaseNewerThanProgram(DatabaseUnavailable):
    """The database has migrations that this version of the program does not know."""
