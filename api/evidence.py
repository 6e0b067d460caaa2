"""Files of evidence over HTTP: taken in as they come, given out as they are read, never whole in memory.

Whether a caller may have a file the vault's service decides, and records the look before a byte goes out.
"""

from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from typing import Any
from uuid import UUID

import anyio
import anyio.to_thread
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from api.answers import Answer, answer
from api.body import BODY_SECONDS_MAX, read_command
from api.caller import Caller
from api.description import command_description, problem_responses
from api.refusals import BodyTooSlow, HostNotServed, InvalidRequest, LedgerUnavailable, ProgramFailed
from ledger.access import commands as ask
from ledger.application import Ledger
from ledger.command import Command
from ledger.complaint.refusals import ComplaintNotFound
from ledger.evidence import refusals as no
from ledger.evidence.kinds import BEGINNINGS
from ledger.evidence.store import EvidenceStore
from ledger.vault.keys import SubjectErased
from ledger.vault.service import Look, Vault

LOOKS = "/complaints/{complaint_id}/files/{file_id}/looks"

SERVED: dict[type[Command], list[str]] = {ask.LookAtFile: ["complaint_id", "file_id"]}
"""The command that is served here, with the ids of its path."""

EVERYWHERE = (InvalidRequest, HostNotServed, ProgramFailed, LedgerUnavailable)


BYTES_PER_SECOND_MIN = 16 * 1024
"""How fast a file must come on the whole, after the time that any body has: the largest, of 256 MiB, has four and a half hours."""


class FileTakenIn(Answer):
    """A file that was taken in: `POST …/evidence` cites it by its id, and it is on file from then on."""

    file_id: UUID
    digest: str = Field(description="SHA-256, in hex, over the file's salt and content; the fact states it.")
    size_bytes: int
    content_type: str


def install(app: FastAPI, ledger: Ledger, store: EvidenceStore, vault: Vault) -> None:
    """Serves the two routes of a complaint's files."""
    routes = APIRouter()
    _add_intake(routes, ledger, store)
    _add_download(routes, store, vault)
    app.include_router(routes)


def _add_intake(routes: APIRouter, ledger: Ledger, store: EvidenceStore) -> None:
    @routes.post(
        "/complaints/{complaint_id}/files",
        status_code=HTTPStatus.CREATED,
        tags=["commands"],
        responses={
            201: {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/FileTakenIn"}}}},
            **problem_responses(
                [
                    ComplaintNotFound,
                    SubjectErased,
                    BodyTooSlow,
                    no.ContentTypeNotTaken,
                    no.ContentIsOfAnotherType,
                    no.FileEmpty,
                    no.FileTooLarge,
                    *EVERYWHERE,
                ]
            ),
        },
        openapi_extra={"requestBody": {"required": True, "content": _binary()}},
    )
    async def take_in_file(complaint_id: UUID, request: Request, _principal: Caller) -> Response:
        """Take in a file of evidence; its content is the body, its kind the Content-Type."""
        complaint = await anyio.to_thread.run_sync(ledger.complaint, complaint_id)
        assert complaint.customer_id is not None, "a complaint that was received has a customer"
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        intake = await anyio.to_thread.run_sync(store.begin, complaint_id, complaint.customer_id, kind)
        async for part in _in_time(request):
            await anyio.to_thread.run_sync(intake.add, part)
        stored = await anyio.to_thread.run_sync(intake.end)
        told = answer(FileTakenIn, stored)
        told.status_code = HTTPStatus.CREATED
        return told


def _add_download(routes: APIRouter, store: EvidenceStore, vault: Vault) -> None:
    described = command_description(
        SERVED[ask.LookAtFile], ask.LookAtFile, FileTakenIn, decides=False, status=HTTPStatus.OK
    )
    described["responses"][200] = {
        "description": "The file as it came. The look is recorded at `Ledger-Position`.",
        "headers": {
            "Ledger-Position": {"schema": {"type": "integer"}, "description": "Of the event that says who looked."},
            "Evidence-Digest": {"schema": {"type": "string"}, "description": "As the fact states it."},
            "Evidence-Salt": {"schema": {"type": "string"}, "description": "In hex: SHA-256 of salt and content."},
        },
        "content": _binary(),
    }

    @routes.post(LOOKS, operation_id="look-at-file", response_class=StreamingResponse, **described)
    async def look_at_file(request: Request, principal: Caller) -> Response:
        """A file of evidence, piece by piece."""
        asked = (await read_command(ask.LookAtFile, request)).command
        assert isinstance(asked, ask.LookAtFile)
        whole = await anyio.to_thread.run_sync(store.find, asked.complaint_id, asked.file_id)
        look = Look(asked.complaint_id, asked.purpose, request_id=asked.request_id)
        position = await anyio.to_thread.run_sync(vault.look_at_file, look, whole.file, principal)
        salt, content = await anyio.to_thread.run_sync(store.open, whole, position)
        headers = {
            "Content-Length": str(whole.file.size_bytes),
            "Content-Disposition": f'attachment; filename="{asked.file_id}"',
            "Ledger-Position": str(position),
            "Evidence-Digest": whole.file.digest,
            "Evidence-Salt": salt.hex(),
        }
        return StreamingResponse(_on_threads(content), 200, headers, whole.file.content_type)


async def _in_time(request: Request) -> AsyncIterator[bytes]:
    """The parts of a body, as long as they come fast enough on the whole. Raises BodyTooSlow."""
    began, size, seconds = anyio.current_time(), 0, float(BODY_SECONDS_MAX)
    parts = request.stream()
    while True:
        try:
            with anyio.fail_after(began + seconds - anyio.current_time()):
                part = await anext(parts, None)
        except TimeoutError:
            raise BodyTooSlow(round(seconds)) from None
        if part is None:
            return
        size += len(part)
        seconds = BODY_SECONDS_MAX + size / BYTES_PER_SECOND_MIN
        if part:
            yield part


async def _on_threads(content: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Reads each piece on a thread, so that waiting for the database keeps nobody else waiting."""
    while (piece := await anyio.to_thread.run_sync(next, content, None)) is not None:
        yield piece


def _binary() -> dict[str, Any]:
    return {kind: {"schema": {"type": "string", "format": "binary"}} for kind in BEGINNINGS}
