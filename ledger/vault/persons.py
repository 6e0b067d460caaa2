"""In whose files a person stands, as the vault knows it. It opens no value and records nothing."""

from uuid import UUID

from ledger.application import Ledger
from ledger.database.sql import queries
from ledger.vault.service import Vault

STREAMS_MAX = 10_000

_SQL = queries(__file__)


def streams_of(ledger: Ledger, vault: Vault, subject_id: UUID) -> list[UUID]:
    """The streams in which a data subject has values."""
    asked = {"book": ledger.book, "subject_id": str(subject_id), "most": STREAMS_MAX}
    with vault.connection() as connection, connection.cursor() as cursor:
        cursor.execute(_SQL["streams_of_subject"], asked)
        return [each for (each,) in cursor.fetchall()]
