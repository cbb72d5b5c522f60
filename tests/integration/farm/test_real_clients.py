"""The programs people use, through the whole farm, to the servers people use.

What counts is what the far side stored, octet by octet.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab import messages
from lab.certificates import Authority
from lab.far_server import FarServer
from lab.farm import Farm
from lab.messages import Sample
from service_kit.addresses import HostPort
from tests.support.mail_programs import PROGRAMS, Account, with_curl_tls, with_smtplib_tls
from tests.support.postfix import Postfix


@dataclass(frozen=True, slots=True)
class FarSide:
    """An edge, and how to see what is stored behind it."""

    edge: HostPort
    stored: Callable[[Sample], Awaitable[bytes]]
    authority: Authority


def first_line(sample: Sample) -> bytes:
    return sample.content.partition(b"\r\n")[0]


async def stored_by(far: FarServer, sample: Sample) -> bytes:
    await far.wait_for_messages(1)
    (message,) = far.messages
    assert message.reverse_path == sample.sender.encode()
    assert message.recipients == (sample.recipient.encode(),)
    return message.content


@pytest.fixture
def strict_sink(farm: Farm, far: FarServer) -> FarSide:
    return FarSide(farm.edge_address, lambda sample: stored_by(far, sample), far.authority)


@pytest.fixture
def lenient(farm_before_lenient: Farm, lenient_postfix: Postfix) -> FarSide:
    return FarSide(
        farm_before_lenient.edge_address,
        lambda sample: lenient_postfix.stored(first_line(sample)),
        lenient_postfix.authority,
    )


@pytest.fixture
def strict(farm_before_strict: Farm, strict_postfix: Postfix) -> FarSide:
    return FarSide(
        farm_before_strict.edge_address,
        lambda sample: strict_postfix.stored(first_line(sample)),
        strict_postfix.authority,
    )


@pytest.fixture(params=["strict_sink", "lenient", "strict"])
def far_side(request: pytest.FixtureRequest) -> FarSide:
    side = request.getfixturevalue(request.param)
    assert isinstance(side, FarSide)
    return side


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("make", [messages.clean, lambda: messages.text(300_000)])
async def test_a_clean_message_is_stored_byte_for_byte(
    far_side: FarSide, program: str, make: Callable[[], Sample]
) -> None:
    sample = make()
    delivery = await PROGRAMS[program](far_side.edge, sample, None)
    assert delivery.accepted, delivery.said
    assert await far_side.stored(sample) == sample.content


@pytest.mark.parametrize("program", ["smtplib", "curl"])
async def test_starttls_is_tunnelled_to_the_servers_own_certificate(
    far_side: FarSide, program: str, tmp_path: Path
) -> None:
    sample = messages.clean()
    if program == "smtplib":
        trust = far_side.authority.client_context
        delivery = await with_smtplib_tls(far_side.edge, sample, trust)
    else:
        authority = await asyncio.to_thread(far_side.authority.write, tmp_path)
        delivery = await with_curl_tls(far_side.edge, sample, authority.authority)
    assert delivery.accepted, delivery.said
    assert await far_side.stored(sample) == sample.content


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("make", [messages.eicar_attached, messages.eicar_zipped, messages.gtube])
async def test_what_is_bad_is_refused_and_never_stored(
    farm: Farm, far: FarServer, program: str, make: Callable[[], Sample]
) -> None:
    delivery = await PROGRAMS[program](farm.edge_address, make(), None)
    assert not delivery.accepted
    assert "550 5.7.1" in delivery.said
    await far.wait_until(lambda: all(session.closed for session in far.sessions))
    assert far.message_count == 0
    assert far.sessions[0].cut_octets is not None


@pytest.mark.parametrize("program", PROGRAMS)
async def test_authentication_passes_both_ways(farm: Farm, far: FarServer, program: str) -> None:
    refused = await PROGRAMS[program](farm.edge_address, messages.clean(), Account("joe", "wrong"))
    assert not refused.accepted
    assert far.message_count == 0
    sample = messages.clean()
    accepted = await PROGRAMS[program](farm.edge_address, sample, Account("joe", "right"))
    assert accepted.accepted, accepted.said
    await far.wait_for_messages(1)
    assert far.messages[0].account == "joe"
    assert far.messages[0].content == sample.content
    assert "right" not in farm.child("edge").log.read_text()
