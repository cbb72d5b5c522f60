"""The spelling of subjects."""

import pytest

from policy.core.subjects import (
    SubjectError,
    check_subject,
    counted_source,
    normal_address,
    parse_subject,
)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("address:192.0.2.1", "address:192.0.2.1"),
        ("address:2001:DB8:0:0::1", "address:2001:db8::1"),
        ("address:::ffff:192.0.2.1", "address:192.0.2.1"),
        ("prefix:192.0.2.0/24", "prefix:192.0.2.0/24"),
        ("prefix:192.0.2.0/255.255.255.0", "prefix:192.0.2.0/24"),
        ("prefix:2001:DB8::/32", "prefix:2001:db8::/32"),
        ("prefix:0.0.0.0/0", "prefix:0.0.0.0/0"),
        ("identity:subscriber-17", "identity:subscriber-17"),
        ("identity:a:b", "identity:a:b"),
        ("auth:żółw@example", "auth:żółw@example"),
    ],
)
def test_a_subject_has_one_spelling(text: str, canonical: str) -> None:
    assert str(parse_subject(text)) == canonical
    assert check_subject(canonical) == canonical


def test_another_spelling_is_not_taken_where_one_spelling_is_kept() -> None:
    with pytest.raises(SubjectError, match="is not spelt as address:2001:db8::1"):
        check_subject("address:2001:DB8::1")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "should be one of address:"),
        ("192.0.2.1", "should be one of address:"),
        ("host:mx.example", "should be one of address:"),
        ("address:", "is not an IPv4 or IPv6 address"),
        ("address:192.0.2.1/32", "is not an IPv4 or IPv6 address"),
        ("address:192.0.2.01", "is not an IPv4 or IPv6 address"),
        ("address: 192.0.2.1", "is not an IPv4 or IPv6 address"),
        ("address:fe80::1%eth0", "has a zone"),
        ("prefix:192.0.2.1", "one address is address:192.0.2.1"),
        ("prefix:192.0.2.1/24", "the prefix is 192.0.2.0/24"),
        ("prefix:192.0.2.0/33", "is not a prefix"),
        ("identity:", "1 to 256 printable characters"),
        ("identity: x", "no space at the ends"),
        ("identity:a\nb", "printable"),
        ("auth:" + "x" * 257, "1 to 256"),
    ],
)
def test_what_is_no_subject_is_named_with_what_would_be_right(text: str, said: str) -> None:
    with pytest.raises(SubjectError, match=said.replace("(", r"\(")):
        parse_subject(text)


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8:0:0:ffff::1", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
    ],
)
def test_an_ipv6_source_counts_by_its_64(address: str, counted: str) -> None:
    assert counted_source(address) == counted


def test_a_v4_mapped_address_is_the_v4_address() -> None:
    assert normal_address("::FFFF:192.0.2.1") == "192.0.2.1"
