"""Whatever is sent, the answer is one that the description names, and never a fault of the program."""

from typing import Any
from urllib.parse import quote

import httpx
from hypothesis import given
from hypothesis import strategies as st

from api.examples import EXAMPLES
from api.recording import COMMANDS, CommandRoute
from ledger.complaint import commands as ask

TEXT = st.text(st.characters(codec="utf-8"), max_size=30)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)


@st.composite
def bodies(draw: st.DrawFn, route: CommandRoute) -> dict[str, Any]:
    """The example with some of its fields spoiled, left out or added to."""
    body = dict(EXAMPLES[route.command])
    for name in draw(st.lists(st.sampled_from(sorted(route.command.model_fields)), max_size=3)):
        body[name] = draw(JUNK)
    for name in draw(st.lists(st.sampled_from(sorted(body)), max_size=2)):
        body.pop(name, None)
    return body | draw(st.dictionaries(TEXT, JUNK, max_size=1))


@given(data=st.data())
def test_any_command(client: httpx.Client, data: st.DataObject) -> None:
    route = data.draw(st.sampled_from(COMMANDS))
    one = client.post("/complaints", json=EXAMPLES[ask.ReceiveComplaint]).json()["complaint_id"]
    ids = {name: one if name == "complaint_id" else str(data.draw(st.uuids())) for name in route.path_ids}
    headers = {"If-Match": '"1"'} if data.draw(st.integers(0, 9)) else {}
    response = client.post(route.path.format(**ids), json=data.draw(bodies(route)), headers=headers)
    assert response.status_code < 500, response.text


@given(
    path=st.sampled_from(
        [
            "/worklist",
            "/sla",
            "/sla/overdue",
            "/complaints",
            "/book",
            "/projections",
            "/codes",
            "/problems",
            "/regimes",
            "/calendars",
        ]
    ),
    names=st.lists(
        st.sampled_from(
            [
                "from",
                "to",
                "as_of",
                "now",
                "by",
                "limit",
                "cursor",
                "department",
                "assignee",
                "reference",
                "period",
                "classified",
                "x",
            ]
        ),
        max_size=3,
    ),
    data=st.data(),
)
def test_any_question(client: httpx.Client, path: str, names: list[str], data: st.DataObject) -> None:
    values = (
        st.sampled_from(
            ["0", "1", "2025-09-30", "2025-09-30T10:00:00+08:00", "9999-12-31", "channel", "month", "first"]
        )
        | TEXT
    )
    query = "&".join(f"{name}={quote(data.draw(values))}" for name in names)
    response = client.get(f"{path}?{query}")
    assert response.status_code in {200, 422, 503}, response.text
    assert response.status_code != 503 or response.json()["type"] == "/problems/not-reached"


@given(segments=st.lists(TEXT, min_size=1, max_size=4))
def test_any_path(client: httpx.Client, segments: list[str]) -> None:
    path = "/" + "/".join(quote(segment, safe="") for segment in segments)
    assert client.get(f"{str(client.base_url).rstrip('/')}{path}").status_code in {200, 404, 405, 422}
