"""Says once, under `components`, what several operations of the description say word for word: problems and parameters.

Without it the description has ten times the size, most of it the refusals of the ledger once for each command.
"""

import json
from collections import Counter
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

Part = dict[str, Any]


def share(document: Part) -> None:
    """Puts a `$ref` wherever a problem's answer or a parameter stands more than once. Linear in the document's size."""
    for kind, found in (("responses", _problems(document)), ("parameters", _parameters(document))):
        document["components"][kind] = _shared(kind, list(found))


def _problems(document: Part) -> Iterator[tuple[str, Part]]:
    """Every answer that is an error, by the words of its status: `Conflict`."""
    for operation in _operations(document):
        for status, response in operation["responses"].items():
            if status.isdecimal() and int(status) >= HTTPStatus.BAD_REQUEST:
                yield HTTPStatus(int(status)).phrase.replace(" ", ""), response


def _parameters(document: Part) -> Iterator[tuple[str, Part]]:
    """Every parameter, by its own name."""
    for operation in _operations(document):
        for parameter in operation.get("parameters", ()):
            yield parameter["name"], parameter


def _operations(document: Part) -> Iterator[Part]:
    for operations in document["paths"].values():
        yield from operations.values()


def _shared(kind: str, found: list[tuple[str, Part]]) -> dict[str, Part]:
    """What stands more than once, by a name of its own; in its places a reference to it is left."""
    written = [json.dumps(part, sort_keys=True) for _, part in found]
    times, names, kept = Counter(written), dict[str, str](), dict[str, Part]()
    for (name, part), text in zip(found, written, strict=True):
        if times[text] == 1:
            continue
        if text not in names:
            others = sum(each == name or each.startswith(f"{name}-") for each in kept)
            names[text] = f"{name}-{others + 1}" if others else name
            kept[names[text]] = dict(part)
        part.clear()
        part["$ref"] = f"#/components/{kind}/{names[text]}"
    return kept
