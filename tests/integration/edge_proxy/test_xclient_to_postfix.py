"""XCLIENT, and chunks behind it, with the server that invented XCLIENT."""

from collections.abc import Iterator

import pytest

from tests.support.edge import inner_edge
from tests.support.eventually import eventually
from tests.support.fake_farm import FakeFarm
from tests.support.fake_scanner import INFECTED_WORD
from tests.support.postfix import DOMAIN
from tests.support.trusting_postfix import TrustingPostfix

CUSTOMER = "127.0.0.7"
ENVELOPE = (b"MAIL FROM:<a@x.example>", b"RCPT TO:<b@%b>" % DOMAIN.encode())
MESSAGE = b"Subject: in chunks\r\n\r\nlone dot:\r\n.\r\nend\r\n"


@pytest.fixture(scope="module")
def postfix() -> Iterator[TrustingPostfix]:
    with TrustingPostfix("reject") as running:
        yield running


async def test_postfix_is_told_who_the_client_is(farm: FakeFarm, postfix: TrustingPostfix) -> None:
    told = {"introduce": "xclient", "server": str(postfix.address)}
    async with inner_edge(farm, {"destination": told}) as edge, edge.client(CUSTOMER) as client:
        await client.reply()
        offered = await client.command(b"EHLO customer.example")
        assert offered.code == 250
        assert "CHUNKING" in offered.texts
        assert not any(text.startswith("XCLIENT") for text in offered.texts)

        infected = INFECTED_WORD + b"\r\n"
        chunks = b"BDAT %d\r\n%bBDAT %d LAST\r\n%b" % (
            len(MESSAGE), MESSAGE, len(infected), infected,
        )  # fmt: skip
        await client.send_octets(b"\r\n".join((*ENVELOPE, chunks)))
        assert [reply.code for reply in await client.replies(4)] == [250, 250, 250, 550]

        for command in ENVELOPE:
            assert (await client.command(command)).code == 250
        await client.send_octets(b"BDAT %d LAST\r\n%b" % (len(MESSAGE), MESSAGE))
        assert (await client.reply()).code == 250
        assert (await client.quit()).code == 221
    await eventually(postfix.messages)
    (stored,) = postfix.messages()
    assert b"from customer.example (unknown [127.0.0.7])" in stored
    assert stored.endswith(MESSAGE.replace(b"\r\n", b"\n"))
    assert f"client=unknown[{CUSTOMER}]" in postfix.log()
