"""Puts the service together: commands, questions, problems, the edge, and the worker that keeps projections up."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, closing, nullcontext
from typing import Any

from fastapi import Depends, FastAPI, Response
from pydantic import BaseModel

from api import asking, asking_parties, deadlines, door, evidence, feed, figures, looking, problems, proving, recording
from api import returns as return_questions
from api.answers import ANSWERS
from api.asking import Asker
from api.caller import OPEN_TO_ALL, allowed, refuse_unlisted
from api.description import described
from api.edge import Edge
from api.feed_answers import Feed
from api.figure_answers import FIGURE_ANSWERS
from api.party_answers import PARTY_ANSWERS
from api.rates import Rates
from api.return_answers import RETURN_ANSWERS
from api.standing import ComplaintNow
from api.tokens import TokenReader
from ledger.application import Ledger
from ledger.command import asking_fields
from ledger.database.pool import Pool
from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.settings import Settings
from ledger.vault.service import Vault
from projections.worker import Worker

VERSION = "0.1.0"

HOSTS = ("127.0.0.1", "localhost", "[::1]")
"""The host names that are answered: no web page can rename itself to one of these."""


def create_app(
    ledger: Ledger,
    database: Database,
    *,
    keeps_up: bool = True,
    hosts: Collection[str] = HOSTS,
    settings: Settings | None = None,
) -> FastAPI:
    """The service of one book. While it runs it keeps the projections up, unless another process does (`keeps_up`).

    Raises RouteWithoutEntry where the table of roles does not know a route.
    """
    pool = Pool(lambda: database.connect(Role.APPLICATION, autocommit=True))
    worker = Worker(database, ledger.book)
    doors = door.Doors(database)
    files = ledger.evidence_store()
    vault = Vault(ledger, database)

    @asynccontextmanager
    async def while_it_runs(_app: FastAPI) -> AsyncIterator[None]:
        with worker if keeps_up else nullcontext(), closing(pool), closing(doors), closing(files), closing(vault):
            yield

    app = FastAPI(
        title="Complaint ledger",
        version=VERSION,
        lifespan=while_it_runs,
        default_response_class=Response,
        docs_url=None,  # its page would load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Depends(allowed)],  # before every other: who may not is told nothing else
        # the library's own telemetry would put messages of exceptions, with what somebody wrote, into logs
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "auto_configure": False,
        },
    )
    problems.install(app)
    recording.install(app, ledger, pool, vault)
    evidence.install(app, ledger, files, vault)
    asker = Asker(ledger, pool, worker.wake)
    app.include_router(asking.router(asker))
    app.include_router(asking_parties.router(asker))
    app.include_router(proving.router(asker))
    app.include_router(deadlines.router(asker))
    app.include_router(figures.router(asker))
    app.include_router(feed.router(asker))
    app.include_router(return_questions.router(asker, ledger.keys))
    app.include_router(door.router(asker, doors))
    app.include_router(looking.router(ledger, vault, asker))
    refuse_unlisted(app)
    app.state.tokens, app.state.ledger = TokenReader(ledger.keys, settings), ledger
    app.state.rates = Rates()
    app.add_middleware(Edge, hosts=hosts)
    _describe_itself(app)
    return app


def _describe_itself(app: FastAPI) -> None:
    """Gives FastAPI the description that is made from our tables; made once, when first asked for."""
    paths = {**{route.command: route.path_ids for route in recording.COMMANDS}, **looking.SERVED, **evidence.SERVED}
    commands = {command: [*ids, *asking_fields(command)] for command, ids in paths.items()}
    receipts = {recording.receipt_of(route.subject) for route in recording.COMMANDS}

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            answers: list[type[BaseModel]] = [*ANSWERS, *PARTY_ANSWERS, *deadlines.ANSWERS, *proving.ANSWERS]
            answers += [ComplaintNow, evidence.FileTakenIn, *FIGURE_ANSWERS, Feed, *looking.ANSWERS]
            answers += RETURN_ANSWERS
            app.openapi_schema = described(app, commands, (*receipts, *answers), OPEN_TO_ALL)
        return app.openapi_schema

    setattr(app, "openapi", openapi)  # noqa: B010 - FastAPI's documented way to extend it; an assignment offends the type checker
