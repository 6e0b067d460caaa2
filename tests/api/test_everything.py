"""One complaint that goes through everything, over HTTP, and its history as a person would tell it.

Urgent, major, of a group, transferred, extended, escalated, mediated, reopened, merged with a repeat, repaired, archived.
"""

from contextlib import closing
from typing import Any

import httpx

from api.command.telling import SENTENCES
from api.command.wording import Details
from ledger.complaint import commands as ask
from ledger.complaint import ending_commands as end
from ledger.complaint import handling_commands as handle
from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.tables.state import Tables
from projections import history
from tests.api.test_life import Complaint, received


def at(day_and_hour: str) -> str:
    """`09-26 10:15` in Shanghai, in the year of the examples."""
    day, hour = day_and_hour.split()
    return f"2025-{day}T{hour}:00+08:00"


def upload(complaint: Complaint, content: bytes) -> Any:
    taken = complaint.client.post(
        f"/complaints/{complaint.ids['complaint_id']}/files", content=content, headers={"Content-Type": "audio/wav"}
    )
    assert taken.status_code == 201, taken.text
    return taken.json()["file_id"]


def test_one_complaint_goes_through_everything(
    client: httpx.Client, database: Database, second_eyes: dict[str, str]
) -> None:
    it = Complaint(client)
    # received, for her by her daughter; it is urgent and grave, and many complain of the same
    it.record(ask.ReceiveComplaint)
    it.record(ask.RegisterComplaint)
    paper = it.record(
        ask.ProvideEvidence, kind="document", origin="customer", sha256=None, provided_at=at("09-26 10:25")
    ).json()["assigned"]["evidence_id"]
    it.record(handle.NameRepresentative, authorisation_evidence_id=paper)
    it.record(handle.NamePersonComplainedAbout)
    it.record(ask.ReceiveTransfer, received_at=at("09-26 11:00"))
    it.record(ask.SendFirstReply)
    it.record(ask.ClassifyComplaint, issue="wrongly-charged", product="credit-card")
    it.record(
        ask.GradeComplaint,
        grade="major",
        urgent=True,
        seriousness="grave",
        extent="many-customers",
        customer_state="agitated",
    )
    it.record(ask.RecogniseGroup, recognised_at=at("09-26 16:06"))
    assert "start-emergency" in to_do(it)
    it.record(handle.StartEmergency)
    for minute, step in enumerate(("risk-found", "risk-assessed", "decided", "measures-taken"), start=12):
        it.record(handle.TakeEmergencyStep, step=step, taken_at=at(f"09-26 16:{minute}"))
    it.record(handle.EndEmergency)
    # given out: not to whom it is about, and not to who stands aside
    refused = it.client.post(
        f"/complaints/{it.ids['complaint_id']}/assignment",
        json={**ASSIGNED, "assignee": "teller.qian"},
        headers={"If-Match": f'"{it.version}"'},
    )
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/conflict-of-interest")
    assert "teller.qian" in refused.json()["detail"]
    it.record(ask.AssignComplaint, assignee="handler.sun")
    it.record(handle.DeclareInterest, declared_at=at("09-26 16:40"))
    assert "reassign" in to_do(it)
    it.record(
        ask.AssignComplaint,
        assignee="handler.zhao",
        reason="孙某曾经办该业务，依规回避。",
        assigned_at=at("09-26 16:50"),
    )
    it.record(handle.FormInvestigationTeam)
    # looked into, with the help of others
    it.record(handle.MakePreliminaryCheck)
    it.record(ask.StartInvestigation)
    it.record(handle.RequestEvidence)
    it.record(handle.RequestAssistance)
    assert {"give-assistance", "obtain-evidence"} <= to_do(it)
    recording = upload(it, b"RIFF\x00\x00\x00\x00WAVE" + bytes(100_000))
    it.record(
        ask.ProvideEvidence,
        file_id=recording,
        evidence_request_id=it.ids["evidence_request_id"],
        origin="institution",
        sha256=None,
    )
    it.record(handle.GiveAssistance, evidence_ids=[it.ids["evidence_id"]])
    it.record(ask.MakeFinding)
    it.record(handle.FindRootCause)
    it.record(ask.CloseInvestigation)
    it.record(ask.ExtendDeadline, complainant_told_at=None, extended_at=at("09-28 16:30"), to_be_approved=True)
    assert "approve-amendment" in to_do(it)
    leave = {"approver_rank": "department-head", "complainant_told_at": at("09-28 17:00")}
    it.record(ask.ApproveAmendment, second_eyes, approved_at=at("09-28 16:40"), **leave)
    assert "approve-amendment" not in to_do(it)
    # they do not agree, so management decides
    it.record(ask.ProposeSolution)
    it.record(end.HoldNegotiation, proposal_id=it.ids["proposal_id"])
    it.record(ask.DeclineProposal)
    it.record(end.EscalateComplaint)
    it.record(end.DecideEscalation)
    it.record(end.ApproveCompensation, proposal_id=it.ids["proposal_id"])
    it.record(ask.ResolveComplaint, improvement="年费系统与减免登记每日核对。")
    it.record(end.ProvideCompensation)
    it.record(ask.SendReply)
    it.record(end.SendWrittenNotice, resolution_id=it.ids["resolution_id"])
    it.record(ask.RateSatisfaction, resolution_id=it.ids["resolution_id"], overall=2)
    # a repeat comes in, and she is not content
    repeat = received(client)
    it.record(end.TakeInRepeat, repeat_complaint_id=repeat.ids["complaint_id"], taken_in_at=at("09-30 09:05"))
    repeat.position = it.position  # one command, and it stands in both
    merged = repeat.get("/history").json()["lines"][-1]
    assert (merged["name"], merged["details"]["into_complaint_id"]) == ("complaint-merged", it.ids["complaint_id"])
    it.record(ask.CloseComplaint)
    it.record(ask.ReopenComplaint)
    it.record(end.OpenProceedings)
    it.record(end.EndProceedings)
    it.record(ask.ResolveComplaint, outcome="settled", resolved_at=at("10-10 11:00"))
    it.record(ask.SendReply, channel="letter", sent_at=at("10-10 14:00"))
    it.record(end.RepairRelationship)
    it.record(end.MakeFollowUpCall, resolution_id=it.ids["resolution_id"], called_at=at("10-10 16:00"))
    it.record(handle.ReviewEmergency, reviewed_at=at("10-10 16:30"))
    it.record(ask.CloseComplaint, closed_at=at("10-10 17:00"))
    it.record(end.ReviewHandling, reviewed_at=at("10-11 08:30"))
    assert to_do(it) == {"archive"}
    it.record(end.CheckCompleteness)
    it.record(end.ArchiveComplaint)
    assert to_do(it) == set()

    told = [
        f"{line.done_by or 'a machine'} {SENTENCES[line.name](Details(line.details, Tables()))}"
        for line in lines(it, database)
    ]
    told = [sentence.replace(repeat.ids["complaint_id"], "(the repeat)") for sentence in told]
    told = [sentence.replace(it.ids["reference"], "(its reference)") for sentence in told]
    assert told == TOLD


