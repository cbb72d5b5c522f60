"""SPF and DNSBLs as an edge gets them: a whole policy, a real Valkey, a real name server."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from smtpgated.policy.v1 import policy_pb2
from smtpgated_contracts.marshalling.asked import data_asked_to_wire, mail_asked_to_wire
from smtpgated_contracts.values.asked import DataAsked, MailAsked
from smtpgated_contracts.values.mail import Envelope
from smtpgated_contracts.values.policy import ADMITTED, Decision, SpfResult
from tests.contract.policy.samples import session
from tests.integration.policy.conftest import StartReplica
from tests.integration.policy.farm import Replica, opening
from tests.support.eventually import eventually
from tests.support.name_server import NameServer, failing, silent

DOCUMENT = """
schema = 1
[spf]
address = "{address}"
[[dnsbl]]
zone = "bl.example"
[[dnsbl]]
zone = "careful.example"
on_failure = "listed"
[[dnsbl]]
zone = "unused.example"
[[rules]]
id = "listed"
phase = "connect"
when.dnsbl = ["bl.example", "careful.example"]
action = "refuse"
[[rules]]
id = "forged"
phase = "mail"
when.spf = ["fail"]
action = "refuse"
"""
RECORDS = {
    "1.2.0.192.bl.example": [("A", "127.0.0.2")],
    "pass.example": [("TXT", '"v=spf1 ip4:192.0.2.1 -all"')],
    "egress.example": [("TXT", '"v=spf1 ip4:198.51.100.0/24 -all"')],
}


@pytest.fixture
async def names() -> AsyncIterator[NameServer]:
    async with NameServer(RECORDS) as server:
        yield server


async def started(
    start: StartReplica, tmp_path: Path, names: NameServer, *, address: str = "client"
) -> Replica:
    document = tmp_path / "rulebook.toml"
    document.write_text(DOCUMENT.format(address=address))
    dns = {"servers": [str(names.address)], "deadline_s": 5, "try_s": 5}
    replica: Replica = await start(rulebook={"file": document}, dns=dns)
    await eventually(lambda: replica.app.readiness.ready)
    return replica


@pytest.fixture
async def replica(start: StartReplica, tmp_path: Path, names: NameServer) -> Replica:
    return await started(start, tmp_path, names)


def mail(
    sender: bytes, *, wants_spf: bool = True, source: str = "192.0.2.1", egress: str = ""
) -> policy_pb2.Question:
    envelope = Envelope(b"me.example", sender)
    asked = MailAsked(session("a", source), 1, envelope, (), wants_spf, egress)
    return policy_pb2.Question(ask_mail=mail_asked_to_wire(asked))


def spf(result: SpfResult) -> Decision:
    return replace(ADMITTED, spf=result)


async def test_a_listed_source_is_named_with_its_zones_and_another_is_not(
    replica: Replica, names: NameServer
) -> None:
    async with replica.edge() as edge:
        stream = edge.questions()
        listed = replace(ADMITTED, listed_in=("bl.example",))
        assert await stream.ask(
            opening("a", "192.0.2.1"), opening("b", "192.0.2.2"), opening("c", "2001:db8::1")
        ) == [listed, ADMITTED, ADMITTED]
    assert len(names.asked) == 6, "nobody is asked about a zone that no rule names"


async def test_a_list_that_fails_counts_as_the_rulebook_says(
    replica: Replica, names: NameServer
) -> None:
    names.odd = dict.fromkeys(("3.2.0.192.bl.example", "3.2.0.192.careful.example"), failing)
    async with replica.edge() as edge:
        assert await edge.questions().open("a", source="192.0.2.3") == [
            replace(ADMITTED, listed_in=("careful.example",))
        ]


async def test_spf_is_answered_where_it_is_wanted(replica: Replica, names: NameServer) -> None:
    async with replica.edge() as edge:
        stream = edge.questions()
        assert await stream.ask(
            mail(b"me@pass.example"),
            mail(b"me@pass.example", source="192.0.2.2"),
            mail(b"me@none.example"),
            mail(b"me@pass.example", wants_spf=False),
        ) == [spf(SpfResult.PASS), spf(SpfResult.FAIL), spf(SpfResult.NONE), ADMITTED]
        asked = len(names.asked)
        assert await stream.ask(mail(b"you@pass.example")) == [spf(SpfResult.PASS)]
        assert len(names.asked) == asked, "it was kept"


async def test_spf_of_the_address_that_servers_see(
    start: StartReplica, tmp_path: Path, names: NameServer
) -> None:
    replica = await started(start, tmp_path, names, address="egress")
    async with replica.edge() as edge:
        assert await edge.questions().ask(
            mail(b"me@egress.example", egress="198.51.100.7"), mail(b"me@egress.example")
        ) == [spf(SpfResult.PASS), ADMITTED]


async def test_spf_of_one_fixed_address(
    start: StartReplica, tmp_path: Path, names: NameServer
) -> None:
    replica = await started(start, tmp_path, names, address="198.51.100.9")
    async with replica.edge() as edge:
        assert await edge.questions().ask(mail(b"me@egress.example")) == [spf(SpfResult.PASS)]


async def test_who_waits_for_a_name_holds_up_nobody_and_is_answered_in_his_patience(
    replica: Replica, names: NameServer
) -> None:
    names.odd = {"slow.example": silent}
    async with replica.edge() as edge:
        stream = edge.questions()
        slow = [mail(b"me@slow.example") for _ in range(20)]
        for at, question in enumerate(slow):
            question.id, question.patience_ms = 1000 + at, 400
            await stream.call.write(policy_pb2.QuestionBatch(questions=[question]))
        # More batches wait than a stream may have in work: they left their slots.
        assert await stream.ask(mail(b"me@pass.example")) == [spf(SpfResult.PASS)]
        late: dict[int, int] = {}
        while len(late) < len(slow):
            batch = await stream.call.read()
            late |= {each.question_id: each.spf for each in batch.answers}
        assert set(late.values()) == {policy_pb2.SPF_RESULT_TEMPERROR}
        assert names.asked.count(("slow.example", "TXT")) == 1, "asked once for all of them"


async def test_data_is_admitted_and_an_address_that_is_none_is_malformed(
    replica: Replica,
) -> None:
    asked = DataAsked(session("a"), 1, Envelope(b"h", b"s", (b"r",)))
    data = policy_pb2.Question(ask_data=data_asked_to_wire(asked))
    async with replica.edge() as edge:
        admitted, malformed = await edge.questions().ask(data, mail(b"s", egress="nowhere"))
    assert admitted == ADMITTED
    assert malformed.cause == "malformed"
