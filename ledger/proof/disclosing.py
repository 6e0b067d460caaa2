"""The disclosure of one field in one file: the value with its salt, the event that has its digest, and the event's proof.

It packs. Whoever hands in the disclosure has checked the right to see it, and has recorded the look before
(`ledger.vault.service`). `verifier.py` checks the file alone; without the salt nobody tells the value from its digest.
"""

import orjson
from psycopg2.extensions import connection as Connection

from ledger.proof.asking import prove
from ledger.record.reading import events_after
from ledger.vault.service import Disclosed

FORMAT = "complaint-ledger/disclosure/v1"


def disclosure_file(connection: Connection, book: str, disclosed: Disclosed) -> bytes:
    """The file, as JSON; a checkpoint that covers the event is there, else NoSuchCheckpoint. Costs one proof.

    The event is in it as it is stored, because its entry holds a hash of the whole: what is personal in it stands there as
    digests. The same disclosure under the same checkpoint gives the same bytes.
    """
    proven = prove(connection, book, disclosed.position)
    (row,) = events_after(connection, book, disclosed.position - 1, 1)
    document = {
        "format": FORMAT,
        "position": disclosed.position,
        "path": disclosed.path,
        "disclosure": disclosed.disclosure,
        "state": row.state.decode(),
        "entry": proven.entry.decode(),
        "proof": proven.proof.written().decode(),
    }
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2) + b"\n"
