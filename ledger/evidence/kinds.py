"""The kinds of file that are taken as evidence, and how the content of each begins. Nothing here reads a file.

A first look at the bytes, not a virus scanner: it keeps a program from being called a recording.
"""

import re
from collections.abc import Mapping

HEAD_BYTES = 512
"""How much of a file is looked at."""

FILE_BYTES_MAX = 256 * 1024 * 1024
"""Some four hours of a telephone call at 128 kbit/s."""

BEGINNINGS: Mapping[str, re.Pattern[bytes]] = {
    "application/pdf": re.compile(rb"%PDF-"),
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "image/jpeg": re.compile(rb"\xff\xd8\xff"),
    "image/webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
    "image/tiff": re.compile(rb"II\*\x00|MM\x00\*"),
    "audio/mpeg": re.compile(rb"ID3|\xff[\xe2-\xff]"),
    "audio/wav": re.compile(rb"RIFF....WAVE", re.DOTALL),
    "audio/ogg": re.compile(rb"OggS"),
    "audio/mp4": re.compile(rb"....ftyp", re.DOTALL),
    "video/mp4": re.compile(rb"....ftyp", re.DOTALL),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": re.compile(rb"PK\x03\x04"),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": re.compile(rb"PK\x03\x04"),
    "message/rfc822": re.compile(rb"[!-9;-~]+:[ \t]"),
    "text/plain": re.compile(rb"[^\x00]+\Z"),
}
"""By content type. Office documents are archives, so what is inside them is taken on trust."""


def begins_as(content_type: str, head: bytes) -> bool:
    """Whether the first bytes of a file are those of a file of that type; `head` is up to HEAD_BYTES of it."""
    return BEGINNINGS[content_type].match(head[:HEAD_BYTES]) is not None
