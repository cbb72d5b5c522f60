"""Who a client says it is; passwords are nowhere."""

from base64 import b64encode

import pytest

from edge_proxy.smtp.sasl import LONGEST_NAME, Claim

SECRET = b"swordfish"


def coded(octets: bytes) -> bytes:
    return b64encode(octets)


PLAIN = coded(b"\0joe@example.net\0" + SECRET)


@pytest.mark.parametrize(
    ("argument", "lines", "name"),
    [
        (b"PLAIN " + PLAIN, [], b"joe@example.net"),
        (b"plain  " + PLAIN, [], b"joe@example.net"),
        (b"PLAIN", [PLAIN + b"\r\n"], b"joe@example.net"),
        (b"PLAIN " + coded(b"other\0joe\0" + SECRET), [], b"joe"),
        (b"LOGIN", [coded(b"joe") + b"\r\n", coded(SECRET) + b"\r\n"], b"joe"),
        (b"LOGIN " + coded(b"joe"), [coded(SECRET) + b"\r\n"], b"joe"),
        (b"LOGIN", [], b""),
        (b"PLAIN =", [PLAIN], b""),
        (b"PLAIN", [b"*\r\n", PLAIN], b""),
        (b"PLAIN " + coded(b"joe\0" + SECRET), [], b""),
        (b"PLAIN " + coded(b"\0joe\0" + SECRET + b"\0more"), [], b""),
        (b"PLAIN no base64", [], b""),
        (b"PLAIN " + PLAIN[:-1], [], b""),
        (b"CRAM-MD5", [coded(b"joe 0123456789abcdef")], b""),
        (b"XOAUTH2 " + coded(b"user=joe\1auth=Bearer x\1\1"), [], b""),
        (b"", [coded(b"joe")], b""),
    ],
)
def test_the_name_is_in_the_first_thing_said(
    argument: bytes, lines: list[bytes], name: bytes
) -> None:
    claim = Claim(argument)
    for line in lines:
        claim.said(line)
    assert claim.name == name


def test_a_name_is_bounded() -> None:
    assert Claim(b"LOGIN " + coded(b"x" * LONGEST_NAME)).name == b"x" * LONGEST_NAME
    assert Claim(b"LOGIN " + coded(b"x" * (LONGEST_NAME + 1))).name == b""
    assert Claim(b"PLAIN " + coded(b"\0joe\0" + b"x" * 4000)).name == b""


def test_nothing_but_the_name_is_kept() -> None:
    claim = Claim(b"PLAIN " + PLAIN)
    kept = {name: getattr(claim, name) for name in Claim.__slots__}
    assert kept == {"name": b"joe@example.net", "_read": None}
