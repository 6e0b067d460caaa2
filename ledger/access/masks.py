"""How a personal value is shown to whom it need not be shown whole. Pure; never more than a few characters of it remain."""

import re

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


def masked(path: str, value: object) -> str:
    """`138****5678`, `110***********1234`, `张**`, `li***@example.com`; of longer text nothing but its length."""
    text = str(value)
    name = path.rpartition(".")[2]
    if re.fullmatch(r"(\+?86)?1\d{10}", text):
        return f"{text[-11:-8]}****{text[-4:]}"
    if "identity" in name and len(text) >= 8:
        return text[:3] + "*" * (len(text) - 7) + text[-4:]
    if "account" in name or re.fullmatch(r"[\d -]{8,}", text):
        digits = re.sub(r"[ -]", "", text)
        return "*" * max(len(digits) - 4, 0) + digits[-4:] if len(digits) >= 8 else "*" * len(digits)
    if "@" in text and " " not in text:
        local, _, domain = text.partition("@")
        return f"{local[:2] if len(local) > 2 else ''}***@{domain}"
    if "name" in name and len(text) <= 40:
        return _name(text)
    return f"({len(text)} characters 字)"


def _name(text: str) -> str:
    if re.fullmatch(r"[\u4e00-\u9fff·]{2,}", text):
        kept = 2 if text[:2] in _SURNAMES_OF_TWO and len(text) > 2 else 1
        return text[:kept] + "*" * (len(text) - kept)
    return " ".join(part[:1] + "*" * (len(part) - 1) for part in text.split())
