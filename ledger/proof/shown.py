"""What a receiver outside may see of the complaints in a bundle: values with their salts, and files. Decides no right.

The vault's service decides, and has recorded each look before anything of it is given out.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, cast
from uuid import UUID

from ledger.access.rules import AccessRequest, DataSubject, subject_stream
from ledger.application import Ledger
from ledger.complaint.events import EvidenceProvided
from ledger.evidence.refusals import FileErased, NoSuchFile
from ledger.evidence.store import EvidenceStore
from ledger.proof.bundle import ATTACHED_BYTES_MAX, Attached, Shown, TooMuchAttached
from ledger.record.envelope import opened
from ledger.record.reading import StoredRow
from ledger.vault.service import Look, Vault


class Receiver(NamedTuple):
    """Who receives, what for, by which granted requests (each is for one complaint), and who hands it out where that is another."""

    name: str
    purpose: str
    request_ids: tuple[UUID, ...] = ()
    handed_out_by: str | None = None


def shown_to(
    ledger: Ledger, vault: Vault, store: EvidenceStore, receiver: Receiver, rows: Sequence[StoredRow], as_of: int
) -> Shown:
    """The values and files of these complaints' events that the receiver may see. Nothing is refused: it is left out.

    Costs a look, and so a commit, for each data subject and each file; a file's when it is its turn, so the store has to
    stay open until then. Raises TooMuchAttached before any look is recorded.
    """
    provided = [(row, fact) for row in rows if isinstance(fact := opened(row).event, EvidenceProvided)]
    if sum(fact.size_bytes or 0 for _, fact in provided) > ATTACHED_BYTES_MAX:
        raise TooMuchAttached
    requests = _by_complaint(ledger, receiver)
    looks = {
        stream: Look(stream, receiver.purpose, (), requests.get(stream), as_of)
        for stream in dict.fromkeys(row.stream_id for row in rows)
    }
    values: dict[int, list[str]] = {}
    for look in looks.values():
        for each in vault.disclose(look, receiver.name, receiver.handed_out_by):
            values.setdefault(each.position, []).append(each.disclosure)
    return Shown(values, _attached(ledger, vault, store, receiver, provided, looks))


def _by_complaint(ledger: Ledger, receiver: Receiver) -> dict[UUID, UUID]:
    """The request that is about each complaint; one that nobody has made is about none."""
    states = {each: cast("AccessRequest", ledger.state("access-request", each)[0]) for each in receiver.request_ids}
    return {state.requested.complaint_id: each for each, state in states.items() if state.requested is not None}


def _is_erased(ledger: Ledger, subject_id: UUID) -> bool:
    """Whether the record says so; costs one read of the subject's stream."""
    state, _ = ledger.state("data-subject", subject_stream(ledger.id, subject_id))
    return cast("DataSubject", state).erased_at is not None


def _attached(
    ledger: Ledger,
    vault: Vault,
    store: EvidenceStore,
    receiver: Receiver,
    provided: Sequence[tuple[StoredRow, EvidenceProvided]],
    looks: Mapping[UUID, Look],
) -> Iterator[Attached]:
    for row, fact in provided:
        if fact.file_id is None:
            continue
        try:
            whole = store.find(row.stream_id, fact.file_id)
            position = vault.see_file(looks[row.stream_id], whole.file, receiver.name, receiver.handed_out_by)
            if position is None:
                continue
            salt, pieces = store.open(whole, position)
        except (NoSuchFile, FileErased):
            if not _is_erased(ledger, fact.customer_id):
                raise  # lost, and nothing says why: `complaint-ledger verify` names it
            continue  # erased with its data subject: the event's digest stands
        yield Attached(row.position, fact.file_id, salt, whole.file.size_bytes, pieces)
