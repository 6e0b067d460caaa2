"""`checkpoint`, `key`, `proof`, `consistency`, `entries`: hands out what others check a book by. Computes no hash itself."""

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from psycopg2.extensions import connection as Connection

from api.command.books import print_line
from api.command.options import AsJson, BookName, DatabaseUrl, DataFolder, WrongUse, settings_of
from api.command.place import open_ledger, open_place, said_to_be_empty
from api.command.printing import print_json, progress, say
from ledger.database.roles import Role
from ledger.proof import asking
from ledger.proof.checkpoints import Checkpoints, Held, latest, verifier_keys
from ledger.proof.cosigning import Policy, make_and_collect, stamp
from ledger.record.reading import head
from ledger.settings import Settings

Out = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Write it to this file. [default: standard output]")
]


def checkpoint(
    out: Out = None,
    time_stamp: Annotated[
        str | None,
        typer.Option("--time-stamp", metavar="URL", help="Have an RFC 3161 authority stamp it; the answer is kept."),
    ] = None,
    stamp_out: Annotated[
        Path | None, typer.Option("--stamp-out", metavar="FILE", help="Write that time stamp to this file too.")
    ] = None,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Sign the book as it is now, and write the checkpoint 检查点: keep it where the ledger's owner cannot change it.

    The first time, the book's signing key is made beside the vault's keys, and its public half is recorded. The witnesses
    of LEDGER_WITNESSES are asked to cosign; exit code 1 where fewer than the quorum did.
    """
    settings = settings_of(database, data, book)
    policy = witnesses_of(settings)
    with open_place(settings) as target, open_ledger(target, settings) as ledger:
        checkpoints = Checkpoints(ledger, target, settings.signing_key)
        made, collected = make_and_collect(checkpoints, policy)
        if made is None:
            raise WrongUse(f"the book {settings.book} is empty: there is nothing to sign yet")
        if time_stamp is not None:
            with checkpoints.connection() as connection:
                token = stamp(connection, settings.book, made, time_stamp)
            if stamp_out is not None:
                stamp_out.write_bytes(token)
    write(out, made.written(), silent=as_json)
    if as_json:
        print_json({**as_document(made), "cosigned": collected.cosigned, "quorum": collected.quorum})
    for failure in collected.failures:
        say(failure)
    if not collected.ok:
        say(f"{collected.cosigned} witnesses have cosigned, and the quorum is {collected.quorum}")
        raise typer.Exit(1)


def witnesses_of(settings: Settings) -> Policy:
    """The witnesses that the settings name; raises NoteMalformed."""
    return Policy() if settings.witnesses is None else Policy.read(settings.witnesses)


def as_document(made: Held) -> dict[str, object]:
    """A checkpoint for a program to read."""
    found = made.checkpoint
    return {"origin": found.origin, "size": found.size, "root": found.root.hex(), "note": made.written().decode()}


def key(
    rotate: Annotated[
        bool, typer.Option("--rotate", help="Make a new signing key and retire the present one; needs --by, --reason.")
    ] = False,
    by: Annotated[str | None, typer.Option("--by", help="Who has the key changed.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why the key is changed.")] = None,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Print the verifier keys 验证公钥 of the book, the one in force last. An auditor gets it on paper, not from here."""
    settings = settings_of(database, data, book)
    if rotate:
        if by is None or reason is None:
            raise WrongUse("--rotate: say who has the key changed (--by) and why (--reason)")
        with open_place(settings) as target, open_ledger(target, settings) as ledger:
            Checkpoints(ledger, target, settings.signing_key).rotate(by, reason)
    with asked(settings) as connection:
        keys = verifier_keys(connection, settings.book)
    if as_json:
        print_json([each._asdict() for each in keys])
        return
    if not keys:
        raise WrongUse(f"the book {settings.book} has no signing key yet: `complaint-ledger checkpoint` makes one")
    for each in keys:
        if each.end_size is not None:
            say(f"signed up to size {each.end_size - 1}:")
        print_line(each.verifier_key)


def proof(
    position: Annotated[int, typer.Argument(min=1, metavar="POSITION", help="The event's position in the book.")],
    out: Out = None,
    entry: Annotated[
        Path | None, typer.Option("--entry", metavar="FILE", help="Write the exact bytes that are hashed to this file.")
    ] = None,
    size: Annotated[
        int | None, typer.Option("--size", min=1, help="Of the checkpoint. [default: the oldest that covers it]")
    ] = None,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Write the proof 包含证明 that an event is in a checkpoint, as a C2SP tlog-proof, and the entry that it is about."""
    settings = settings_of(database, data, book)
    with asked(settings) as connection:
        found = asking.prove(connection, settings.book, position, size)
    write(out, found.proof.written(), silent=as_json)
    if entry is not None:
        write(entry, found.entry)
    if as_json:
        print_json(
            {"position": position, "proof": found.proof.written().decode(), "entry": found.entry.decode("ascii")}
        )


def _size(text: str) -> int:
    """The size of a checkpoint; whoever names its file is told where in it the size stands. Raises WrongUse."""
    if text.isascii() and text.isdigit() and int(text) > 0:
        return int(text)
    raise WrongUse(
        "OLD and NEW are the sizes of checkpoints, whole numbers of events such as 120 (the second line of a checkpoint's "
        f"file), not {text!r}"
    )


def consistency(
    old: Annotated[int, typer.Argument(metavar="OLD", help="The size of an earlier checkpoint.", parser=_size)],
    new: Annotated[
        int | None, typer.Argument(metavar="NEW", help="The size of a later one. [default: the newest]", parser=_size)
    ] = None,
    out: Out = None,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Write the proof 一致性证明 that an earlier checkpoint is the beginning of a later one."""
    settings = settings_of(database, data, book)
    with asked(settings) as connection:
        found = asking.prove_consistency(connection, settings.book, old, new)
    write(out, found.written(), silent=as_json)
    if as_json:
        print_json({"old": old, "new": new, "proof": found.written().decode()})


def entries(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Write them here.")],
    after: Annotated[int, typer.Option("--after", min=0, help="Only those behind this position.")] = 0,
    last: Annotated[int | None, typer.Option("--last", min=1, help="Only those up to this position.")] = None,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Write all entries 条目 of the book, eight lines each, up to the newest checkpoint. They carry no content.

    With them anybody rebuilds the tree, and sees that nothing was left out. In pieces: --after and --last.
    """
    settings = settings_of(database, data, book)
    with asked(settings) as connection, out.open("wb") as file, progress("entries") as advance:
        upto = latest(connection, settings.book).checkpoint.size
        upto = upto if last is None else min(last, upto)
        for position, each in asking.entries(connection, settings.book, after, upto):
            file.write(each)
            if position % 10_000 == 0 or position == upto:
                advance(position, upto)
    if as_json:
        print_json({"file": str(out), "after": after, "last": upto, "entries": max(upto - after, 0)})
    else:
        say(f"{max(upto - after, 0):,} entries in {out}")


@contextmanager
def asked(settings: Settings) -> Iterator[Connection]:
    """A connection that may read, of an application or an auditor; says so where the book is empty."""
    with open_place(settings) as target:
        role = Role.APPLICATION if target.is_embedded else Role.AUDITOR
        with closing(target.connect(role, autocommit=True)) as connection:
            head(connection, settings.book)  # raises NoSuchBook
            nothing = said_to_be_empty(connection, settings.book)
            if nothing is not None:
                say(nothing)
            yield connection


def write(out: Path | None, content: bytes, *, silent: bool = False) -> None:
    """To the file that was named, else to standard output unless something else is printed there."""
    if out is not None:
        out.write_bytes(content)
    elif not silent:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
