"""Where the commands about customers, interactions, improvement and leaks are posted. Nothing here serves a request."""

from http import HTTPStatus
from typing import NamedTuple

from ledger.audit import commands as audit
from ledger.command import Command
from ledger.customer import commands as customer
from ledger.improvement import commands as improve
from ledger.interaction import commands as interaction
from ledger.leak import commands as leak


class Posted(NamedTuple):
    """A line of the table: as `api.recording.CommandRoute`."""

    path: str
    command: type[Command]
    decides: bool = False
    status: HTTPStatus = HTTPStatus.OK


CREATED = HTTPStatus.CREATED
CUSTOMER = "/customers/{customer_id}"
INTERACTION = "/interactions/{interaction_id}"
INDICATOR = "/indicators/{indicator_id}"
WARNING = f"{INDICATOR}/warnings/{{warning_id}}"
SURVEY = "/surveys/{survey_id}"
REVIEW = "/reviews/{review_id}"
RISK = "/risks/{risk_id}"
ACTION = "/actions/{action_id}"
LEAK = "/leaks/{leak_id}"
FINDING = "/audit-findings/{finding_id}"

POSTED = (
    Posted("/customers", customer.RegisterCustomer, status=CREATED),
    Posted(f"{CUSTOMER}/details", customer.ChangeDetails),
    Posted(f"{CUSTOMER}/tier", customer.SetTier, decides=True),
    Posted(f"{CUSTOMER}/vulnerabilities", customer.NoteVulnerability),
    Posted(f"{CUSTOMER}/vulnerabilities/end", customer.EndVulnerability),
    Posted(f"{CUSTOMER}/merger", customer.MergeCustomer, decides=True),
    Posted(f"{CUSTOMER}/split", customer.SplitCustomer, decides=True),
    Posted(f"{CUSTOMER}/ruled-out-duplicates", customer.RuleOutDuplicate),
    Posted(f"{CUSTOMER}/consents", customer.GiveConsent),
    Posted(f"{CUSTOMER}/consents/{{consent_id}}/withdrawal", customer.WithdrawConsent),
    Posted(f"{CUSTOMER}/data-shares", customer.ShareData),
    Posted(f"{CUSTOMER}/annulments", customer.AnnulCustomerFact, decides=True),
    Posted("/interactions", interaction.RecordInteraction, status=CREATED),
    Posted(f"{INTERACTION}/assignment", interaction.AssignInteraction),
    Posted(f"{INTERACTION}/findings", interaction.LookInto),
    Posted(f"{INTERACTION}/measures", interaction.DealWith),
    Posted(f"{INTERACTION}/answer", interaction.AnswerInteraction),
    Posted(f"{INTERACTION}/review", interaction.ReviewInteraction),
    Posted(f"{INTERACTION}/rating", interaction.RateInteraction),
    Posted(f"{INTERACTION}/survey-answer", interaction.AnswerSurvey),
    Posted(f"{INTERACTION}/promised-call-back", interaction.PromiseCallBack),
    Posted(f"{INTERACTION}/call-back", interaction.MakeCallBack),
    Posted(f"{INTERACTION}/complaint", interaction.TurnIntoComplaint),
    Posted(f"{INTERACTION}/annulments", interaction.AnnulInteractionFact, decides=True),
    Posted("/indicators", improve.DefineIndicator, status=CREATED),
    Posted(f"{INDICATOR}/thresholds", improve.SetThresholds, decides=True),
    Posted(f"{INDICATOR}/measurements", improve.MeasureIndicator),
    Posted(f"{INDICATOR}/warnings", improve.RaiseWarning),
    Posted(f"{WARNING}/acknowledgement", improve.AcknowledgeWarning),
    Posted(f"{WARNING}/mitigation", improve.MitigateWarning),
    Posted(f"{WARNING}/lifting", improve.LiftWarning),
    Posted(f"{INDICATOR}/annulments", improve.AnnulIndicatorFact, decides=True),
    Posted("/surveys", improve.OpenSurvey, status=CREATED),
    Posted(f"{SURVEY}/conclusion", improve.ConcludeSurvey, decides=True),
    Posted(f"{SURVEY}/reports", improve.ReportSurvey),
    Posted(f"{SURVEY}/annulments", improve.AnnulSurveyFact, decides=True),
    Posted("/reviews", improve.HoldReview, status=CREATED),
    Posted(f"{REVIEW}/reports", improve.ReportReview),
    Posted(f"{REVIEW}/annulments", improve.AnnulReviewFact, decides=True),
    Posted("/risks", improve.ReportRisk, status=CREATED),
    Posted(f"{RISK}/assessment", improve.ReassessRisk, decides=True),
    Posted(f"{RISK}/treatments", improve.TreatRisk),
    Posted(f"{RISK}/closing", improve.CloseRisk, decides=True),
    Posted(f"{RISK}/annulments", improve.AnnulRiskFact, decides=True),
    Posted("/actions", improve.OpenAction, status=CREATED),
    Posted(f"{ACTION}/progress", improve.NoteProgress),
    Posted(f"{ACTION}/owner", improve.HandOverAction, decides=True),
    Posted(f"{ACTION}/postponement", improve.PostponeAction, decides=True),
    Posted(f"{ACTION}/completion", improve.CompleteAction),
    Posted(f"{ACTION}/effect", improve.MeasureEffect),
    Posted(f"{ACTION}/closing", improve.CloseAction, decides=True),
    Posted(f"{ACTION}/reopening", improve.ReopenAction, decides=True),
    Posted(f"{ACTION}/annulments", improve.AnnulActionFact, decides=True),
    Posted("/leaks", leak.ReportLeak, status=CREATED),
    Posted(f"{LEAK}/isolation", leak.IsolateLeak),
    Posted(f"{LEAK}/investigation", leak.InvestigateLeak),
    Posted(f"{LEAK}/responsible", leak.NameResponsible),
    Posted(f"{LEAK}/customers-told", leak.TellAffectedCustomers),
    Posted(f"{LEAK}/customers-protected", leak.ProtectAffectedCustomers),
    Posted(f"{LEAK}/regulators-told", leak.TellRegulator),
    Posted(f"{LEAK}/regulator-not-told", leak.DecideNotToTellRegulator),
    Posted(f"{LEAK}/review", leak.ReviewLeak),
    Posted(f"{LEAK}/closing", leak.CloseLeak, decides=True),
    Posted(f"{LEAK}/annulments", leak.AnnulLeakFact, decides=True),
    Posted("/audit-findings", audit.ReportAuditFinding, status=CREATED),
    Posted(f"{FINDING}/actions", audit.ActOnAuditFinding),
    Posted(f"{FINDING}/closing", audit.CloseAuditFinding, decides=True),
    Posted(f"{FINDING}/annulments", audit.AnnulAuditFindingFact, decides=True),
)
"""Each subject's commands in the order of its life."""
