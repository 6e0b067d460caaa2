"""Opens the vault's values as part of a verification, each against its digest, and shows none of them."""

from collections.abc import Iterable
from uuid import UUID

from ledger.record.problems import Found, Kind
from ledger.record.values import Where, erased_by_record
from ledger.record.vault_row import Value, uuids
from ledger.vault.keys import SubjectKeys
from ledger.vault.sealing import DisclosureBroken, opened_with

NO_EVENT = "after a restore the service's next start records it; otherwise find out who took the key away"


def open_all(where: Where, values: Iterable[Value], keys: SubjectKeys, found: Found) -> int:
    """Opens what there is a key for; the number of those. A key may be gone by an erasure that the record tells of alone."""
    opened = 0
    values = list(values)
    subjects = uuids(value.subject_id for value in values)
    held = keys.held(subjects.values())
    missing = set(subjects.values()) - held.keys()
    erased = erased_by_record(where, missing) if missing else set()
    destroyed = keys.erased(missing - erased)
    for value in values:
        subject_id = subjects[value.subject_id]
        if subject_id in held:
            _open(value, subject_id, held[subject_id], found)
            opened += 1
        elif subject_id in destroyed:
            says = f"the key of the data subject of {value.path} was destroyed, and no event says so: {NO_EVENT}"
            found.add(value.position, Kind.VALUE, says)
        elif subject_id not in erased:
            found.add(value.position, Kind.VALUE, f"there is no key for the data subject of {value.path}")
    return opened


def _open(value: Value, subject_id: UUID, key: bytes, found: Found) -> None:
    try:
        opened = opened_with(key, value.ciphertext, value.digest, subject_id)
    except DisclosureBroken as error:
        found.add(value.position, Kind.VALUE, f"{value.path}: {error}")
        return
    if opened.path != value.path:
        found.add(value.position, Kind.VALUE, f"the value of {value.path} was recorded as {opened.path}")
