"""What the rules of audit findings allow, refuse, and when they stay quiet."""

from dataclasses import replace

from ledger.audit import commands as c
from ledger.audit import events as e
from ledger.audit import rules as r
from ledger.complaint.refusals import ApproverIsAuthor, LaterFactsStandOnIt, OutOfOrder
from ledger.standing import AlreadyBegun, SubjectNotFound
from tests.parties.telling import ACTIONS, ANOTHER, ask, at, given, nothing

REPORT, ACT, CLOSE = c.ReportAuditFinding, c.ActOnAuditFinding, c.CloseAuditFinding


def test_a_finding_is_reported_with_the_sample_that_it_was_drawn_in() -> None:
    nothing(REPORT).when(ask(REPORT)).then(e.AuditFindingReported, seed="audit 2025 Q4", sample_size=50)
    nothing(REPORT).when(ask(REPORT, seed=None, sample_size=None)).then(e.AuditFindingReported, seed=None)
    nothing(REPORT).when(ask(ACT)).refused(SubjectNotFound, subject="finding")
    given(REPORT).when(ask(REPORT, title="another")).refused(AlreadyBegun)
    assert given(REPORT).state.waits_for == "action"


def test_it_is_closed_by_an_action_and_by_somebody_else() -> None:
    given(REPORT).when(ask(CLOSE)).refused(r.FindingWithoutAction)
    acted = given(REPORT, ACT)
    assert acted.state.waits_for == "closing"
    acted.when(ask(ACT)).quiet()
    acted.when(ask(ACT, action_ids=[str(ANOTHER)])).refused(r.NoSuchAction, action_ids=[ANOTHER])
    (linked,) = ACTIONS.values()
    more = {**ACTIONS, ANOTHER: linked}
    acted.when(ask(ACT, action_ids=[str(ANOTHER)]), actions=more).then(e.AuditFindingActedOn, action_ids=(ANOTHER,))
    acted.when(ask(CLOSE, closed_by="HEAD.qian")).refused(r.ActedOnItHimself, acted_by="HEAD.qian")
    acted.when(ask(CLOSE, closed_at=at(14, 11))).refused(OutOfOrder)
    acted.when(ask(CLOSE)).then(e.AuditFindingClosed)
    closed = given(REPORT, ACT, CLOSE)
    assert closed.state.waits_for is None
    closed.when(ask(ACT, action_ids=[str(ANOTHER)])).refused(r.FindingIsClosed)


def test_the_action_came_from_the_finding_and_its_owner_does_not_close_it() -> None:
    (action_id, linked), *_ = ACTIONS.items()
    other = {action_id: replace(linked, came_from=frozenset({ANOTHER}))}
    given(REPORT).when(ask(ACT), actions=other).refused(r.ActionOfSomethingElse, action_ids=[action_id])
    own = {action_id: replace(linked, came_from=frozenset({ask(ACT).finding_id}))}
    given(REPORT).when(ask(ACT), actions=own).then(e.AuditFindingActedOn)
    acted = given(REPORT, ACT)
    acted.when(ask(CLOSE, closed_by=linked.owner.upper())).refused(r.ActedOnItHimself, acted_by=linked.owner.upper())
    acted.when(ask(CLOSE), actions={}).refused(r.FindingWithoutAction)


def test_what_was_wrong_is_annulled_by_two() -> None:
    acted = given(REPORT, ACT)
    acted.when(ask(c.AnnulAuditFindingFact)).then(e.AuditFindingFactAnnulled, annulled_version=2)
    acted.when(ask(c.AnnulAuditFindingFact, approved_by="handler.wang")).refused(ApproverIsAuthor)
    given(REPORT, ACT, CLOSE).when(ask(c.AnnulAuditFindingFact)).refused(LaterFactsStandOnIt, later=(3,))
    assert given(REPORT, ACT, c.AnnulAuditFindingFact).state.action_ids == ()
