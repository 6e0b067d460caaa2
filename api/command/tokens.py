"""`token issue`: gives out a bearer token of the ledger's own issuer. Decides nothing about what a role may do."""

import os
import re
import shlex
import textwrap
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from api.command.books import print_line
from api.command.demo.texts import DEPARTMENTS
from api.command.options import AsJson, BookName, DataFolder, WrongUse, read_moment, settings_of
from api.command.place import open_keys
from api.command.printing import print_json
from ledger.access.roles import Scope, roles
from ledger.settings import Settings

SPANS = {"h": timedelta(hours=1), "d": timedelta(days=1)}
LIFE_DEFAULT = "12h"

tokens_app = typer.Typer(no_args_is_help=True, help="Bearer tokens of the ledger's own issuer.")


@tokens_app.command("issue")
def issue(
    role: Annotated[list[str], typer.Option("--role", help="A role of the table (docs/access.md); may be repeated.")],
    name: Annotated[str, typer.Option("--name", help="The member of staff or service account, such as li.wei.")],
    expires: Annotated[
        str, typer.Option("--expires", help="After this long (12h, 30d), or at a moment with its offset.")
    ] = LIFE_DEFAULT,
    department: Annotated[
        list[str] | None, typer.Option("--department", help="A department of theirs; may be repeated.")
    ] = None,
    receiver: Annotated[
        list[str] | None,
        typer.Option("--receiver", help="Of a regulator: the receiver that it reads for; may be repeated."),
    ] = None,
    as_json: AsJson = False,
    data: DataFolder = None,
    book: BookName = None,
) -> None:
    """Give out a token: whoever holds it is taken for --name, in one book, until it expires.

    For where no other issuer is configured (LEDGER_ISSUER). It is printed once and kept nowhere.
    """
    settings = settings_of(None, data, book)
    expires_at = _ends(expires)
    token = issued(settings, name, role, department or [], expires_at, receiver or [])
    if as_json:
        print_json({"token": token, "subject": name, "roles": role, "book": settings.book, "expires_at": expires_at})
    else:
        print_line(token)


def issued(
    settings: Settings,
    name: str,
    held: list[str],
    departments: list[str],
    expires_at: datetime,
    receivers: Iterable[str] = (),
) -> str:
    """A token for the settings' book; raises WrongUse for a name, role or life that cannot be."""
    from api.tokens import (  # noqa: PLC0415 - loaded by the commands that need it
        LIFE_MAX,
        SERVICE_ALONE,
        LocalIssuer,
        is_own_name,
        is_staff_id,
        mixes_service,
    )

    known = roles().roles
    unknown = [role for role in held if role not in known]
    if unknown:
        raise WrongUse(f"--role: there is no role {', '.join(unknown)}; there are {', '.join(known)}")
    if mixes_service(held):
        raise WrongUse(f"--role: {SERVICE_ALONE}; give out two tokens under two names")
    if not is_staff_id(name):
        raise WrongUse(
            "--name: write an identifier of letters, digits and . _ -, such as li.wei: it stands in the record for ever, so "
            "no e-mail address and no telephone number"
        )
    if is_own_name(name):
        raise WrongUse(f"--name: the ledger itself records under {name}; give the service account another name")
    if not departments and all(known[role].scope is Scope.DEPARTMENTS for role in held):
        raise WrongUse(f"--department: a {held[0]} works within departments; name one at least")
    if not timedelta(0) < expires_at - datetime.now(UTC) <= LIFE_MAX:
        raise WrongUse(f"--expires: a token lives {LIFE_MAX.days} days at most, and not in the past")
    with closing(open_keys(settings)) as keys:
        return LocalIssuer(keys).issue(
            name,
            roles=held,
            books=[settings.book],
            departments=departments,
            receivers=receivers,
            expires_at=expires_at,
        )


def _ends(expires: str) -> datetime:
    span = re.fullmatch(r"(\d{1,4})([hd])", expires)
    if span is not None:
        return datetime.now(UTC) + int(span[1]) * SPANS[span[2]]
    return read_moment(expires, "--expires")


RECEIVERS = ("nfra", "pboc")
"""For whom the regulator of the demo reads."""

DEMO_LIFE = timedelta(hours=12)
LINE_CHARACTERS = 90
"""Of a line that is wrapped; Chinese characters are two columns wide."""


def print_tokens(settings: Settings, address: str) -> None:
    """Writes one token for each role of the demo, good for its book and 12 hours, and prints where, and how to use one.

    On the screen they would push the addresses away, and stand in whatever keeps what a terminal showed.
    """
    expires_at = datetime.now(UTC) + DEMO_LIFE
    departments = [each for each, _ in DEPARTMENTS.values()]
    folder = settings.data / "tokens"
    for role in roles().roles:
        _write_header(folder / role, issued(settings, f"demo.{role}", [role], departments, expires_at, RECEIVERS))
    print_line("")
    print_line(
        "A browser opens /, /problems and /openapi.json; the rest demands a token. One for each role, good for 12 hours,"
    )
    print_line(f"stands in {folder}, readable by you only, as the header that a request needs:")
    print_line(f"  curl -s {address} -H @{shlex.quote(str(folder / 'management'))}")
    named = ", ".join(f"{role}/{held.zh}" for role, held in roles().roles.items())
    for line in textwrap.wrap(f"The roles: {named}", LINE_CHARACTERS, subsequent_indent="  ", break_on_hyphens=False):
        print_line(line)


def _write_header(file: Path, token: str) -> None:
    """A line that `curl -H @FILE` sends; nobody else may read it at any moment, whoever made the file first."""
    file.parent.mkdir(mode=0o700, exist_ok=True)
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as new:
        new.write(f"Authorization: Bearer {token}\n")
