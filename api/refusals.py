"""What the API itself refuses or cannot do, before or instead of a command. Nothing here knows status codes.

Refused by the rules is in `ledger`. `LedgerUnavailable` (a fault) and `ProgramFailed` (a bug) stand
here too, because what a caller reads about them has the same form.
"""

from dataclasses import dataclass
from datetime import tzinfo
from typing import ClassVar, TypedDict
from uuid import UUID

from ledger.refusal import Refusal


class FieldError(TypedDict):
    """One thing wrong with a request. `says` never repeats what was sent: it may be personal."""

    place: str
    field: str
    says: str


@dataclass(eq=False)
class InvalidRequest(Refusal):
    """A field, parameter or header is missing, unknown, or not of the form that the description of the request asks for.

    `facts.errors` names each one: `place` (body, path, query or header), `field`, and what to do. What was
    sent is not repeated, because it may be personal.
    """

    says: ClassVar[str] = "The request is not of the form that its description asks for."
    remedy: ClassVar[str] = "Put right each field named in `facts.errors`, and send it again."

    errors: list[FieldError]

    def told(self, zone: tzinfo | None = None) -> str:
        """The first thing that is wrong, in words, and how many more there are."""
        del zone
        first, *others = self.errors
        more = f" There is more wrong: {len(others)} named beside it." if others else ""
        return f"{first['place'].capitalize()} {first['field']}: {first['says']}.{more}"


@dataclass(eq=False)
class TokenMissing(Refusal):
    """Everything but health and documentation is answered to known callers only."""

    says: ClassVar[str] = "The request carries no bearer token."
    remedy: ClassVar[str] = (
        "Send the header `Authorization: Bearer …` with a token of your issuer, or one from `complaint-ledger token issue`."
    )


@dataclass(eq=False)
class TokenRefused(Refusal):
    """The token is not one that the ledger can believe: expired, altered, of another issuer or for another service."""

    says: ClassVar[str] = "The bearer token is refused: {reason}."
    remedy: ClassVar[str] = "Get a new token from the issuer that this ledger is configured for, and send that."

    reason: str


@dataclass(eq=False)
class NotAllowed(Refusal):
    """The caller is known, but none of its roles may do this. The table of roles says who may."""

    says: ClassVar[str] = "None of the caller's roles may do {action}."
    remedy: ClassVar[str] = (
        "Ask somebody in one of the roles in `facts.roles`, or have yours changed by whoever issues the token."
    )

    action: str
    roles: list[str]


@dataclass(eq=False)
class RankNotYours(Refusal):
    """A limit is that of a rank, and whoever approves has one by the roles of the token, not by what the request says."""

    says: ClassVar[str] = "None of the caller's roles carries the rank {rank}."
    remedy: ClassVar[str] = "Name the rank that is yours, or leave it to somebody in one of the roles in `facts.roles`."

    rank: str
    roles: list[str]


@dataclass(eq=False)
class BookNotYours(Refusal):
    """A token names the books that it is good for; this one is not among them."""

    says: ClassVar[str] = "The token is not good for the book {book}."
    remedy: ClassVar[str] = "Use a token that names this book, or the address of the service of your own."

    book: str


@dataclass(eq=False)
class DepartmentNotYours(Refusal):
    """The caller's roles reach the complaints of its own departments, those that no department has yet, and those that
    were given to the caller by name.
    """

    says: ClassVar[str] = "This is an affair of {department}. The caller's token is for {departments}."
    remedy: ClassVar[str] = (
        "Name one of your departments as `department`, or none for all of them; or ask the department that has the complaint."
    )

    department: str
    departments: list[str]

    def told(self, zone: tzinfo | None = None) -> str:
        """The sentence of this case, with the caller's departments in words."""
        del zone
        own = ", ".join(self.departments) or "no department"
        return self.says.format(department=self.department, departments=own)


@dataclass(eq=False)
class DepartmentUnknown(Refusal):
    """A caller who works within departments gave a complaint to one that the book's routing does not name.

    It may be handed over to any department that the routing names. A name that is written otherwise would take the
    complaint out of everybody's list, and out of the caller's own reach. Where no routing was published, any name is taken.
    """

    says: ClassVar[str] = "No department {department} is known: the caller's own and those of the routing are {known}."
    remedy: ClassVar[str] = (
        "Write the name as it stands in `facts.known`; have the routing published with a department that is missing there."
    )

    department: str
    known: list[str]

    def told(self, zone: tzinfo | None = None) -> str:
        """The sentence of this case, with the known departments in words."""
        del zone
        return self.says.format(department=self.department, known=", ".join(self.known))


@dataclass(eq=False)
class ReceiverNotYours(Refusal):
    """A regulator's token names the receivers that it reads for; this is not one of them."""

    says: ClassVar[str] = "The token reads for the receivers {receivers}, and this names another, or none."
    remedy: ClassVar[str] = "Name one of them as `receiver`, or let the institution issue a token that names yours."

    receivers: list[str]


@dataclass(eq=False)
class NotForReceivers(Refusal):
    """A regulator asks for figures as they stand now, by what its door shows, and for no less than a month.

    Figures of every position, or of every instant, would tell, one beside the other, which event or complaint stands between;
    the door's rows with them would tell of that complaint what the door leaves out. Figures by staff name the staff.
    """

    says: ClassVar[str] = "A regulator's token gives {parameter} to no question like this one, or not this value."
    remedy: ClassVar[str] = (
        "Leave out `as_of` and `now`, give `classified` as `first` or not at all, and break down by columns of the door: "
        "category, cause, channel, grade, issue, outcome, product, region. Ask for months or longer, and for deadlines `from` "
        "the first day of a month `to` the last day of one. "
        "What was told of an earlier time stands in the returns as they were sent, and in the rows of your door."
    )

    parameter: str


