"""Which personal values of a complaint are in force, and what a correction or an annulment put out of force. Opens no value."""

from collections.abc import Sequence
from typing import NamedTuple

from ledger.complaint.events import AmendmentProposed, FactAnnulled, FactCorrected
from ledger.event import Event
from ledger.record.digests import Digest
from ledger.record.envelope import opened
from ledger.record.reading import StoredRow
from ledger.vault.sealing import digests_of


class Standing(NamedTuple):
    """`fields`: by digest, what its fact calls the field: `customer_name`, where a correction has `fact.customer_name`.

    `superseded_by`: by digest, the version of the correction or annulment since which it stands no more. The digest of a
    proposal that nobody approved is in neither: it was never in force.
    """

    fields: dict[str, str]
    superseded_by: dict[str, int]

    def is_called(self, held: Digest, name: str) -> bool:
        """Whether somebody who asks for a field by this name means that value, in force or not."""
        return name in (held.path, self.fields.get(held.digest))


def standing(rows: Sequence[StoredRow]) -> Standing:
    """Of the events of a complaint, all from its first on. As in `ledger.complaint.state.effective`, what comes after an
    annulment does nothing.
    """
    facts: dict[int, dict[str, str]] = {}
    fields: dict[str, str] = {}
    superseded_by: dict[str, int] = {}
    for row in rows:
        event = opened(row).event
        if isinstance(event, FactAnnulled):
            superseded_by |= dict.fromkeys(facts.pop(event.annulled_version, ()), row.version)
        elif isinstance(event, FactCorrected):
            if event.corrected_version in facts:
                superseded_by |= dict.fromkeys(facts[event.corrected_version], row.version)
                facts[event.corrected_version] = _fields(event.fact)
                fields |= facts[event.corrected_version]
        elif not isinstance(event, AmendmentProposed):
            facts[row.version] = _fields(event)
            fields |= facts[row.version]
    in_force = {digest for fact in facts.values() for digest in fact}
    return Standing(fields, {digest: by for digest, by in superseded_by.items() if digest not in in_force})


def _fields(fact: Event) -> dict[str, str]:
    return {digest: path for path, _, _, digest in digests_of(fact)}
