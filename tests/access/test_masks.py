"""What is left of a value in a mask."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.access.masks import masked


@pytest.mark.parametrize(
    ("path", "value", "shown"),
    [
        ("customer_contact", "13812345678", "138****5678"),
        ("customer_contact", "+8613812345678", "138****5678"),
        ("customer_contact", "li.wei@bank.example", "li***@bank.example"),
        ("customer_contact", "ab@bank.example", "***@bank.example"),
        ("customer_identity_number", "320106199001011234", "320***********1234"),
        ("customer_identity_number", "11010519491231002X", "110***********002X"),
        ("customer_account", "6222 0202 0011 2233 445", "***************3445"),
        ("corrected.customer_name", "欧阳若兰", "欧阳**"),
        ("customer_name", "张伟", "张*"),
        ("customer_name", "Ann Lee", "A** L**"),
        ("content", "电话里说得很清楚。", "(9 characters 字)"),
        ("customer_account", "1234567", "*******"),
    ],
)
def test_a_mask(path: str, value: str, shown: str) -> None:
    assert masked(path, value) == shown


@given(
    st.sampled_from(["customer_name", "customer_contact", "customer_identity_number", "content"]), st.text(min_size=9)
)
def test_no_mask_shows_the_whole(path: str, value: str) -> None:
    stripped = value.strip()
    assert len(stripped) < 3 or stripped not in masked(path, value)
