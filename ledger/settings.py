"""What an operator may set, read from the environment in one place; nothing here opens a file or connects."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

DATA_DEFAULT = Path("data")
BOOK_DEFAULT = "main"
AUDIENCE_DEFAULT = "complaint-ledger"
ROLES_CLAIM_DEFAULT = "roles"
PERSON_CLAIM_DEFAULT = "sub"
DOORS_HOUR_DEFAULT = "3"


@dataclass(frozen=True)
class Settings:
    """Where the program finds its database, its files and its keys.

    What may hold a secret is left out of the representation, so that it cannot reach a log by accident.
    """

    database_url: str | None = field(default=None, repr=False)
    """Any PostgreSQL >= 15 (LEDGER_DATABASE_URL); None is the embedded server under `data`."""
    data: Path = DATA_DEFAULT
    """The folder of the embedded server, its logs and the keys (LEDGER_DATA)."""
    book: str = BOOK_DEFAULT
    """The book that is spoken of where none is named (LEDGER_BOOK)."""
    server_account: str | None = None
    """As root only: the account that the embedded server runs under (LEDGER_SERVER_ACCOUNT)."""
    master_key: str | None = field(default=None, repr=False)
    """The key that wraps the data subjects' keys, 32 bytes in base64 or hex (LEDGER_MASTER_KEY); None takes the
    file `keys/master.key` under `data`, which is made when it is missing."""
    signing_key: str | None = field(default=None, repr=False)
    """The key that signs the book's checkpoints, PRIVATE+KEY+… (LEDGER_SIGNING_KEY); None takes the book's own file under
    `keys/checkpoints`, which is made when the book has none yet."""
    issuer: str | None = None
    """The OpenID Connect issuer whose tokens are believed beside our own (LEDGER_ISSUER), by its exact name."""
    audience: str = AUDIENCE_DEFAULT
    """What that issuer's tokens are to be meant for (LEDGER_AUDIENCE)."""
    roles_claim: str = ROLES_CLAIM_DEFAULT
    """Where in a token its roles stand, steps parted by dots (LEDGER_ROLES_CLAIM), as in `realm_access.roles`."""
    person_claim: str = PERSON_CLAIM_DEFAULT
    """Where in that issuer's tokens the staff number stands (LEDGER_PERSON_CLAIM), where `sub` is an address or the like."""
    witnesses: Path | None = None
    """The file that lists the book's witnesses and their quorum (LEDGER_WITNESSES); None asks nobody."""
    doors_hour: str = DOORS_HOUR_DEFAULT
    """At which hour of the institution's day `serve` brings the regulators' doors up (LEDGER_DOORS_HOUR), 0 to 23; `never`."""
    server_binaries: Path | None = None
    """The folder of `initdb` and `pg_ctl`; None takes those that were installed with the program."""

    @classmethod
    def from_environment(
        cls,
        database: str | None = None,
        data: str | Path | None = None,
        book: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> "Settings":
        """The settings of this process; what the command line names goes before the environment."""
        given = os.environ if environment is None else environment
        return cls(
            database_url=database or given.get("LEDGER_DATABASE_URL") or None,
            data=Path(data or given.get("LEDGER_DATA") or DATA_DEFAULT),
            book=book or given.get("LEDGER_BOOK") or BOOK_DEFAULT,
            server_account=given.get("LEDGER_SERVER_ACCOUNT") or None,
            master_key=given.get("LEDGER_MASTER_KEY") or None,
            signing_key=given.get("LEDGER_SIGNING_KEY") or None,
            witnesses=Path(given.get("LEDGER_WITNESSES") or "") if given.get("LEDGER_WITNESSES") else None,
            issuer=given.get("LEDGER_ISSUER") or None,
            audience=given.get("LEDGER_AUDIENCE") or AUDIENCE_DEFAULT,
            roles_claim=given.get("LEDGER_ROLES_CLAIM") or ROLES_CLAIM_DEFAULT,
            person_claim=given.get("LEDGER_PERSON_CLAIM") or PERSON_CLAIM_DEFAULT,
            doors_hour=given.get("LEDGER_DOORS_HOUR") or DOORS_HOUR_DEFAULT,
        )

    @property
    def keys(self) -> Path:
        """The folder of the keys: apart from the database, so that a backup of one is not a backup of both."""
        return self.data / "keys"
