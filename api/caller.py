"""Who asks, and what a request says beside its body: principal, idempotency key, version rested on.

Until bearer tokens come, the principal is what the caller says it is: so the service listens on
loopback only (`api.server`), and every route gets the principal from `caller` alone.
"""

from typing import Annotated

from fastapi import Depends, Header

from ledger.event import StaffId

ANONYMOUS = "anonymous"

ETAG = r'^"(0|[1-9][0-9]{0,17})"$'
"""The version of a complaint as a strong entity tag, as `GET /complaints/{complaint_id}` gave it."""


async def caller(
    ledger_principal: Annotated[
        StaffId,
        Header(
            alias="Ledger-Principal",
            description="Who records this, until bearer tokens come.",
            examples=["registrar.li"],
        ),
    ] = ANONYMOUS,
) -> str:
    """The principal: the one dependency that says who asks."""
    return ledger_principal


Caller = Annotated[str, Depends(caller)]

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[ -~]+$",
        description="Makes a retry safe: the same key with the same request gives the first outcome again, "
        "with another request it is refused. 1 to 200 printable ASCII characters. The program makes one where it is absent.",
        examples=["3f1c7d1e-9f0a-4a55-8a3e-0d0f6f0f2b11"],
    ),
]
"""The caller's own name for a request, scoped by book and principal."""

RestedOn = Annotated[
    str,
    Header(
        alias="If-Match",
        pattern=ETAG,
        description="The `ETag` of the complaint as it was read: this command changes a decision. "
        "Absent: 428. No longer the complaint's version: 412.",
        examples=['"4"'],
    ),
]
"""The version that a decision rests on; a request without it is answered 428 (`api.problems`)."""

Expected = Annotated[
    str | None,
    Header(
        alias="If-Match",
        pattern=ETAG,
        description="The `ETag` of the complaint as it was read, where nothing may have come between. No longer its version: 412.",
        examples=['"4"'],
    ),
]
"""The version that the caller insists on, if any."""


def version_in(if_match: str | None) -> int | None:
    """The version that an entity tag of ours names."""
    return int(if_match.strip('"')) if if_match else None
