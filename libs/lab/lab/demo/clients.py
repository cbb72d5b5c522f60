"""The clients of the demonstration: smtplib as every script uses it, and a pipelining one.

Errors that leave them are those of smtplib, OSError, TimeoutError and EOFError: the edge did
not speak SMTP.
"""

import asyncio
import itertools
import smtplib
import ssl
import time
from collections.abc import Sequence
from typing import Final

from lab.demo.cases import Case, Told, Way
from lab.messages import Sample
from lab.raw_client import RawClient
from service_kit.addresses import HostPort

PATIENCE_S: Final = 30.0
_GO_AHEAD: Final = 354


async def send_all(shown: Sequence[Case], server: HostPort, trust: ssl.SSLContext) -> list[Told]:
    """In order; neighbours that are pipelined share a session."""
    told: list[Told] = []
    for way, group in itertools.groupby(shown, key=lambda case: case.way):
        samples = [case.sample for case in group]
        if way is Way.PIPELINED:
            told += await send_pipelined(server, samples)
            continue
        under = trust if way is Way.TLS else None
        for sample in samples:
            told.append(await asyncio.to_thread(send_alone, server, sample, under))
    return told


def send_alone(edge: HostPort, sample: Sample, trust: ssl.SSLContext | None = None) -> Told:
    """One session, one message; under TLS if there is somebody to trust. Blocks."""
    began = time.perf_counter()
    with smtplib.SMTP(edge.host, edge.port, "client.customer.example", PATIENCE_S) as client:
        if trust is not None:
            client.starttls(context=trust)
        client.ehlo_or_helo_if_needed()
        client.mail(sample.sender)
        client.rcpt(sample.recipient)
        code, text = client.data(sample.content)
    return Told(code, text.decode("utf-8", "backslashreplace"), _since(began))


async def send_pipelined(edge: HostPort, samples: Sequence[Sample]) -> list[Told]:
    """One session, RFC 2920 to its limit: each group goes out with the end before it."""
    told = []
    async with RawClient(edge, PATIENCE_S) as client:
        await client.reply()
        await client.command(b"EHLO client.customer.example")
        waiting = b""
        for sample in samples:
            began = time.perf_counter()
            await client.send_octets(waiting + _group(sample))
            if waiting:
                told.append(await _told(client, began))
            *_, go_ahead = await client.replies(3)
            if go_ahead.code != _GO_AHEAD:
                raise smtplib.SMTPDataError(go_ahead.code, go_ahead.text)
            waiting = _stuffed(sample.content) + b".\r\n"
        began = time.perf_counter()
        await client.send_octets(waiting + b"QUIT\r\n")
        told.append(await _told(client, began))
        await client.reply()
    return told


async def _told(client: RawClient, began: float) -> Told:
    reply = await client.reply()
    return Told(reply.code, reply.text, _since(began))


def _group(sample: Sample) -> bytes:
    return f"MAIL FROM:<{sample.sender}>\r\nRCPT TO:<{sample.recipient}>\r\nDATA\r\n".encode()


def _stuffed(content: bytes) -> bytes:
    return (b"\r\n" + content).replace(b"\r\n.", b"\r\n..")[2:]


def _since(began: float) -> float:
    return (time.perf_counter() - began) * 1000
