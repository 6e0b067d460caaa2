"""`verify`: recomputes a whole book from its stored bytes and prints what was found. Changes nothing."""

import os
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from cryptography.x509 import Certificate, load_pem_x509_certificates

from api.command.options import AsJson, BookName, DatabaseUrl, DataFolder, WrongUse, settings_of
from api.command.place import open_keys, open_place, say_if_empty
from api.command.printing import out, print_json, progress, say
from ledger.proof.checkpoint import Checkpoint, checkpoint_in
from ledger.proof.note import Note, VerifierKey
from ledger.proof.verifying import signed_checkpoints
from ledger.record.problems import Files, Values, Verification
from ledger.record.verify import verify as verify_book
from ledger.settings import Settings
from ledger.vault.keys import STORE_FILE, SubjectKeys

Brought = Annotated[
    Path | None,
    typer.Option(
        "--checkpoint",
        metavar="FILE",
        help="A checkpoint that was kept elsewhere; needs --key. Nothing else shows a rewritten database.",
    ),
]
Authority = Annotated[
    Path | None,
    typer.Option(
        "--authority",
        metavar="FILE",
        help="Certificates (PEM) of the time-stamping authorities that you trust: each time stamp has to be theirs.",
    ),
]


def verify(
    checkpoint: Brought = None,
    key: Annotated[
        str | None,
        typer.Option(
            "--key", metavar="KEY", help="The verifier key that signed it, from paper and not from this database."
        ),
    ] = None,
    authority: Authority = None,
    processes: Annotated[
        int | None, typer.Option("--processes", min=1, max=64, help="Work in so many. [default: one a processor]")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1_000, help="Print at most so many problems.")] = 50,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Recompute every entry and the whole tree from the stored bytes, and compare with what the book says of itself.

    Looks first whether what answers is what the migrations made: a view in the place of a table could answer as it likes.
    Compares the book's row, leaf hashes, tiles, stream heads, the digests of personal values, and every checkpoint that is
    kept, or brought with --checkpoint, and that each file of evidence is stored as a whole; where the keys are in the data
    folder, opens values and files too. Exit code 1 when
    something does not agree; the positions are named.
    """
    brought = None if checkpoint is None else _brought(checkpoint, key)
    authorities = () if authority is None else _certificates(authority)
    settings = settings_of(database, data, book)
    with open_place(settings) as target, ExitStack() as open_things:
        keys = _keys_if_there(settings, open_things, silent=as_json)
        with progress("events", silent=as_json) as advance:
            found = verify_book(
                target,
                settings.book,
                keys,
                advance,
                signed=signed_checkpoints(brought, settings.keys, authorities),
                processes=processes or os.cpu_count() or 1,
                open_keys=partial(SubjectKeys.open, settings.keys, settings.master_key),
            )
        if found.ok:
            say_if_empty(target, settings.book)
    if as_json:
        print_json(
            {
                "book": found.book,
                "events": found.events,
                "root": found.root,
                "ok": found.ok,
                "problems": [problem._asdict() for problem in found.problems],
                "problems_total": found.problems_total,
                "values_opened": keys is not None,
                "values": found.values._asdict(),
                "files": found.files._asdict(),
                "checkpoints": found.checkpoints,
                "time_stamps": found.time_stamps,
                "checkpoint_brought": None if brought is None else {"size": brought.size, "root": brought.root.hex()},
            }
        )
    else:
        _print(found, limit, brought, trusted=bool(authorities))
    if not found.ok:
        raise typer.Exit(1)


def _keys_if_there(settings: Settings, open_things: ExitStack, *, silent: bool) -> SubjectKeys | None:
    """The keys, unless this machine has none: an auditor's has not, and must not get new ones made."""
    if (settings.keys / STORE_FILE).exists():
        return open_things.enter_context(closing(open_keys(settings)))
    if not silent:
        say(f"no keys in {settings.keys}: personal values are held against their events, and not opened")
    return None


def _brought(file: Path, key: str | None) -> Checkpoint:
    """The checkpoint in a file, signed by the key that was named; raises WrongUse, NoteMalformed or SignatureWrong."""
    if key is None:
        raise WrongUse(
            "--checkpoint: name the verifier key that signed it with --key; `complaint-ledger key` prints it"
        )
    return checkpoint_in(Note.read(file.read_bytes()), [VerifierKey.read(key)])


def _certificates(file: Path) -> list[Certificate]:
    """Raises WrongUse for a file that holds none."""
    try:
        return load_pem_x509_certificates(file.read_bytes())
    except ValueError:
        raise WrongUse(f"--authority: {file} holds no certificate in PEM") from None


def _print_time_stamps(count: int, *, trusted: bool) -> None:
    if not count:
        return
    out().print(f"{count:,} time stamps are over their checkpoints, each signed by the certificate in it")
    if not trusted:
        say("not checked: whose certificates these are; name the authorities that you trust with --authority FILE")


def _print_values(values: Values) -> None:
    """What was checked of the personal values, and what could not be."""
    out().print(f"{values.opened:,} personal values were opened, and each is the one that was recorded")
    if values.unopened:
        say(
            f"not checked: whether {values.unopened:,} personal values open to what was recorded; that needs their keys. "
            "That each belongs to its event was checked"
        )
    if values.erased:
        say(
            f"not checked: {values.erased:,} personal values that were erased; their digests stand as they were recorded"
        )


def _print_files(files: Files) -> None:
    """What was checked of the files of evidence, and what could not be; nothing where the book names none."""
    if files.opened:
        out().print(f"{files.opened:,} files of evidence were opened, and each has the digest that was recorded")
    if files.unopened:
        say(
            f"not checked: the content of {files.unopened:,} files of evidence; that needs their keys. That each is stored, "
            "with all of its pieces and bytes, was checked"
        )
    if files.erased:
        say(
            f"not checked: the content of {files.erased:,} files that were erased; they are stored, and open for nobody"
        )


def _print(found: Verification, limit: int, brought: Checkpoint | None, *, trusted: bool) -> None:
    console = out()
    if found.ok:
        console.print(f"the book {found.book} is whole: {found.events:,} events, root {found.root}")
        console.print(f"it has gone through {found.checkpoints:,} signed checkpoints")
        _print_values(found.values)
        _print_files(found.files)
        _print_time_stamps(found.time_stamps, trusted=trusted)
        if brought is None:
            say(
                "no checkpoint was brought (--checkpoint, --key): a book that was rewritten as a whole would look the same"
            )
        else:
            console.print(f"its first {brought.size:,} events are those of the checkpoint that was brought")
        return
    console.print(
        f"the book {found.book} is NOT as it was recorded: {found.problems_total:,} problems in {found.events:,} events"
    )
    for problem in found.problems[:limit]:
        where = "the book" if problem.position is None else f"position {problem.position:,}"
        console.print(f"{where}: {problem.says} ({problem.kind})", soft_wrap=True)
    if found.problems_total > limit:
        say(f"{found.problems_total - limit:,} more: ask with a higher --limit, or --json for the first thousand")
