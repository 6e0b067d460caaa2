"""Personal values over HTTP: looks, who looked, requests for access, holds and erasure. Every value comes from the vault's service.

No right is decided here, and no value is kept.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, Protocol, TypeVar
from uuid import UUID

import anyio
import anyio.to_thread
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from api.access_routes import SUBJECT
from api.answers import Answer, answer
from api.asking import PROJECTION, Asker, only_known_parameters
from api.body import read_command
from api.caller import Caller, departments_of
from api.description import command_description, question_description
from api.moments import Instant
from api.party_answers import Duplicates
from ledger.access import commands as ask
from ledger.access.rules import Keeps
from ledger.application import Ledger
from ledger.command import Command
from ledger.record.reading import position_at
from ledger.vault.due import WAITING_MAX, waiting
from ledger.vault.erasing import erase
from ledger.vault.searching import Searcher, duplicates, look_up
from ledger.vault.searching import search as search_files_for
from ledger.vault.service import CONNECTIONS_MAX, Look, Vault
from ledger.vault.watching import Seen, who_saw
from projections.permissions import PROJECTION as PERMISSIONS
from projections.permissions import permissions

LOOKS = "/complaints/{complaint_id}/looks"
DUPLICATES = "/customers/{customer_id}/duplicates"

SERVED: dict[type[Command], list[str]] = {
    ask.LookAtValues: ["complaint_id"],
    ask.EraseDataSubject: ["subject_id"],
    ask.SearchFiles: [],
    ask.LookUpPerson: [],
    ask.FindDuplicates: ["customer_id"],
}
"""Those that are served here, with the ids of their paths."""

Found = TypeVar("Found")


class Do(Protocol):
    """Does a piece of work on a thread that has a connection of the vault's."""

    async def __call__(self, work: Callable[[], Found]) -> Found: ...


class ShownValue(Answer):
    """A personal value: masked, or in clear with the salt that proves it; null where it was erased."""

    position: int
    path: str
    tier: str
    subject_id: UUID
    digest: str = Field(description="What the event holds: base64url(SHA-256(base64url([salt, path, value]))).")
    in_clear: bool
    value: str | None
    salt: str | None
    field: str = Field(description="What its fact calls it: of `fact.customer_name` in a correction, `customer_name`.")
    superseded_by_version: int | None = Field(
        description="The version of the correction or annulment since which the value stands no more; null: none."
    )


class ShownValues(Answer):
    """The personal values of a complaint, in the order in which they were recorded."""

    values: list[ShownValue]


class Looked(Answer):
    """One look at the values of a data subject, or at a file of evidence, which was then given out whole."""

    position: int
    complaint_id: UUID
    paths: list[str]
    revealed: int = Field(description="How many of the values were shown in clear.")
    revealed_paths: list[str] = Field(
        description="The fields whose values were shown in clear, as they were called at the look."
    )
    masked_paths: list[str] = Field(
        description="Those that were masked. A field of several values, as after a correction, may be in both."
    )
    purpose: str
    request_id: UUID | None
    seen_by: str
    seen_at: Any
    file_id: UUID | None = Field(description="The file of evidence that was given out; null: values were looked at.")


class Looks(Answer):
    """Who saw the values of a data subject, the earliest first."""

    looks: list[Looked]


class ErasedSubject(Answer):
    """What was erased."""

    subject_id: UUID
    position: int
    values: int


class WaitingErasure(Answer):
    """A request for erasure that stands, and what it waits for."""

    position: int
    subject_id: UUID
    ground: str = Field(description="A code of the table `erasure-ground`.")
    requested_by: str
    requested_at: Any
    approved_by: str | None = Field(description="Null: nobody else approved it yet.")
    approved_at: Any
    waits_for: list[Keeps] = Field(description="Empty: the service carries it out within the hour.")
    kept_until: Any = Field(description="When the longest retention ends; null: no clock of retention ever ran.")
    holds: int = Field(description="How many legal holds stand for the person, by any id.")
    same_person: list[UUID] = Field(
        description="Ids that were merged with this one: the erasure of each is asked for by itself."
    )


class WaitingErasures(Answer):
    """A page of the requests for erasure that stand, the earliest first."""

    waiting: list[WaitingErasure]
    next_after: int | None = Field(description="Give it as `after` for the next page; null: there is no more.")


class FoundFile(Answer):
    """A file that has the words, and whose texts have them."""

    stream_id: UUID
    subject: str = Field(description="What it is: complaint, customer, interaction; or another subject's name.")
    subject_ids: list[UUID]


class FoundFiles(Answer):
    """A page of the files that were found, by id; their values stay where they are."""

    files: list[FoundFile]
    next_after: UUID | None = Field(description="Give it as `after` for the next page; null: there is no more.")


class FoundPerson(Answer):
    """A person, and the complaints that he stands in and the caller may see."""

    subject_id: UUID
    complaint_ids: list[UUID]


class FoundPersons(Answer):
    """The persons who were found; those that were erased are not."""

    persons: list[FoundPerson]


class RoleUsed(Answer):
    """A role, how many commands it may give, and how many of them anybody gave in the period."""

    role: str
    commands: int
    used: int
    unused: bool


class GrantUsed(Answer):
    """A request for access that stood in the period, as it stands at its end."""

    request_id: UUID
    complaint_id: UUID
    tiers: list[str]
    purpose: str
    requested_by: str
    requested_at: Any
    answered_by: str | None
    until: Any
    standing: str = Field(description="asked, declined, granted, expired or reported.")
    looks: int
    unused: bool


