"""What the rules of audit findings allow, refuse, and when they stay quiet."""

from ledger.audit import commands as c
from ledger.audit import events as e
from ledger.audit import rules as r
from ledger.complaint.refusals import ApproverIsAuthor, LaterFactsStandOnIt, OutOfOrder
from ledger.standing import AlreadyBegun, SubjectNotFound
from tests.parties.telling import ANOTHER, ask, at, given, nothing

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
    acted.when(ask(ACT, action_ids=[str(ANOTHER)])).then(e.AuditFindingActedOn, action_ids=(ANOTHER,))
    acted.when(ask(CLOSE, closed_by="HEAD.qian")).refused(r.ActedOnItHimself, acted_by="HEAD.qian")
    acted.when(ask(CLOSE, closed_at=at(14, 11))).refused(OutOfOrder)
    acted.when(ask(CLOSE)).then(e.AuditFindingClosed)
    closed = given(REPORT, ACT, CLOSE)
    assert closed.state.waits_for is None
    closed.when(ask(ACT, action_ids=[str(ANOTHER)])).refused(r.FindingIsClosed)


def test_what_was_wrong_is_annulled_by_two() -> None:
    acted = given(REPORT, ACT)
    acted.when(ask(c.AnnulAuditFindingFact)).then(e.AuditFindingFactAnnulled, annulled_version=2)
    acted.when(ask(c.AnnulAuditFindingFact, approved_by="handler.wang")).refused(ApproverIsAuthor)
    given(REPORT, ACT, CLOSE).when(ask(c.AnnulAuditFindingFact)).refused(LaterFactsStandOnIt, later=(3,))
    assert given(REPORT, ACT, c.AnnulAuditFindingFact).state.action_ids == ()
