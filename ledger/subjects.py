"""The subjects that there are: the one place to add one. It holds no logic of theirs."""

from functools import cache
from typing import Any

from ledger.access import deputies
from ledger.access import rules as access
from ledger.access.commands import (
    AccessRequestCommand,
    DataSubjectCommand,
    DeputyCommand,
    PermissionReviewCommand,
    SearchCommand,
)
from ledger.access.events import (
    AccessRequestEvent,
    DataSubjectEvent,
    DeputyEvent,
    PermissionsReviewed,
    PersonalDataSearched,
)
from ledger.audit import rules as audit
from ledger.audit.commands import AuditFindingCommand
from ledger.audit.events import AuditFindingEvent
from ledger.command import Command
from ledger.complaint import rules as complaint_rules
from ledger.complaint import state as complaint_state
from ledger.complaint.commands import ComplaintCommand
from ledger.complaint.events import ComplaintEvent
from ledger.complaint.together import counterpart
from ledger.customer import rules as customer_rules
from ledger.customer.commands import CustomerCommand
from ledger.customer.events import CustomerEvent
from ledger.customer.state import Customer
from ledger.improvement import action, indicator, risk, survey
from ledger.improvement.commands import ActionCommand, IndicatorCommand, ReviewCommand, RiskCommand, SurveyCommand
from ledger.improvement.events import ActionEvent, IndicatorEvent, ReviewEvent, RiskEvent, SurveyEvent
from ledger.interaction import rules as interaction_rules
from ledger.interaction.commands import InteractionCommand
from ledger.interaction.events import InteractionEvent
from ledger.interaction.state import Interaction
from ledger.leak import rules as leak_rules
from ledger.leak.commands import LeakCommand
from ledger.leak.events import LeakEvent
from ledger.policy import rules as policy_rules
from ledger.policy import state as policy_state
from ledger.policy.built_in import policies_stream
from ledger.policy.commands import PolicyCommand
from ledger.policy.events import PolicyEvent
from ledger.returns import rules as return_rules
from ledger.returns.commands import ReturnCommand
from ledger.returns.events import ReturnEvent
from ledger.subject import Subject, by_time
from ledger.tables import rules as tables_rules
from ledger.tables import state as tables_state
from ledger.tables.built_in import tables_stream
from ledger.tables.commands import TablesCommand
from ledger.tables.events import TablesEvent