class PersonUsed(Answer):
    """What a person did in the period."""

    person: str
    commands: dict[str, int]
    looks: int
    values_in_clear: int
    searches: int


class PermissionsUsed(Answer):
    """Every role, grant and use in a period; `digest` is what a review signs."""

    since: Any
    until: Any
    position: int
    roles: list[RoleUsed]
    grants: list[GrantUsed]
    people: list[PersonUsed]
    digest: str


ANSWERS: tuple[type[Answer], ...] = (
    *(ShownValues, Looks, ErasedSubject, WaitingErasures, FoundFiles, FoundPersons, PermissionsUsed),
)


def router(ledger: Ledger, vault: Vault, asker: Asker) -> APIRouter:
    """The routes that the vault's service answers, and the report of its use."""
    routes = APIRouter(default_response_class=Response)
    places = anyio.CapacityLimiter(CONNECTIONS_MAX)

    async def do(work: Callable[[], Found]) -> Found:
        return await anyio.to_thread.run_sync(work, limiter=places)

    _add_searches(routes, ledger, vault, do)

    @routes.post(LOOKS, operation_id="look-at-values", **_described(ask.LookAtValues, ShownValues))
    async def look_at_values(request: Request, principal: Caller) -> Response:
        asked = (await read_command(ask.LookAtValues, request)).command
        assert isinstance(asked, ask.LookAtValues)
        look = Look(asked.complaint_id, asked.purpose, asked.reveal, asked.request_id, position=asked.position)
        return answer(ShownValues, {"values": await do(partial(vault.look, look, principal))})

    @routes.post(
        f"{SUBJECT}/erasure", operation_id="erase-data-subject", **_described(ask.EraseDataSubject, ErasedSubject)
    )
    async def erase_data_subject(request: Request, principal: Caller) -> Response:
        asked = (await read_command(ask.EraseDataSubject, request)).command
        assert isinstance(asked, ask.EraseDataSubject)
        return answer(ErasedSubject, await do(partial(erase, ledger, vault, asked.subject_id, asked.ground, principal)))

    @routes.get(f"{SUBJECT}/looks", **question_description(Looks))
    async def looks_at_data_subject(subject_id: UUID) -> Response:
        """Who saw the values of a data subject, when and why."""
        found: list[Seen] = await do(partial(who_saw, ledger, subject_id))
        return answer(Looks, {"looks": found})

    known = [Depends(only_known_parameters)]

    @routes.get("/erasure-requests", dependencies=known, **question_description(WaitingErasures))
    async def erasures_waiting(
        limit: Annotated[int, Query(ge=1, le=WAITING_MAX)] = 50,
        after: Annotated[int, Query(ge=0, lt=2**62, description="Requests recorded behind this position.")] = 0,
    ) -> Response:
        """Which requests for erasure wait, until when, and for what: approval, a legal hold, an open complaint, retention."""
        page = await do(partial(waiting, ledger, vault, datetime.now(UTC), after=after, limit=limit))
        return answer(WaitingErasures, page)

    @routes.get("/permissions", **question_description(PermissionsUsed, *PROJECTION))
    async def permission_report(
        since: Annotated[Instant, Query(description="From this instant,")],
        until: Annotated[Instant, Query(description="and up to this one.")],
    ) -> Response:
        """Who was permitted what, and what was used, in a period; unused and expired grants are marked 权限复核."""
        last = await asker.ask(position_at, until)
        return answer(PermissionsUsed, await asker.ask_projection(PERMISSIONS.name, last, permissions, since, until))

    return routes


def _add_searches(routes: APIRouter, ledger: Ledger, vault: Vault, do: Do) -> None:
    """The searches: each is recorded before anything of it is told."""

    @routes.post("/searches", operation_id="search-files", **_described(ask.SearchFiles, FoundFiles))
    async def search_files(request: Request, principal: Caller) -> Response:
        asked = (await read_command(ask.SearchFiles, request)).command
        assert isinstance(asked, ask.SearchFiles)
        who = Searcher(principal, departments_of(request))
        return answer(FoundFiles, await do(partial(search_files_for, ledger, vault, asked, who)))

    @routes.post("/look-ups", operation_id="look-up-person", **_described(ask.LookUpPerson, FoundPersons))
    async def look_up_person(request: Request, principal: Caller) -> Response:
        asked = (await read_command(ask.LookUpPerson, request)).command
        assert isinstance(asked, ask.LookUpPerson)
        who = Searcher(principal, departments_of(request))
        return answer(FoundPersons, {"persons": await do(partial(look_up, ledger, vault, asked, who))})

    @routes.post(DUPLICATES, operation_id="find-duplicates", **_described(ask.FindDuplicates, Duplicates))
    async def find_duplicates(request: Request, principal: Caller) -> Response:
        asked = (await read_command(ask.FindDuplicates, request)).command
        assert isinstance(asked, ask.FindDuplicates)
        who = Searcher(principal, departments_of(request))
        found = await do(partial(duplicates, ledger, vault, asked, who))
        return answer(Duplicates, {"customer_id": asked.customer_id, "duplicates": found})


def _described(command: type[Command], found: type[Answer]) -> dict[str, Any]:
    """As any command, but the answer is what was found and no receipt."""
    description = command_description(SERVED[command], command, found, decides=False, status=HTTPStatus.OK)
    description["responses"][200] = {**description["responses"][200], "description": found.__doc__, "headers": {}}
    return description
