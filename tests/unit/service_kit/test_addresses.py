import re

import pytest
from pydantic import BaseModel, ValidationError

from service_kit.addresses import HostPort, UnixOrTcp


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("192.0.2.1:25", "192.0.2.1", 25),
        ("0.0.0.0:0", "0.0.0.0", 0),
        ("[2001:db8::1]:587", "2001:db8::1", 587),
        ("[2001:0DB8:0::1]:587", "2001:db8::1", 587),
        ("[::]:65535", "::", 65535),
        ("mx.example:25", "mx.example", 25),
        ("spam_d-1:783", "spam_d-1", 783),
    ],
)
def test_an_address_is_read_and_written_back(text: str, host: str, port: int) -> None:
    address = HostPort.parse(text)
    assert (address.host, address.port) == (host, port)
    assert HostPort.parse(str(address)) == address


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "host:port"),
        ("localhost", "host:port"),
        (":25", "0.0.0.0:25"),
        ("2001:db8::1:25", "in brackets"),
        ("[2001:db8::1]", "brackets"),
        ("[192.0.2.1]:25", "not an IPv6 address"),
        ("192.0.2.256:25", "not an IPv4 address"),
        ("192.0.2:25", "not an IPv4 address"),
        ("mx.example:", "port must be a number"),
        ("mx.example:65536", "65535"),
        ("mx.example:-1", "port must be a number"),
        ("mx.example:+1", "port must be a number"),
        ("mx.example:٢٥", "port must be a number"),
        ("mx example:25", "host name"),
        ("mx..example:25", "host name"),
        ("-mx.example:25", "host name"),
        ("http://mx.example:25", "brackets"),
        ("mx.example\n:25", "host name"),
        (f"{'a' * 64}.example:25", "host name"),
    ],
)
def test_what_is_no_address_is_refused_with_the_cure(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        HostPort.parse(text)


def test_a_path_is_a_unix_socket() -> None:
    where = UnixOrTcp.parse("/run/clamav/clamd.ctl")
    assert (where.path, where.tcp) == ("/run/clamav/clamd.ctl", None)
    assert str(where) == "/run/clamav/clamd.ctl"


def test_anything_else_is_tcp() -> None:
    where = UnixOrTcp.parse("127.0.0.1:3310")
    assert (where.path, where.tcp) == (None, HostPort("127.0.0.1", 3310))
    assert str(where) == "127.0.0.1:3310"


@pytest.mark.parametrize("text", ["run/clamd.ctl", "/run/\0x", "/" + "a" * 103])
def test_a_path_that_cannot_be_bound_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="UNIX socket"):
        UnixOrTcp.parse(text)


class _Model(BaseModel):
    listen: HostPort
    engine: UnixOrTcp = UnixOrTcp(path="/run/x")


def test_a_model_takes_text_and_values_and_writes_text() -> None:
    from_text = _Model.model_validate({"listen": "127.0.0.1:25", "engine": "/run/y"})
    assert from_text == _Model(listen=HostPort("127.0.0.1", 25), engine=UnixOrTcp(path="/run/y"))
    assert from_text.model_dump(mode="json") == {"listen": "127.0.0.1:25", "engine": "/run/y"}


def test_a_model_says_one_thing_about_a_bad_address() -> None:
    for bad in ("nowhere", 25, None):
        with pytest.raises(ValidationError) as wrong:
            _Model.model_validate({"listen": bad})
        assert len(wrong.value.errors()) == 1
