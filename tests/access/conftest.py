"""A book with one complaint full of personal values, its ledger and its vault; everything real."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from ledger.access.commands import ApproveErasure, RequestErasure
from ledger.application import Ledger
from ledger.complaint import commands as complaint
from ledger.database.target import Database
from ledger.vault.keys import SubjectKeys
from ledger.vault.service import Vault

NAME, PHONE, IDENTITY, ACCOUNT = "欧阳若兰", "13912345678", "320106199001011234", "6222020200112233445"
WORDS = "理财产品收益未达到预期，家住南京路八十八号。"
PERSONAL = (NAME, PHONE, IDENTITY, ACCOUNT, WORDS)


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[SubjectKeys]:
    with closing(SubjectKeys.open(tmp_path / "keys")) as opened:
        yield opened


@pytest.fixture
def ledger(database: Database, book: str, keys: SubjectKeys) -> Iterator[Ledger]:
    with closing(Ledger(database, book, keys)) as opened:
        yield opened


@pytest.fixture
def vault(ledger: Ledger, database: Database) -> Iterator[Vault]:
    with closing(Vault(ledger, database)) as opened:
        yield opened


def receive(ledger: Ledger, received_at: datetime | None = None, customer_id: UUID | None = None) -> tuple[UUID, UUID]:
    """A complaint and its customer."""
    one, customer = uuid4(), customer_id or uuid4()
    ledger.handle(
        complaint.ReceiveComplaint(
            complaint_id=one,
            customer_id=customer,
            received_at=received_at or datetime.now(UTC),
            received_by="li.wei",
            channel="phone",
            content=WORDS,
            customer_name=NAME,
            customer_contact=PHONE,
            customer_identity_number=IDENTITY,
            customer_account=ACCOUNT,
        ),
        principal="li.wei",
    )
    return one, customer


def assign(ledger: Ledger, one: UUID, assignee: str, department: str = "信用卡中心") -> None:
    ledger.handle(
        complaint.AssignComplaint(
            complaint_id=one,
            department=department,
            assignee=assignee,
            assigned_by="chen.jing",
            assigned_at=datetime.now(UTC),
        ),
        principal="chen.jing",
    )


def ask_to_erase(
    ledger: Ledger, subject_id: UUID, requested_by: str = "quality.qin", ground: str = "customer-request"
) -> None:
    """A request for erasure, as it comes before every erasure."""
    wanted = RequestErasure(subject_id=subject_id, ground=ground, requested_by=requested_by)
    ledger.handle(wanted, principal=requested_by)


def approve(ledger: Ledger, subject_id: UUID, approved_by: str = "archivist.he") -> int | None:
    """A second person approves it; where that stands, None: it was so already."""
    approval = ApproveErasure(subject_id=subject_id, approved_by=approved_by)
    return ledger.handle(approval, principal=approved_by).last_position