ASSIGNED = {
    "department": "信用卡中心 Credit Card Centre",
    "assigned_by": "supervisor.chen",
    "assigned_at": at("09-26 16:30"),
}


def to_do(it: Complaint) -> set[str]:
    """What the worklist says is to be done in it."""
    found: set[str] = set()
    for deed in (None, "archive"):
        asked = {"position": it.position, "limit": 500} | ({} if deed is None else {"to_do": deed})
        page = it.client.get("/worklist", params=asked).json()
        found |= {
            slug for task in page["tasks"] if task["complaint_id"] == it.ids["complaint_id"] for slug in task["to_do"]
        }
    return found


def lines(it: Complaint, database: Database) -> tuple[history.Line, ...]:
    """Its history, once the projection has come so far."""
    book = it.get("/history").json()["book"]
    with closing(database.connect(Role.APPLICATION, autocommit=True)) as connection:
        return history.of(connection, book, it.ids["complaint_id"], as_of=it.position).lines  # type: ignore[arg-type] - the text of an id is one


TOLD = [
    "registrar.li received the complaint by Phone 电话, CNY 300.00 in dispute",
    "registrar.li registered it as (its reference)",
    "handler.zhao put evidence on file: Document 书面材料",
    "registrar.li took note of who complains on the customer's behalf 代理投诉: Family 亲属, Written power of attorney 书面授权委托书",
    "registrar.li noted whom it is about 被投诉人: teller.qian, of 客户服务部",
    "registrar.li took it as transferred 转办 by People's Bank of China 中国人民银行",
    "handler.wang gave the first reply by Phone 电话 首次回复",
    "handler.wang classified it (house): Price 价格; Credit card 信用卡; Wrongly charged 乱收费",
    "handler.wang graded it Major 重大, urgent 紧急 (Grave 严重; Many customers 较多客户; Agitated 激动)",
    "supervisor.chen noted that 23 people complain together 群体投诉",
    "supervisor.chen started the emergency procedure 应急处理: Funds at risk 资金安全预案",
    "handler.wang found the risk 风险识别",
    "handler.wang assessed the risk 风险评估",
    "handler.wang decided what to do 应急决策",
    "handler.wang took the measures 应急处置",
    "supervisor.chen ended the emergency procedure",
    "supervisor.chen gave it to 信用卡中心 Credit Card Centre, to handler.sun",
    "handler.sun stands aside 回避: Dealt with the matter 经办过该业务",
    "supervisor.chen moved it to 信用卡中心 Credit Card Centre, to handler.zhao",
    "supervisor.chen formed an investigation team 专项调查组, led by handler.zhao, with auditor.feng, legal.xu",
    "handler.zhao made the preliminary check 初步调查: it is borne out",
    "handler.zhao started an investigation 调查, led by handler.zhao",
    "handler.zhao asked The institution 本机构 for evidence 调取证据, by 2025-09-29",
    "handler.zhao asked 信息技术部 for help 协助调查, of engineer.lu, by 2025-09-29",
    "handler.zhao put evidence on file: Audio or video recording 录音录像 (audio/wav, 100,012 bytes)",
    "engineer.lu answered the request for help",
    "handler.zhao made a finding: cause Internal process incomplete 内部流程不完善",
    "handler.zhao found the root cause 根本原因: System 系统, behind Internal process incomplete 内部流程不完善",
    "handler.zhao closed the investigation",
    "registrar.li proposed 申请更正 to extend 延长 decision of cbirc-2020-3 to 30 calendar-days, for somebody else to approve",
    "handler.zhao extended 延长 decision of cbirc-2020-3 to 30 calendar-days, by leave of supervisor.chen",
    "handler.zhao proposed a solution: Refund 退款 CNY 300.00",
    "handler.zhao negotiated with the customer 协商, Spoken 口头协商: no agreement yet",
    "handler.zhao noted that the customer declines the proposal",
    "handler.zhao escalated it 上报 to Management 公司领导",
    "director.he decided on the escalation: Approved with changes 修改后同意",
    "handler.zhao obtained a compensation 补偿: Refund 退款 CNY 300.00, approved by supervisor.chen (Supervisor 主管)",
    "handler.zhao decided 处理完毕: Upheld 支持",
    "handler.zhao provided the compensation (PAY-20250929-0031)",
    "handler.zhao told the customer the result by Phone 电话 回复",
    "handler.zhao set out the result in writing 书面告知 by Letter 信函, pointing out Mediation 申请调解, Turn to the regulator 向监管部门反映, Go to court 提起诉讼",
    "registrar.li asked: the customer rates the handling 2 of 5 (attitude 5)",
    "handler.wang took in the repeat 合并 (the repeat)",
    "handler.zhao closed the file 结案",
    "handler.wang reopened it 重新处理: new facts",
    "handler.zhao noted that the customer took it to Mediation by a third party 第三方调解, 上海市金融消费纠纷调解中心 (SHM-2025-117)",
    "handler.zhao noted how that ended: Agreement 达成协议, CNY 20.00",
    "handler.zhao decided 处理完毕: Settled 协商和解",
    "handler.zhao told the customer the result by Letter 信函 回复",
    "handler.zhao repaired the relationship 关系修复: Apology 道歉",
    "registrar.li called the customer back by Phone 电话 回访: he is content",
    "supervisor.chen looked back on the emergency procedure 事后评估",
    "handler.zhao closed the file 结案",
    "auditor.lin reviewed the handling 处理复核: Evidence missing 证据不全",
    "archivist.gao checked the file 归档检查: it is complete",
    "archivist.gao put the file into the archive 归档 as 2025-TS-0926-01",
]
