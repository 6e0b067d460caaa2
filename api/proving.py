"""What an outsider needs to check the book, over HTTP: checkpoints, verifier keys, proofs, tiles. Nothing is computed here.

The layout of tiles and bundles of entries is that of C2SP tlog-tiles; proofs and checkpoints are plain text.
"""

import re
import struct
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response
from psycopg2.extensions import connection as Connection

from api.answers import Answer, answer
from api.asking import Asker, only_known_parameters
from api.description import EVERYWHERE, problem_responses, question_description
from api.refusals import InvalidRequest, NoSuchPage, NoSuchTile
from ledger import moment
from ledger.proof import asking
from ledger.proof.asking import CheckpointsReversed, NoSuchPosition
from ledger.proof.checkpoints import Held, NoSuchCheckpoint, held, latest, listed, verifier_keys
from ledger.proof.stored import TILE_HASHES, StoredTree
from ledger.record.tree import HASH_BYTES
from ledger.refusal import Refusal

NOTE = "text/plain; charset=utf-8"
BYTES = "application/octet-stream"
FOR_EVER = {"Cache-Control": "max-age=31536000, immutable"}
"""A full tile never changes; the proofs of it are anybody's to keep."""

_TILE = re.compile(r"(?P<number>(?:x\d{3}/){0,5}\d{3})(?:\.p/(?P<width>[1-9]\d{0,2}))?", re.ASCII)
_LENGTH = struct.Struct(">H")

SizeOf = Annotated[int, Path(ge=1, lt=2**62, description="The size of a checkpoint.")]
PositionOf = Annotated[int, Path(ge=1, lt=2**62, description="A position of the book.")]


class CheckpointListed(Answer):
    """A checkpoint: what was signed, and by whom."""

    size: int
    root: str
    kept_at: str
    note: str


class CheckpointList(Answer):
    """Checkpoints in the order of their sizes; the next page begins after the last size."""

    checkpoints: list[CheckpointListed]


class VerifierKeyOf(Answer):
    """A verifier key and the sizes of the checkpoints that it may sign."""

    verifier_key: str
    first_size: int
    end_size: int | None


class VerifierKeys(Answer):
    """The keys that the book names. Whoever checks has one of them from elsewhere."""

    keys: list[VerifierKeyOf]


ANSWERS: tuple[type[Answer], ...] = (CheckpointList, VerifierKeys)


def router(asker: Asker) -> APIRouter:
    """Every question of a sceptic, bound to a book."""
    routes = APIRouter(default_response_class=Response, dependencies=[Depends(only_known_parameters)])
    _add_checkpoints(routes, asker)
    _add_proofs(routes, asker)
    _add_tiles(routes, asker)
    return routes