@dataclass(eq=False)
class NoSuchSubmission(Refusal):
    """No submission of this id was made of this return."""

    says: ClassVar[str] = "There is no submission {submission_id} of this return to this receiver."
    remedy: ClassVar[str] = "Name one of those that the return itself lists."

    submission_id: UUID


@dataclass(eq=False)
class NoSuchCell(Refusal):
    """A return has no cell with this column, or no row with these keys."""

    says: ClassVar[str] = "The return has the columns {columns}, and its rows are told apart by {keys}."
    remedy: ClassVar[str] = (
        "Name one of these columns, and a `key` for each of those, in their order, as a row of the document has them; or"
        " none for the total."
    )

    columns: list[str]
    keys: list[str]


@dataclass(eq=False)
class TooManyRequests(Refusal):
    """One caller asks more often than leaves room for others."""

    says: ClassVar[str] = "The caller sends too many requests."
    remedy: ClassVar[str] = "Wait for the seconds in `Retry-After`, and send them more slowly."

    seconds: int


@dataclass(eq=False)
class RequestMalformed(Refusal):
    """What came is no HTTP request: most often Chinese stands in the address as it is, or the head is far too large."""

    says: ClassVar[str] = "The request line or a header is not of the form that HTTP has."
    remedy: ClassVar[str] = (
        "Percent-encode what is not ASCII in the address (with curl: -G --data-urlencode 'department=信用卡中心'), "
        "and keep the address and the headers below 32 KiB."
    )


@dataclass(eq=False)
class MalformedJson(Refusal):
    """The body is not JSON as RFC 8259 has it: NaN, a lone surrogate and a comma too many are not JSON."""

    says: ClassVar[str] = "The body is not JSON (line {line}, column {column})."
    remedy: ClassVar[str] = "Send one JSON object, in UTF-8 (another encoding, such as GBK, is not read)."

    line: int
    column: int


@dataclass(eq=False)
class JsonTooDeep(Refusal):
    """Objects and lists stand within one another deeper than any command has them."""

    says: ClassVar[str] = "The body has objects or lists more than {limit_levels} levels deep."
    remedy: ClassVar[str] = "Send the fields that `/openapi.json` describes; none of them is so deep."

    limit_levels: int


@dataclass(eq=False)
class ContentTypeNotJson(Refusal):
    """A command's body is JSON and says so; a form or plain text is not read, so that no foreign web page can send one."""

    says: ClassVar[str] = "The body is not declared as JSON."
    remedy: ClassVar[str] = "Send the header `Content-Type: application/json`."


@dataclass(eq=False)
class BodyTooSlow(Refusal):
    """The body did not come within the time that there is for it."""

    says: ClassVar[str] = "The body of the request did not come within {seconds_max} seconds."
    remedy: ClassVar[str] = "Send the request again, with the same `Idempotency-Key`."

    seconds_max: int


@dataclass(eq=False)
class BodyTooLarge(Refusal):
    """A request's body has a limit. Files are not sent here: evidence is put on file by its digest."""

    says: ClassVar[str] = "The body is larger than {limit_bytes} bytes."
    remedy: ClassVar[str] = "Send less text, or put the document on file as evidence, by its digest."

    limit_bytes: int


@dataclass(eq=False)
class PreconditionRequired(Refusal):
    """A decision rests on what was read. `If-Match` says which version that was, so that nobody decides over another's head."""

    says: ClassVar[str] = (
        "This command changes a decision, and does not say which version of the complaint it rests on."
    )
    remedy: ClassVar[str] = "Read the complaint, and send its `ETag` in the header `If-Match`."


@dataclass(eq=False)
class NoSuchPage(Refusal):
    """Nothing is served under this path."""

    says: ClassVar[str] = "Nothing is served under this path."
    remedy: ClassVar[str] = "See `/openapi.json` for what is."


@dataclass(eq=False)
class NoSuchTile(Refusal):
    """The newest checkpoint covers no such tile, or it has not so many hashes yet."""

    says: ClassVar[str] = "There is no such tile under the newest checkpoint."
    remedy: ClassVar[str] = (
        "Read `/checkpoint` and ask for the tiles that its size has, as C2SP tlog-tiles lays them out."
    )


@dataclass(eq=False)
class MethodNotAllowed(Refusal):
    """The path is served, but not with this method; the header `Allow` names those that are."""

    says: ClassVar[str] = "This path is not served with this method."
    remedy: ClassVar[str] = "Use a method that the header `Allow` names."


@dataclass(eq=False)
class HostNotServed(Refusal):
    """The server answers only to the host names it was started for, so that a web page which renames itself to this machine cannot read it."""

    says: ClassVar[str] = "This server does not answer under the host name that was asked for."
    remedy: ClassVar[str] = "Use `127.0.0.1` or `localhost`."


@dataclass(eq=False)
class LedgerUnavailable(Refusal):
    """The database cannot be reached, or did not answer in time. A command may have been recorded all the same."""

    says: ClassVar[str] = "The ledger cannot be reached at the moment."
    to_a_question: ClassVar[str] = "Ask the same again after the seconds in `Retry-After`."
    to_a_command: ClassVar[str] = (
        "Send the same request with the same `Idempotency-Key` again after the seconds in `Retry-After`: it is recorded once."
    )
    remedy: ClassVar[str] = f"A question: {to_a_question} A command: {to_a_command}"


@dataclass(eq=False)
class ProgramFailed(Refusal):
    """The program has a fault of its own. It is in the log under the request's id; nothing half-done was recorded."""

    says: ClassVar[str] = "The program failed; this is not the caller's fault."
    remedy: ClassVar[str] = "Tell whoever runs the ledger the `request_id`."
