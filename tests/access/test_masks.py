"""What is left of a value in a mask: a table of forms, and what no generated value may get past."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.access.masks import masked
from ledger.event import Tier

FIELDS = {
    "customer_name": Tier.ORDINARY,
    "customer_contact": Tier.ORDINARY,
    "customer_identity_number": Tier.CORE,
    "customer_account": Tier.CORE,
    "content": Tier.ORDINARY,
    "finding": Tier.IMPORTANT,
}

CHARACTERS = st.sampled_from("张王欧阳若兰邮箱身份证号码\u3000 \u200b·-@.，。+_0123456789０１XabZé𠮷")
"""What values are made of that look like several forms at once."""

FORMS = st.sampled_from(
    [
        "13812345678",
        "110101199001011234",
        "6222 0202 0011 2233 445",
        "E1234567",
        "li.wei@bank.example",
        "张 三",
        "欧阳若兰",
    ]
)
VALUES = st.one_of(
    st.text(CHARACTERS, min_size=1, max_size=60),
    st.lists(st.one_of(FORMS, st.text(CHARACTERS, max_size=5)), min_size=1, max_size=4).map("".join),
    st.from_regex(r"[A-Z]{0,2}[0-9]{4,18}[A-Z]?", fullmatch=True),
)


@pytest.mark.parametrize(
    ("path", "value", "shown"),
    [
        ("customer_contact", "13812345678", "138****5678"),
        ("customer_contact", "+8613812345678", "138****5678"),
        ("customer_contact", "025-83123456", "********456"),
        ("customer_contact", "li.wei@bank.example", "li***@bank.example"),
        ("customer_contact", "ab@bank.example", "***@bank.example"),
        ("customer_contact", "li.wei@bank.example 或13812345678", "(32 characters 字)"),
        ("customer_contact", "a@110101199001011234.com", "(24 characters 字)"),
        ("content", "邮箱li@example.com，身份证号110101199001011234", "(39 characters 字)"),
        ("customer_identity_number", "320106199001011234", "32************1234"),
        ("customer_identity_number", "11010519491231002X", "11************002X"),
        ("customer_identity_number", "E1234567", "******67"),
        ("customer_identity_number", "H12345678", "******678"),
        ("customer_identity_number", "E123456", "*******"),
        ("customer_identity_number", "li.wei@bank.example", "l***********mple"),
        ("customer_account", "6222 0202 0011 2233 445", "***************3445"),
        ("customer_account", "13812345678", "********678"),
        ("customer_account", "1234567", "*******"),
        ("corrected.customer_name", "欧阳若兰", "欧阳**"),
        ("customer_name", "欧阳", "欧*"),
        ("customer_name", "张伟", "张*"),
        ("customer_name", "张 三", "张*"),
        ("customer_name", "王\u3000五", "王*"),
        ("customer_name", " 欧 阳\u200b若 兰", "欧阳**"),
        ("customer_name", "阿依古丽·买买提", "阿*******"),
        ("customer_name", "张", "*"),
        ("customer_name", "Ann Lee", "A** L**"),
        ("customer_name", "L i W e i", "* * * * *"),
        ("customer_name", "Li Wei", "** W**"),
        ("content", "电话里说得很清楚。", "(9 characters 字)"),
    ],
)
def test_a_mask(path: str, value: str, shown: str) -> None:
    assert masked(path, value, FIELDS[path.rpartition(".")[2]]) == shown


def _told(shown: str) -> int:
    """How many characters of the value a mask shows."""
    return len(re.sub(r"[*\W_]", "", shown))


@given(st.sampled_from([path for path, tier in FIELDS.items() if tier is Tier.CORE]), VALUES)
def test_of_a_core_value_a_third_is_shown_at_most_and_four_characters_are_hidden(path: str, value: str) -> None:
    whole = len(re.sub(r"[\W_]", "", value))
    shown = masked(path, value, Tier.CORE)
    assert len(re.sub(r"[^*]", "", shown)) >= min(whole, 4)
    assert _told(shown) <= min(whole // 3, 6)


@given(VALUES)
def test_of_a_name_in_chinese_only_the_surname_is_shown(value: str) -> None:
    name = f"张{value}"[:40]
    shown = masked("customer_name", name, Tier.ORDINARY)
    assert shown in {"张" + "*" * (len(shown) - 1), "*"}


@given(VALUES)
def test_of_any_other_name_each_part_shows_a_third_at_most(value: str) -> None:
    name = re.sub(r"[\u4e00-\u9fff𠮷@]", "z", value)[:40]
    if not re.search(r"[A-Za-z]", name):
        name = f"{name[:39]}z"
    shown = masked("customer_name", name, Tier.ORDINARY)
    assert [len(each) for each in shown.split()] == [len(each) for each in name.split()]
    assert all(len(each.replace("*", "")) <= len(each) // 3 for each in shown.split())


@given(st.sampled_from(["customer_contact", "content", "finding"]), VALUES)
def test_what_is_not_wholly_of_a_form_shows_its_length_only(path: str, value: str) -> None:
    shown = masked(path, value, FIELDS[path])
    address = re.fullmatch(r"([A-Za-z0-9._%+-]+)@([A-Za-z0-9.-]+)", value)
    if re.fullmatch(r"(\+?86)?1\d{10}", value):
        assert shown == f"{value[-11:-8]}****{value[-4:]}"
    elif re.fullmatch(r"[\d -]{8,}", value):
        assert _told(shown) <= len(re.sub(r"[ -]", "", value)) // 3
    elif address is not None and not shown.startswith("("):
        assert shown.rpartition("***@") == (shown[: shown.index("*")], "***@", address[2])
        assert len(shown.partition("*")[0]) <= 2
    else:
        assert shown == f"({len(value)} characters 字)"


@given(st.sampled_from(list(FIELDS)), VALUES)
def test_no_mask_shows_the_whole(path: str, value: str) -> None:
    written = re.sub(r"[\s\u200b]", "", value)
    assert len(written) < 2 or "*" in written or written not in masked(path, value, FIELDS[path])
