"""Loads the named queries of the `.sql` file beside a module; builds no SQL and runs none."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

_NAME = re.compile(r"^-- name: ([a-z][a-z0-9_]*)[ \t]*$", re.MULTILINE)


class UnreadableQueries(Exception):
    """A `.sql` file does not have the shape `-- name: x`, a sentence of why, a statement: a bug of its author."""


@cache
def queries(module_file: str) -> Mapping[str, str]:
    """The queries of `x.sql` for the module `x.py` (give its `__file__`), by name; raises UnreadableQueries."""
    path = Path(module_file).with_suffix(".sql")
    before, *rest = _NAME.split(path.read_text(encoding="utf-8"))
    if any(line.strip() and not line.startswith("--") for line in before.splitlines()):
        raise UnreadableQueries(f"{path.name}: a statement stands before the first `-- name:`")
    found: dict[str, str] = {}
    for name, body in zip(rest[::2], rest[1::2], strict=True):
        if name in found:
            raise UnreadableQueries(f"{path.name}: the name {name} stands there twice")
        if not body.lstrip().startswith("--"):
            raise UnreadableQueries(f"{path.name}: {name} does not say why it is there")
        if all(not line.strip() or line.startswith("--") for line in body.splitlines()):
            raise UnreadableQueries(f"{path.name}: {name} has no statement")
        found[name] = body.strip()
    return MappingProxyType(found)
