"""What is not taken in as a file of evidence, each with what to do instead."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from ledger.refusal import Refusal


@dataclass(eq=False)
class FileTooLarge(Refusal):
    """A file has a bound, so that one cannot fill the disk."""

    bytes_max: int

    says: ClassVar[str] = "The file is larger than {bytes_max} bytes."
    remedy: ClassVar[str] = "Nothing was kept. Part it, or keep it elsewhere and record its digest in sha256."


@dataclass(eq=False)
class FileEmpty(Refusal):
    """A file without a byte is a slip."""

    says: ClassVar[str] = "The file is empty."
    remedy: ClassVar[str] = "Send its content as the body of the request."


@dataclass(eq=False)
class ContentTypeNotTaken(Refusal):
    """Only kinds of file that evidence comes in are taken: no program, no web page."""

    known: tuple[str, ...]

    says: ClassVar[str] = "The Content-Type is none that is taken as evidence."
    remedy: ClassVar[str] = "Use one of those in `known`."


@dataclass(eq=False)
class ContentIsOfAnotherType(Refusal):
    """The first bytes of a file show what it is, whatever its sender calls it."""

    content_type: str

    says: ClassVar[str] = "The content does not begin as {content_type} does."
    remedy: ClassVar[str] = "Nothing was kept. Send the Content-Type that the file has."


@dataclass(eq=False)
class NoSuchFile(Refusal):
    """There is no such file in this complaint."""

    file_id: UUID

    says: ClassVar[str] = "The complaint has no file {file_id}."
    remedy: ClassVar[str] = "Check the id: the complaint's history names its files."


@dataclass(eq=False)
class FileErased(Refusal):
    """The key of the file's data subject was destroyed: the file is there and opens for nobody."""

    file_id: UUID

    says: ClassVar[str] = "The file {file_id} was erased with its data subject."
    remedy: ClassVar[str] = "Its digest stays in the record; the content is gone."
