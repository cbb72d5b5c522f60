import pytest

from edge_proxy.smtp.limits import XCLIENT_LINE
from edge_proxy.smtp.xclient import xclient_address, xclient_commands, xtext


@pytest.mark.parametrize(
    ("octets", "encoded"),
    [
        (b"client.example", b"client.example"),
        (b"a+b=c", b"a+2Bb+3Dc"),
        (b"a b\r\nQUIT", b"a+20b+0D+0AQUIT"),
        (b"\xff\0~!", b"+FF+00~!"),
        (b"[UNAVAILABLE]", b"[UNAVAILABLE]"),
    ],
)
def test_a_value_is_xtext(octets: bytes, encoded: bytes) -> None:
    assert xtext(octets) == encoded


def test_an_ipv6_address_says_that_it_is_one() -> None:
    assert xclient_address("2001:db8::1") == b"IPV6:2001:db8::1"
    assert xclient_address("192.0.2.1") == b"192.0.2.1"


def test_only_what_is_offered_and_known_is_said_and_once() -> None:
    values = {b"ADDR": b"192.0.2.1", b"PORT": b"4000"}
    assert xclient_commands([b"addr", b"NAME", b"ADDR"], values) == [b"XCLIENT ADDR=192.0.2.1\r\n"]
    assert xclient_commands([], values) == []


@pytest.mark.parametrize("length", [1, 240, 241, 245, 500, 501, 502, 503, 504, 2000])
def test_no_command_is_longer_than_a_server_reads(length: int) -> None:
    values = {b"A": b"x" * length, b"B": b"y" * length, b"C": b"z"}
    commands = xclient_commands([b"A", b"B", b"C"], values)
    assert all(len(command) <= XCLIENT_LINE for command in commands)
    said = b"".join(commands)
    fits = length <= XCLIENT_LINE - len(b"XCLIENT A=\r\n")
    assert (b"A=" + b"x" * length in said) is fits
    assert (b"A=[UNAVAILABLE]" in said) is not fits
    assert said.count(b"C=z") == 1
