"""One sequence in a session of its own: what is sent, and how the server answers."""

import asyncio
from typing import Final

from lab.raw_client import RawClient
from service_kit.addresses import HostPort
from tests.support.desync.sequences import Sequence, Tempo
from tests.support.eventually import turns
from tests.support.mail_client import ENVELOPE, MailClient

_SILENCE_S: Final = 1.5
"""A server that says nothing for so long has not taken what it got for an end."""
_QUIT: Final = b"QUIT\r\n"

Codes = tuple[int, ...]


async def attempt(to: HostPort, sequence: Sequence, mark: bytes, door: asyncio.Semaphore) -> Codes:
    """The codes of all answers to what was sent behind the envelope, until the server hangs up.
    None where it does not offer BDAT and the sequence is for a chunk.

    ``door`` lets as many connect at once as a server's backlog holds.

    To a server that does not offer PIPELINING the commands behind the sequence would be an
    offence of their own (RFC 2920 §3.1) and hide what it makes of it: it gets them step by step.
    """
    steps = sequence.steps(mark)
    async with door:
        client = await MailClient(to).connect()
        await client.reply()
    try:
        offer = await client.command(b"EHLO me.example")
        for command in ENVELOPE:
            assert (await client.command(command)).code < 400
        if sequence.tempo is Tempo.IN_A_CHUNK:
            return await _in_a_chunk(client, b"".join(steps)) if "CHUNKING" in offer.texts else ()
        assert (await client.command(b"DATA")).code == 354
        if "PIPELINING" not in offer.texts or sequence.tempo is Tempo.STEP_BY_STEP:
            return await _step_by_step(client, sequence, mark)
        if sequence.tempo is Tempo.BY_OCTETS:
            first, *others = steps
            await client.send_octets(first.removesuffix(sequence.octets))
            await _by_octets(client, sequence.octets)
            steps = tuple(others)
        await client.send_octets(b"".join(steps) + _QUIT)
        return await _codes(client)
    finally:
        client.abort()


async def _in_a_chunk(client: RawClient, content: bytes) -> Codes:
    """One chunk that is the last one, and what follows it, in one slice (RFC 3030 §2)."""
    await client.send_octets(b"BDAT %d LAST\r\n%b" % (len(content), content) + _QUIT)
    return await _codes(client)


async def _by_octets(client: RawClient, octets: bytes) -> None:
    for octet in octets:
        await turns()  # who reads on this loop has read what was sent
        await client.send_octets(bytes([octet]))
    await turns()


async def _step_by_step(client: RawClient, sequence: Sequence, mark: bytes) -> Codes:
    """Behind an answer to the first step each other one waits for its own; behind silence they
    are content still, and go in one slice."""
    first, *others = sequence.steps(mark)
    codes: list[int] = []
    try:
        await client.send_octets(first)
        if await _answered(client, sequence, codes):
            others.append(_QUIT)
        else:
            others = [b"".join(others), _QUIT]
        for step in others:
            await client.send_octets(step)
            codes.append((await client.reply()).code)
    except (EOFError, ConnectionError):
        pass  # hung up: what was answered until then is the outcome
    return tuple(codes)


async def _answered(client: RawClient, sequence: Sequence, codes: list[int]) -> bool:
    """Whether the first step was taken for an end. Only who could be deceived is waited for."""
    if sequence.messages == 1:
        return False
    try:
        async with asyncio.timeout(_SILENCE_S if sequence.messages == 0 else None):
            codes.append((await client.reply()).code)
    except TimeoutError:
        return False
    return True


async def _codes(client: RawClient) -> Codes:
    return tuple(int(line[:3]) for line in (await client.rest()).splitlines())
