"""What a smtp-gated.conf demanded of clients, imported, and demanded by a real edge."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest

from edge_proxy.legacy.documents import documents
from edge_proxy.legacy.draft import File
from edge_proxy.legacy.translate import translate
from smtpgated_contracts.values.policy import ADMITTED, Decision, DecisionKind, SpfResult
from tests.support.edge import InnerEdge, inner_edge
from tests.support.eventually import eventually
from tests.support.fake_farm import FakeFarm

DEMANDS: Final = r"""
mode fixed
fixed_server 198.51.100.25
regex_enforce_helo \.example$
regex_reject_mail_from (?i)^bot@
regex_reject_rcpt_to ^nobody@
auth_require mandatory
spf incoming
dnsbl bl.example.org
lock_on regex, dnsbl
lock_duration 60
msg_regex_mail_from No bots
"""
ALLOWED: Final = (b"EHLO me.example", b"MAIL FROM:<a@customer.example>", b"RCPT TO:<b@far.example>")


@asynccontextmanager
async def demanding(farm: FakeFarm) -> AsyncIterator[InnerEdge]:
    """Loopback, where the tests live, is not exempt here."""
    rulebook = documents(translate(DEMANDS)[1])[File.RULEBOOK].replace('"127.0.0.0/8", ', "")
    farm.policy.rulebook = rulebook
    async with inner_edge(farm) as edge:
        yield edge


@pytest.mark.parametrize(
    ("commands", "code", "text"),
    [
        ((b"EHLO elsewhere.test",), 550, ""),
        ((b"EHLO me.example", b"MAIL FROM:<Bot@customer.example>"), 550, "No bots"),
        ((*ALLOWED[:2], b"RCPT TO:<nobody@far.example>"), 550, ""),
        ((*ALLOWED, b"DATA"), 530, ""),
    ],
)
async def test_a_command_that_was_refused_is_refused(
    farm: FakeFarm, commands: tuple[bytes, ...], code: int, text: str
) -> None:
    async with demanding(farm) as edge, edge.client() as client:
        assert (await client.reply()).code == 220
        *before, last = commands
        for command in before:
            assert (await client.command(command)).code == 250
        refused = await client.command(last)
        assert refused.code == code
        assert text in refused.text
        if code == 550:
            await eventually(lambda: farm.policy.asked_locks)
            assert farm.policy.asked_locks[0].lock.cause.startswith("regex-")


async def test_a_sender_that_spf_does_not_permit_is_refused(farm: FakeFarm) -> None:
    farm.policy.decide_message = lambda _asked: Decision(DecisionKind.ADMIT, spf=SpfResult.FAIL)
    async with demanding(farm) as edge, edge.client() as client:
        await client.greeted()
        assert (await client.command(ALLOWED[1])).code == 550
        farm.policy.decide_message = lambda _asked: ADMITTED
        assert (await client.command(ALLOWED[1])).code == 250


async def test_a_listed_source_is_refused_instead_of_greeted_and_locked(farm: FakeFarm) -> None:
    listed = Decision(DecisionKind.ADMIT, listed_in=("bl.example.org",))
    farm.policy.decide = lambda _session: listed
    async with demanding(farm) as edge:
        assert (await edge.greeting()).code == 554
        await eventually(lambda: farm.policy.asked_locks)
        assert farm.policy.asked_locks[0].lock.cause == "dnsbl"
