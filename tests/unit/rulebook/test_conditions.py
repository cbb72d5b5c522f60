import pytest

from rulebook.conditions import LONGEST_DOMAIN, a_label, domain_of, upwards


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        (b"someone@Mail.Example", "mail.example"),
        (b"someone@mail.example.", "mail.example"),
        (b'"a@b"@mail.example', "mail.example"),
        (b"someone", ""),
        (b"", ""),
        (b"someone@", ""),
        ("someone@Bücher.example".encode(), "xn--bcher-kva.example"),
        (b"someone@\xff.example", "\ufffd.example"),
        (b"someone@[192.0.2.7]", "[192.0.2.7]"),
    ],
)
def test_the_domain_of_an_address_is_what_servers_would_ask_about(
    address: bytes, domain: str
) -> None:
    assert domain_of(address) == domain


def test_a_domain_that_is_none_is_left_as_it_is() -> None:
    assert a_label("é" * 70) == "é" * 70


def test_a_domain_longer_than_any_has_no_more_parents_than_one() -> None:
    domain = domain_of(b"x@" + b"a." * 6000 + b"isp.example")
    assert len(domain) <= LONGEST_DOMAIN
    assert "isp.example" in upwards(domain)
    assert len(domain_of(b"x@" + "é.".encode() * 4000)) <= 4 * LONGEST_DOMAIN
