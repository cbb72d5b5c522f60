from dataclasses import replace

import pytest

from edge_proxy.trace import TraceStyle, render_trace_header
from smtpgated_contracts.values.mail import Endpoint, SessionId, SessionRef
from tests.support.relay_samples import SESSION


def rendered(
    session: SessionRef = SESSION, style: TraceStyle = TraceStyle.GENERIC, abuse: str = ""
) -> bytes:
    return render_trace_header(
        session,
        style=style,
        header="X-NAT-Received",
        name="edge.example",
        abuse=abuse,
        started_unix_s=1_700_000_000,
    )


def test_the_generic_header_says_who_where_and_whom_to_write_to() -> None:
    session = replace(SESSION, identity="subscriber-17")
    assert rendered(session, abuse="abuse@isp.example") == (
        b"X-NAT-Received: from [192.0.2.7]:40000 [ident subscriber-17]\r\n"
        b"\tby edge.example with TPROXY id 1700000000.s1\r\n"
        b"\tabuse-to abuse@isp.example\r\n"
    )


def test_what_nobody_knows_is_not_made_up() -> None:
    assert rendered() == (
        b"X-NAT-Received: from [192.0.2.7]:40000 [ident-empty]\r\n"
        b"\tby edge.example with TPROXY id 1700000000.s1\r\n"
    )


def test_the_short_header_is_the_address_alone() -> None:
    session = replace(SESSION, source=Endpoint("2001:db8::7", 40000))
    assert rendered(session, TraceStyle.IP_ONLY) == b"X-NAT-Received: 2001:db8::7\r\n"
    assert rendered(style=TraceStyle.NONE) == b""


@pytest.mark.parametrize(
    "stranger",
    ["a\r\nBcc: x@y", "a\n.\n", "a]\r\n\r\nbody", "\0", "ż", "(comment)", "x" * 5000, " .", "\t"],
)
def test_an_identity_is_one_harmless_word(stranger: str) -> None:
    session = replace(SESSION, identity=stranger, session_id=SessionId(stranger))
    lines = rendered(session).split(b"\r\n")
    assert len(lines) == 3
    assert lines[1].startswith(b"\tby ")
    assert all(len(line) <= 998 for line in lines)
    assert all(line.isascii() and not set(line) & set(b"\r\n\0") for line in lines)
    assert lines[0].count(b"]") == 2
