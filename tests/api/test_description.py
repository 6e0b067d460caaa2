"""The description of the service held against itself and against what is served (every other test adds to it)."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.recording import COMMANDS, CommandRoute
from tests.api.conftest import referred


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


@pytest.fixture(scope="module")
def document(client: httpx.Client) -> dict[str, Any]:
    described: dict[str, Any] = client.get("/openapi.json").json()
    return described


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for reference in set(references(document)):
        found: Any = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
        assert isinstance(found, dict)


def test_what_many_operations_say_stands_once(document: dict[str, Any]) -> None:
    assert len(json.dumps(document)) < 1_000_000
    problems = [
        response
        for operations in document["paths"].values()
        for operation in operations.values()
        for status, response in operation["responses"].items()
        if status.startswith(("4", "5"))
    ]
    written = [json.dumps(each) for each in problems if "$ref" not in each]
    assert len(set(written)) == len(written) < len(problems) // 10


def test_every_operation_says_what_it_does_and_how_it_fails(document: dict[str, Any]) -> None:
    names = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            names.append(operation["operationId"])
            assert operation["summary"], path
            statuses = set(operation["responses"])
            assert statuses & {"200", "201"}
            if "html" not in str(operation["responses"]["200" if "200" in statuses else "201"]):
                assert statuses >= {"421", "422", "500", "503"}, f"{method} {path}"
            parameters = [referred(document, each) for each in operation.get("parameters", ())]
            for name in [part[1:-1] for part in path.split("/") if part.startswith("{")]:
                assert [each["name"] for each in parameters if each["in"] == "path"].count(name) == 1
    assert len(set(names)) == len(names)


def test_every_problem_that_is_described_is_documented(document: dict[str, Any], client: httpx.Client) -> None:
    kinds = set()
    for operations in document["paths"].values():
        for operation in operations.values():
            for response in operation["responses"].values():
                schema = (
                    referred(document, response)
                    .get("content", {})
                    .get("application/problem+json", {})
                    .get("schema", {})
                )
                for part in schema.get("allOf", []):
                    kinds |= set(part.get("properties", {}).get("type", {}).get("enum", []))
    assert len(kinds) > 40
    for kind in kinds:
        assert client.get(kind).status_code == 200


@pytest.mark.parametrize("route", COMMANDS, ids=lambda route: route.command.command_name())
def test_what_a_command_demands_is_what_its_description_says(
    route: CommandRoute, document: dict[str, Any], client: httpx.Client
) -> None:
    content = document["paths"][route.path]["post"]["requestBody"]["content"]["application/json"]
    schema = document["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]
    path = route.path.format(**{name: uuid4() for name in route.path_ids})
    refused = client.post(path, json={}, headers={"If-Match": '"1"'} if route.decides else {})
    missing = {error["field"] for error in refused.json()["facts"].get("errors", []) if error["says"] == "is required"}
    assert missing == set(schema["required"])
    assert not set(route.path_ids) & set(schema["properties"])
    for example in content["examples"].values():
        assert missing <= set(example["value"]) <= set(schema["properties"])
    assert schema["additionalProperties"] is False
