"""`backup` and `restore`: the database into a folder and back into an empty place, where it is verified and what is lost is told."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from heapq import merge
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from psycopg2.extensions import connection as Connection

from api.command.books import print_line
from api.command.options import AsJson, BookName, DatabaseUrl, DataFolder, WrongUse, settings_of
from api.command.place import open_keys, open_place
from api.command.printing import print_json, say
from ledger.application import Ledger
from ledger.database.backup import DUMP, BackupFailed, dump, load
from ledger.database.roles import Role
from ledger.database.target import Database, open_database
from ledger.proof.keeping import SigningFolder
from ledger.proof.verifying import LAST, signed_checkpoints
from ledger.record.book import book_names
from ledger.record.growing import Signed
from ledger.record.problems import Found
from ledger.record.reading import head
from ledger.record.verify import SignedOf, verify
from ledger.settings import Settings
from ledger.vault.erasing import carry_out_again
from ledger.vault.keys import STORE_FILE
from ledger.vault.service import Vault

MANIFEST = "backup.json"
NOTED = "the note of the backup itself"
PROBLEMS_TOLD_MAX = 5

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the backup.")]


class Restored(NamedTuple):
    """What became of one book. `lost` counts the events that were signed for and are not there; None: nothing was signed.

    `ok`: all of it agrees with itself, with every checkpoint at hand and with the root that the backup noted.
    """

    book: str
    events: int
    root: str
    ok: bool
    lost: int | None
    erased_again: int
    problems: list[str]


def backup(folder: Folder, database: DatabaseUrl = None, data: DataFolder = None, as_json: AsJson = False) -> None:
    """Write the whole database, all books, into DIR. The keys are not in it: back up the folder keys/ apart from it.

    The service may run meanwhile. On a server of your own, a base backup and its WAL do the same for large books:
    pg_basebackup and archive_command of PostgreSQL; both come back with `restore --rehearse` on a copy.
    """
    settings = settings_of(database, data, None)
    if folder.exists() and any(folder.iterdir()):
        raise WrongUse(f"{folder} is not empty: name a new folder for each backup")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open_place(settings) as target:
        books = _books(target)
        file = dump(target, folder)
    manifest = {"made_at": datetime.now(UTC).isoformat(), "sha256": _digest(file), "books": books}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    if as_json:
        print_json({**manifest, "file": str(file), "bytes": file.stat().st_size})
        return
    print_line(f"wrote {file} ({file.stat().st_size:,} bytes)")
    for each in books:
        print_line(f"  {each['book']}: {each['events']:,} events at least, root {each['root']}")
    say(f"the keys are not in it: back up {settings.keys} apart from it, and destroy old copies after an erasure")


def restore(
    folder: Folder,
    rehearse: Annotated[
        bool,
        typer.Option("--rehearse", help="Into a temporary place that is taken away again, with the keys of --data."),
    ] = False,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Bring a backup back into an empty place, verify every book, erase again what was erased, and tell what is lost.

    The file is held against the digest that was noted when it was made, and each book's tree against the root noted then and
    against every checkpoint at hand, the last signed one in keys/ too.
    Put the backup of the folder keys/ into --data first. Exit code 1 when a book is not whole, or lost events that
    were signed for; a rehearsal tells of those too and is good all the same.
    """
    settings = settings_of(database, data, book)
    if not (folder / DUMP).exists():
        raise WrongUse(f"there is no {DUMP} in {folder}: name the folder of a backup")
    noted = _noted(folder)
    with _place(settings, rehearse=rehearse) as (place, keys_of), open_database(place) as target:
        target.prepare()
        load(target, folder / DUMP)
        with closing(target.connect(Role.OWNER)) as owner:
            names = book_names(owner)
        found = [_checked(target, keys_of, name, noted.get(name)) for name in names]
    found += [
        Restored(
            name, 0, "", ok=False, lost=None, erased_again=0, problems=["the backup notes it, and it is not there"]
        )
        for name in noted.keys() - set(names)
    ]
    if as_json:
        print_json({"rehearsal": rehearse, "books": [each._asdict() for each in found]})
    else:
        _tell(found)
    if not all(each.ok for each in found) or (not rehearse and any(each.lost for each in found)):
        raise typer.Exit(1)