SUBJECTS: tuple[Subject[Any], ...] = (
    Subject(
        name="complaint",
        commands=ComplaintCommand,
        events=ComplaintEvent,
        stream=lambda command, _: command.complaint_id,
        nothing=complaint_state.Complaint(),
        evolve=complaint_state.evolve,
        fold=complaint_state.fold,
        decide=complaint_rules.decide,
        counterpart=counterpart,
    ),
    Subject(
        name="policies",
        commands=PolicyCommand,
        events=PolicyEvent,
        derived=True,
        stream=lambda _, book: policies_stream(book),
        nothing=policy_state.Policies(),
        evolve=policy_state.evolve,
        decide=by_time(policy_rules.decide),
    ),
    Subject(
        name="tables",
        commands=TablesCommand,
        events=TablesEvent,
        derived=True,
        stream=lambda _, book: tables_stream(book),
        nothing=tables_state.Tables(),
        evolve=tables_state.evolve,
        decide=by_time(tables_rules.decide),
    ),
    Subject(
        name="customer",
        commands=CustomerCommand,
        events=CustomerEvent,
        stream=lambda command, _: command.customer_id,
        nothing=Customer(),
        evolve=customer_rules.evolve,
        decide=customer_rules.decide,
    ),
    Subject(
        name="interaction",
        commands=InteractionCommand,
        events=InteractionEvent,
        stream=lambda command, _: command.interaction_id,
        nothing=Interaction(),
        evolve=interaction_rules.evolve,
        decide=interaction_rules.decide,
    ),
    Subject(
        name="indicator",
        commands=IndicatorCommand,
        events=IndicatorEvent,
        stream=lambda command, _: command.indicator_id,
        nothing=indicator.Indicator(),
        evolve=indicator.evolve,
        decide=indicator.decide,
    ),
    Subject(
        name="survey",
        commands=SurveyCommand,
        events=SurveyEvent,
        stream=lambda command, _: command.survey_id,
        nothing=survey.Survey(),
        evolve=survey.evolve,
        decide=survey.decide,
    ),
    Subject(
        name="review",
        commands=ReviewCommand,
        events=ReviewEvent,
        stream=lambda command, _: command.review_id,
        nothing=survey.Review(),
        evolve=survey.evolve_review,
        decide=survey.decide_review,
    ),
    Subject(
        name="risk",
        commands=RiskCommand,
        events=RiskEvent,
        stream=lambda command, _: command.risk_id,
        nothing=risk.Risk(),
        evolve=risk.evolve,
        decide=risk.decide,
    ),
    Subject(
        name="action",
        commands=ActionCommand,
        events=ActionEvent,
        stream=lambda command, _: command.action_id,
        nothing=action.Action(),
        evolve=action.evolve,
        decide=action.decide,
    ),
    Subject(
        name="finding",
        commands=AuditFindingCommand,
        events=AuditFindingEvent,
        stream=lambda command, _: command.finding_id,
        nothing=audit.Finding(),
        evolve=audit.evolve,
        decide=audit.decide,
    ),
    Subject(
        name="leak",
        commands=LeakCommand,
        events=LeakEvent,
        stream=lambda command, _: command.leak_id,
        nothing=leak_rules.Leak(),
        evolve=leak_rules.evolve,
        decide=leak_rules.decide,
    ),
    Subject(
        name="return",
        commands=ReturnCommand,
        events=ReturnEvent,
        derived=True,
        stream=lambda command, _: command.return_id,
        nothing=return_rules.Return(),
        evolve=return_rules.evolve,
        decide=by_time(return_rules.decide),
    ),
    Subject(
        name="access-request",
        commands=AccessRequestCommand,
        events=AccessRequestEvent,
        stream=lambda command, _: command.request_id,
        nothing=access.AccessRequest(),
        evolve=access.evolve_request,
        decide=access.decide_request,
    ),
    Subject(
        name="data-subject",
        commands=DataSubjectCommand,
        events=DataSubjectEvent,
        derived=True,
        stream=lambda command, book: access.subject_stream(book, command.subject_id),
        nothing=access.DataSubject(),
        evolve=access.evolve_subject,
        decide=access.decide_subject,
    ),
    Subject(
        name="search",
        commands=SearchCommand,
        events=PersonalDataSearched,
        stream=lambda command, _: command.search_id,
        nothing=access.Search(),
        evolve=access.evolve_search,
        decide=access.decide_search,
    ),
    Subject(
        name="permission-review",
        commands=PermissionReviewCommand,
        events=PermissionsReviewed,
        stream=lambda command, _: command.review_id,
        nothing=access.PermissionReview(),
        evolve=access.evolve_review,
        decide=access.decide_review,
    ),
    Subject(
        name="deputies",
        commands=DeputyCommand,
        events=DeputyEvent,
        derived=True,
        stream=lambda command, book: deputies.deputies_stream(book, command.person),
        nothing=deputies.Deputies(),
        evolve=deputies.evolve,
        decide=deputies.decide,
    ),
)


@cache
def subject_of(command: type[Command]) -> Subject[Any]:
    """The subject that a command is about."""
    (found,) = (subject for subject in SUBJECTS if issubclass(command, subject.commands))
    return found


def subject_named(name: str) -> Subject[Any]:
    """The subject of a name; raises StopIteration for a name that is none: a bug of the caller."""
    return next(subject for subject in SUBJECTS if subject.name == name)
