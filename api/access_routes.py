"""Where the commands about access are posted that are recorded like any other. Nothing here serves a request."""

from http import HTTPStatus

from api.parties import Posted
from ledger.access import commands as ask

REQUEST = "/access-requests/{request_id}"
SUBJECT = "/data-subjects/{subject_id}"

ACCESS_POSTED = (
    Posted("/access-requests", ask.RequestAccess, status=HTTPStatus.CREATED),
    Posted(f"{REQUEST}/approval", ask.ApproveAccess),
    Posted(f"{REQUEST}/decline", ask.DeclineAccess),
    Posted(f"{REQUEST}/use-report", ask.ReportAccessUse),
    Posted(f"{SUBJECT}/erasure-requests", ask.RequestErasure),
    Posted(f"{SUBJECT}/erasure-requests/approval", ask.ApproveErasure),
    Posted(f"{SUBJECT}/erasure-requests/end", ask.EndErasureRequest),
    Posted(f"{SUBJECT}/holds", ask.PlaceLegalHold),
    Posted(f"{SUBJECT}/holds/{{hold_id}}/lifting", ask.LiftLegalHold),
    Posted("/permission-reviews", ask.SignPermissionReview),
    Posted("/staff/{person}/deputies", ask.NameDeputy),
    Posted("/staff/{person}/deputies/end", ask.EndDeputy),
)
"""The commands of access that are recorded like any other."""