@contextmanager
def _place(settings: Settings, *, rehearse: bool) -> Iterator[tuple[Settings, Settings]]:
    """Where to restore, and whose keys to check with."""
    if not rehearse:
        yield settings, settings
        return
    settings.data.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix="rehearsal-", dir=settings.data.resolve().parent))
    temporary.chmod(0o711)  # the server's account passes through, and reads nothing
    try:
        yield replace(settings, data=temporary / "data", database_url=None), settings
    finally:
        shutil.rmtree(temporary)


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _noted(folder: Path) -> dict[str, Signed]:
    """What was noted of each book when the backup was made; raises BackupFailed where the file is another one now.

    Reads the whole file once. What was noted can be changed by whoever can change the file: that is what checkpoints are for.
    """
    try:
        noted = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        books = {str(each["book"]): _root_noted(each) for each in noted["books"]}
        digest = noted.get("sha256")
    except FileNotFoundError:
        say(f"there is no {MANIFEST} in {folder}: neither the file nor a book is held against what was noted of it")
        return {}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BackupFailed(
            f"{folder / MANIFEST} cannot be read: bring back the one that was written with the backup"
        ) from None
    if digest != _digest(folder / DUMP):
        raise BackupFailed(
            f"{folder / DUMP} is not the file that was written: its SHA-256 is not the one in {MANIFEST}"
        )
    return books


def _root_noted(book: dict[str, Any]) -> Signed:
    return Signed(int(book["events"]), bytes.fromhex(book["root"]), NOTED)


def held_against(at_hand: Sequence[Signed]) -> SignedOf:
    """The checkpoints that the book keeps, and among them those at hand."""

    def signed(connection: Connection, book: str, found: Found) -> Iterator[Signed]:
        outside = sorted((each for each in at_hand if each.size), key=_size)
        return merge(signed_checkpoints()(connection, book, found), outside, key=_size)

    return signed


def _size(signed: Signed) -> int:
    return signed.size


def _checked(target: Database, settings: Settings, book: str, noted: Signed | None) -> Restored:
    """Verifies one book, with the keys where they are, and carries out its erasures again."""
    again = 0
    at_hand = [] if noted is None else [noted]
    with ExitStack() as open_things:
        keys = None
        if (settings.keys / STORE_FILE).exists():
            keys = open_things.enter_context(closing(open_keys(settings)))
            with closing(target.connect(Role.APPLICATION, autocommit=True)) as connection:
                last, lost = _last_signed(connection, book, settings)
            if not lost:  # a book that lost events records nothing more
                at_hand += [] if last is None else [last]
                ledger = open_things.enter_context(closing(Ledger(target, book, keys)))
                again = sum(carry_out_again(ledger, open_things.enter_context(closing(Vault(ledger, target)))))
        else:
            lost = None
            say(f"no keys in {settings.keys}: nothing is erased again, and no checkpoint is at hand")
        found = verify(target, book, keys, signed=held_against(at_hand))
    problems = [each.says for each in found.problems[:PROBLEMS_TOLD_MAX]]
    return Restored(book, found.events, str(found.root), found.ok, lost, again, problems)


def _last_signed(connection: Connection, book: str, settings: Settings) -> tuple[Signed | None, int | None]:
    """The last signed checkpoint in the folder of the keys, and how many of the events that it covers are not there."""
    end = head(connection, book)
    last = SigningFolder(settings.keys, book, end.origin).last()
    if last is None:
        return None, None
    return Signed(last[0].size, last[0].root, LAST), max(last[0].size - end.size, 0)


def _books(target: Database) -> list[dict[str, Any]]:
    with closing(target.connect(Role.OWNER, autocommit=True)) as owner:
        ends = [head(owner, name) for name in book_names(owner)]
    return [{"book": end.book, "origin": end.origin, "events": end.size, "root": end.root.hex()} for end in ends]


def _tell(found: list[Restored]) -> None:
    for each in found:
        print_line(
            f"{each.book}: {'whole' if each.ok else 'NOT as it was recorded'}, {each.events:,} events, root {each.root}"
        )
        for problem in each.problems:
            print_line(f"  {problem}")
        if each.lost is None:
            print_line("  no signed checkpoint is at hand to hold it against")
        elif each.lost:
            print_line(f"  LOST: {each.lost:,} events that a checkpoint was signed over are not in it")
        else:
            print_line("  it holds everything that its last signed checkpoint covers")
        if each.erased_again:
            print_line(f"  {each.erased_again:,} data subjects were erased again")
