"""Every case of the RFC 7208 test suite, over a real name server."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from policy.dns.cache import AnswerCache
from policy.dns.exchange import NameServers
from policy.dns.resolver import Resolver
from policy.dns.spf_check import SpfChecker, SpfQuestion
from tests.contract.policy.spf_suite import CASES, fill, suite
from tests.support.name_server import LARGEST_OCTETS, NameServer


@pytest.fixture
async def server() -> AsyncIterator[NameServer]:
    async with NameServer() as made:
        yield made


@pytest.mark.parametrize("most_by_udp", [LARGEST_OCTETS, 0], ids=["udp", "tcp"])
async def test_every_case_of_the_suite_has_the_result_it_must_have(
    server: NameServer, most_by_udp: int
) -> None:
    server.most_by_udp = most_by_udp
    cases = suite()
    assert len(cases) == CASES
    wrong = []
    for case in cases:
        fill(server, case.zone)
        resolver = Resolver(NameServers([server.address], 2), AnswerCache(2**20), 5, 100)
        question = SpfQuestion(case.address, case.helo.encode(), case.sender.encode())
        deadline = asyncio.get_running_loop().time() + 30
        result = await SpfChecker(resolver).result(question, deadline)
        if result not in case.results:
            wrong.append((case.name, result.value, case.results))
        await resolver.aclose()
    assert wrong == []