def _add_checkpoints(routes: APIRouter, asker: Asker) -> None:
    @routes.get("/checkpoint", **_described("The newest checkpoint.", NOTE, NoSuchCheckpoint))
    async def newest_checkpoint() -> Response:
        """The newest checkpoint with its cosignatures, a signed note."""
        return _note(await asker.ask(latest))

    @routes.get("/checkpoints", **question_description(CheckpointList))
    async def checkpoints(
        after: Annotated[int, Query(ge=0, lt=2**62, description="Only those larger than this size.")] = 0,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> Response:
        """The checkpoints that were made, in the order of their sizes."""
        found = await asker.ask(listed, after, limit)
        return answer(CheckpointList, {"checkpoints": [_listed(each) for each in found]})

    @routes.get("/checkpoints/{size}", **_described("A checkpoint.", NOTE, NoSuchCheckpoint))
    async def checkpoint_of_size(size: SizeOf) -> Response:
        """The checkpoint of one size, a signed note."""
        return _note(await asker.ask(held, size))

    @routes.get("/keys", **question_description(VerifierKeys))
    async def keys() -> Response:
        """The verifier keys that the book names, in the order of their introduction."""
        found = await asker.ask(verifier_keys)
        return answer(VerifierKeys, {"keys": [each._asdict() for each in found]})


def _add_proofs(routes: APIRouter, asker: Asker) -> None:
    @routes.get(
        "/positions/{position}/proof", **_described("A C2SP tlog-proof.", NOTE, NoSuchPosition, NoSuchCheckpoint)
    )
    async def inclusion_proof(
        position: PositionOf,
        size: Annotated[int | None, Query(ge=1, lt=2**62, description="Of the checkpoint; else the oldest.")] = None,
    ) -> Response:
        """The proof that an event is in a checkpoint, with that checkpoint."""
        return Response((await asker.ask(asking.prove, position, size)).proof.written(), media_type=NOTE)

    @routes.get("/positions/{position}/entry", **_described("An entry.", NOTE, NoSuchPosition, NoSuchCheckpoint))
    async def entry(position: PositionOf) -> Response:
        """The exact bytes that are hashed into the tree for an event: eight lines, and no content."""
        return Response((await asker.ask(asking.prove, position)).entry, media_type=NOTE)

    @routes.get("/consistency", **_described("A consistency proof.", NOTE, NoSuchCheckpoint, CheckpointsReversed))
    async def consistency_proof(
        old: Annotated[int, Query(ge=1, lt=2**62, description="The size of the earlier tree.")],
        new: Annotated[
            int | None, Query(ge=1, lt=2**62, description="The size of a checkpoint; else the newest.")
        ] = None,
    ) -> Response:
        """The proof that an earlier tree is the beginning of a later checkpoint, in the form in which a witness is asked."""
        return Response((await asker.ask(asking.prove_consistency, old, new)).written(), media_type=NOTE)


def _add_tiles(routes: APIRouter, asker: Asker) -> None:
    @routes.get(
        "/tile/entries/{tile:path}",
        **_described("A bundle of entries.", BYTES, NoSuchTile, NoSuchCheckpoint, NoSuchPage),
    )
    async def entry_bundle(tile: str) -> Response:
        """Up to 256 entries, each behind its length in two bytes (C2SP tlog-tiles)."""
        return Response(await asker.ask(_bundle, *_place(tile)), media_type=BYTES, headers=FOR_EVER)

    @routes.get(
        "/tile/{level}/{tile:path}", **_described("A tile of hashes.", BYTES, NoSuchTile, NoSuchCheckpoint, NoSuchPage)
    )
    async def hash_tile(level: Annotated[int, Path(ge=0, le=63)], tile: str) -> Response:
        """Up to 256 hashes of one level of the tree, 32 bytes each (C2SP tlog-tiles)."""
        return Response(await asker.ask(_tile, level, *_place(tile)), media_type=BYTES, headers=FOR_EVER)


def _place(tile: str) -> tuple[int, int]:
    """The number of a tile and its width, from `x001/x234/067` or `067.p/16`; raises NoSuchTile."""
    found = _TILE.fullmatch(tile)
    if found is None:
        raise NoSuchTile
    number = int(found["number"].replace("/", "").replace("x", ""))
    return number, int(found["width"] or TILE_HASHES)


def _tile(connection: Connection, book: str, level: int, number: int, width: int) -> bytes:
    tree = StoredTree(connection, book, latest(connection, book).checkpoint.size)
    if tree.width(level, number) < width or width > TILE_HASHES:
        raise NoSuchTile
    return tree.tile(level, number)[: width * HASH_BYTES]


def _bundle(connection: Connection, book: str, number: int, width: int) -> bytes:
    tree = StoredTree(connection, book, latest(connection, book).checkpoint.size)
    if tree.width(0, number) < width or width > TILE_HASHES:
        raise NoSuchTile
    first = number * TILE_HASHES
    return b"".join(
        _LENGTH.pack(len(each)) + each for _, each in asking.entries(connection, book, first, first + width)
    )


def _note(found: Held) -> Response:
    return Response(found.written(), media_type=NOTE, headers={"Ledger-Position": str(found.checkpoint.size)})


def _listed(found: Held) -> dict[str, object]:
    size, root = found.checkpoint.size, found.checkpoint.root.hex()
    return {"size": size, "root": root, "kept_at": moment.written(found.kept_at), "note": found.written().decode()}


def _described(what: str, media_type: str, *refusals: type[Refusal]) -> dict[str, Any]:
    """What OpenAPI says of an answer that is no JSON."""
    kind = media_type.partition(";")[0]
    form = {"type": "string"} if kind == "text/plain" else {"type": "string", "format": "binary"}
    return {
        "tags": ["proofs"],
        "responses": {
            200: {"description": what, "content": {kind: {"schema": form}}},
            **problem_responses([*refusals, InvalidRequest, *EVERYWHERE]),
        },
    }
