"""Which role may do what with which table and function: the one table, which the documentation prints.

The migrations grant; a test holds the catalogue of a migrated database against this table, both ways. Nothing here
grants anything.
"""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from psycopg2.extensions import connection as Connection

from ledger.database.roles import Role
from ledger.database.sql import queries

READERS = (Role.APPLICATION, Role.PROJECTOR, Role.AUDITOR)
SELECT = "SELECT"
EXECUTE = "EXECUTE"

Rights = Mapping[str, Mapping[Role, str]]

RIGHTS: Rights = MappingProxyType(
    {
        "ledger.book": dict.fromkeys(READERS, SELECT),
        "ledger.head": dict.fromkeys(READERS, SELECT),
        "ledger.event": dict.fromkeys(READERS, SELECT),
        "ledger.stream": dict.fromkeys(READERS, SELECT),
        "ledger.leaves": dict.fromkeys(READERS, SELECT),
        "ledger.checkpoint": dict.fromkeys(READERS, SELECT),
        "ledger.cosignature": dict.fromkeys(READERS, SELECT),
        "ledger.time_stamp": dict.fromkeys(READERS, SELECT),
        "ledger.tile": dict.fromkeys(READERS, SELECT),
        "ledger.tracking": {Role.APPLICATION: SELECT},
        "ledger.snapshot": {Role.APPLICATION: "INSERT, SELECT"},
        "ledger.book_access": dict.fromkeys((*READERS, Role.VAULT), SELECT),
        "ledger.request": {},
        "ledger.disclosure": {},
        "ledger.append": {Role.APPLICATION: EXECUTE},
        "ledger.requests_under": {Role.APPLICATION: EXECUTE},
        "ledger.claim_keys": {},
        "ledger.answers_page": {Role.AUDITOR: EXECUTE},
        "ledger.answered_size": {Role.AUDITOR: EXECUTE},
        "ledger.keep_checkpoint": {Role.APPLICATION: EXECUTE},
        "ledger.keep_cosignature": {Role.APPLICATION: EXECUTE},
        "ledger.keep_time_stamp": {Role.APPLICATION: EXECUTE},
        "ledger.build_tiles": {Role.APPLICATION: EXECUTE},
        "ledger.vault_told": {Role.AUDITOR: EXECUTE},
        "ledger.vault_page": {Role.AUDITOR: EXECUTE},
        "ledger.vault_values": {Role.AUDITOR: EXECUTE},
        "ledger.values_seen": {Role.VAULT: EXECUTE},
        "ledger.streams_of_subject": {Role.VAULT: EXECUTE},
        "ledger.keeps_values_of": {Role.APPLICATION: EXECUTE},
        "ledger.subjects_kept": {Role.VAULT: EXECUTE},
        "ledger.erasure": {},
        "ledger.erase_subject": {Role.VAULT: EXECUTE},
        "ledger.erasures": {Role.VAULT: EXECUTE},
        "ledger.erasures_begun": {Role.VAULT: EXECUTE},
        "ledger.evidence_file": {},
        "ledger.evidence_piece": {},
        "ledger.add_evidence_piece": {Role.APPLICATION: EXECUTE},
        "ledger.close_evidence_file": {Role.APPLICATION: EXECUTE},
        "ledger.evidence_file_of": dict.fromkeys((Role.APPLICATION, Role.AUDITOR, Role.VAULT), EXECUTE),
        "ledger.evidence_files_told": {Role.AUDITOR: EXECUTE},
        "ledger.evidence_piece_of": {Role.AUDITOR: EXECUTE},
        "ledger.evidence_piece_seen": {Role.VAULT: EXECUTE},
        "ledger.sweep_evidence_pieces": {Role.APPLICATION: EXECUTE},
        "ledger.caller": dict.fromkeys((*READERS, Role.VAULT), EXECUTE),
        "ledger.may_use": dict.fromkeys((*READERS, Role.VAULT), EXECUTE),
        "ledger.show_granted_books_only": {},
        "ledger.create_book": {},
        "ledger.refuse_change": {},
        "ledger.extended_edge": {},
        "ledger.root_of_edge": {},
        "ledger.blind_index": {},
        "ledger.index_subjects": {Role.APPLICATION: EXECUTE},
        "ledger.subjects_with": {Role.APPLICATION: EXECUTE},
        "ledger.subjects_alike": {Role.APPLICATION: EXECUTE},
        "ledger.forget_subject": {Role.APPLICATION: EXECUTE},
        "ledger.searchable": {},
        "ledger.index_words": {Role.APPLICATION: EXECUTE},
        "ledger.streams_saying": {Role.VAULT: EXECUTE},
        "projection.progress": {
            Role.APPLICATION: SELECT,
            Role.AUDITOR: SELECT,
            Role.PROJECTOR: "INSERT, SELECT, UPDATE",
        },
        "projection.schema_named": {Role.PROJECTOR: EXECUTE},
        "projection.schema_of": {Role.PROJECTOR: EXECUTE},
        "projection.open_schema": {Role.PROJECTOR: EXECUTE},
        "projection.seal_schema": {Role.PROJECTOR: EXECUTE},
        "projection.drop_schema": {Role.PROJECTOR: EXECUTE},
        "projection.swap_schemas": {Role.PROJECTOR: EXECUTE},
        "projection.analyze_tables": {Role.PROJECTOR: EXECUTE},
    }
)
"""Every table and function of the schemas `ledger` and `projection`, with the roles that may use it.

The owner's role owns all of them and is not listed. A projection's own tables lie in schemas of their own, their rows
written by the projector and read by application and auditor. The publisher may use nothing here.
"""

SCHEMAS = ("ledger", "projection")

_QUERIES = queries(__file__)


def granted(connection: Connection) -> Rights:
    """The same table as the database's catalogue has it; a role that is none of ours stands under its own name."""
    found: dict[str, dict[Role, str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_QUERIES["granted"], {"schemas": list(SCHEMAS), "owner": Role.OWNER})
        for thing, role, privileges in cursor.fetchall():
            rights = found.setdefault(thing, {})
            if role is not None:
                rights[role] = ", ".join(sorted(privileges))
    return found


def as_markdown(rights: Rights = RIGHTS) -> Iterator[str]:
    """The page of the documentation, line by line."""
    roles: Sequence[Role] = [role for role in Role if role is not Role.OWNER]
    yield "# Who may do what in the database"
    yield ""
    yield "Each role is `ledger_` and the word at the head of its column. `ledger_owner` owns all of it, runs the migrations"
    yield "and opens books. What a column leaves empty is refused; a test holds the catalogue of a real database against this"
    yield "table. Each role sees the books that stand beside it in `ledger.book_access`, and no others. Every login that may"
    yield "act as a role sees all that the role sees: one database is one trust domain, and books that must not see each other"
    yield "lie in databases of their own."
    yield ""
    yield "| table or function | " + " | ".join(role.removeprefix("ledger_") for role in roles) + " |"
    yield "| --- |" + " --- |" * len(roles)
    for thing, granted_to in rights.items():
        cells = [granted_to.get(role, "").lower() for role in roles]
        yield f"| `{thing}` |" + "".join(f" {cell} |" if cell else " |" for cell in cells)


if __name__ == "__main__":
    print("\n".join(as_markdown()))
