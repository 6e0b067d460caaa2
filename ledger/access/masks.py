"""How a personal value is shown to whom it need not be shown whole. Pure; never more than a few characters of it remain."""

import re
import unicodedata

from ledger.event import Tier

_SURNAMES_OF_TWO = frozenset(
    [
        "欧阳",
        "司马",
        "上官",
        "诸葛",
        "东方",
        "皇甫",
        "尉迟",
        "公孙",
        "慕容",
        "令狐",
        "宇文",
        "长孙",
        "司徒",
        "司空",
        "夏侯",
        "南宫",
        "端木",
        "独孤",
    ]
)
"""Surnames of two characters, which stay whole in a mask; any other Chinese name keeps its first character."""


CORE_CHARACTERS_MIN = 8
"""A core value that is shorter shows nothing: a third of it would be told beside fewer than six that are hidden."""

_ADDRESS = re.compile(r"([A-Za-z0-9._%+-]{1,64})@((?!.*\d{6})(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24})")
"""A whole e-mail address; a domain with six digits in a row could be somebody's number, and is no address here."""

_HAN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]")
"""Chinese characters, and the scripts whose names are written like theirs, without a space that means anything."""


def masked(path: str, value: object, tier: Tier) -> str:
    """`138****5678`, `11************1234`, `张**`, `li***@example.com`; of other text nothing but its length.

    A core value shows a third of itself at most, four characters at most in a row, and never anything where it has
    fewer than eight; a form is looked for in whole values only, never within a longer text.
    """
    text = str(value)
    name = path.rpartition(".")[2]
    if tier is Tier.CORE:
        return _core(text, head_max=2 if "identity" in name else 0)
    if re.fullmatch(r"(\+?86)?1\d{10}", text):
        return f"{text[-11:-8]}****{text[-4:]}"
    if re.fullmatch(r"[\d -]{8,}", text):
        return _core(text, head_max=0)
    address = _ADDRESS.fullmatch(text)
    if address is not None:
        local, domain = address.groups()
        return f"{local[:2] if len(local) > 2 else ''}***@{domain}"
    if "name" in name and len(text) <= 40:
        return _name(text)
    return f"({len(text)} characters 字)"


def _core(text: str, *, head_max: int) -> str:
    """The end of a number, and up to `head_max` of its beginning; spaces, dashes and points do not count as hidden."""
    number = re.sub(r"[\W_]", "", text)
    shown_max = len(number) // 3 if len(number) >= CORE_CHARACTERS_MIN else 0
    tail = min(shown_max, 4)
    head = min(shown_max - tail, head_max)
    return number[:head] + "*" * (len(number) - head - tail) + number[len(number) - tail :]


def _name(text: str) -> str:
    """A Chinese name's surname, however it is spaced; of others the first letter of each part of three or more."""
    if not _HAN.search(text):
        return " ".join((part[0] if len(part) > 2 else "*") + "*" * (len(part) - 1) for part in text.split())
    written = "".join(each for each in text if unicodedata.category(each)[0] in "LMNP")
    kept = 2 if written[:2] in _SURNAMES_OF_TWO and len(written) > 2 else 1 if len(written) > 1 else 0
    return written[:kept] + "*" * (len(written) - kept)
