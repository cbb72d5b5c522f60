"""Questions to real sockets: what a resolver's answers, silences and lies become."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

from policy.dns.answers import LONGEST_NOTHING_S, LONGEST_S, MOST_VALUES
from policy.dns.exchange import NameServers, system_servers
from policy.dns.records import Answer, Kind, Lookup
from service_kit.addresses import HostPort
from service_kit.failures import FailureKind, Unavailable
from tests.contract.policy.samples import soon
from tests.support.free_port import free_port
from tests.support.name_server import NameServer, Odd, failing, silent

NAME = "name.example"
LOOKUP = Lookup(NAME, Kind.A)
ADDRESS = "192.0.2.7"
TEXTS = [("TXT", f'"{number:0>250}"') for number in range(80)]
FEW = 20
RECORDS = {
    NAME: [("A", ADDRESS)],
    "all.example": [
        ("A", ADDRESS),
        ("AAAA", "2001:db8::1"),
        ("MX", "10 MX.example."),
        ("MX", "0 ."),
        ("TXT", '"two " "parts"'),
        ("PTR", "Host.Example."),
    ],
    "alias.example": [("CNAME", "other.example.")],
    "other.example": [("CNAME", "name.example.")],
    "loop.example": [("CNAME", "loop.example.")],
    "long.example": TEXTS[:FEW],
    "longer.example": TEXTS,
    "many.example": [("A", f"10.0.{number // 250}.{number % 250}") for number in range(600)],
}


@pytest.fixture
async def server() -> AsyncIterator[NameServer]:
    async with NameServer(RECORDS) as made:
        yield made


async def ask(*servers: NameServer, lookup: Lookup = LOOKUP, try_s: float = 5) -> Answer:
    return await NameServers([each.address for each in servers], try_s).ask(lookup, soon())


def values(answer: Answer) -> list[object]:
    return sorted(answer.values, key=repr)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Kind.A, [ADDRESS]),
        (Kind.AAAA, ["2001:db8::1"]),
        (Kind.MX, [(0, ""), (10, "mx.example")]),
        (Kind.TXT, [b"two parts"]),
        (Kind.PTR, ["host.example"]),
    ],
)
async def test_every_kind_of_record_becomes_values(
    server: NameServer, kind: Kind, expected: list[object]
) -> None:
    assert values(await ask(server, lookup=Lookup("all.example", kind))) == expected


async def test_a_name_without_such_records_and_one_that_is_not_are_nothing(
    server: NameServer,
) -> None:
    for lookup in (Lookup(NAME, Kind.MX), Lookup("nowhere.example", Kind.A)):
        assert (await ask(server, lookup=lookup)).values == ()


async def test_aliases_are_followed_to_their_end(server: NameServer) -> None:
    assert (await ask(server, lookup=Lookup("alias.example", Kind.A))).values == (ADDRESS,)


async def test_an_alias_of_itself_is_a_failure(server: NameServer) -> None:
    def going_round(query: dns.message.Message, _by_tcp: bool) -> Sequence[bytes]:
        reply = dns.message.make_response(query)
        for at in range(20):
            names = (f"n{at}.example." if at else "round.example.", f"n{at + 1}.example.")
            reply.answer.append(dns.rrset.from_text(names[0], 60, "IN", "CNAME", names[1]))
        return [reply.to_wire()]

    server.odd["round.example"] = going_round
    for name in ("loop.example", "round.example"):
        with pytest.raises(Unavailable):
            await ask(server, lookup=Lookup(name, Kind.A))


@pytest.mark.parametrize(
    ("ttl_s", "keeps_s"), [(0, 1), (60, 60), (86_400, LONGEST_S), (2**31 - 1, LONGEST_S)]
)
async def test_an_answer_is_believed_as_long_as_it_says_within_bounds(
    server: NameServer, ttl_s: int, keeps_s: float
) -> None:
    server.ttl_s = ttl_s
    assert (await ask(server)).keeps_s == keeps_s


async def test_nothing_is_believed_as_long_as_the_zone_says(server: NameServer) -> None:
    def nothing(query: dns.message.Message, _by_tcp: bool) -> Sequence[bytes]:
        reply = dns.message.make_response(query)
        reply.set_rcode(dns.rcode.NXDOMAIN)
        soa = "a.example. b.example. 1 3600 600 86400 30"
        reply.authority.append(dns.rrset.from_text("example.", 3600, "IN", "SOA", soa))
        return [reply.to_wire()]

    server.odd[NAME] = nothing
    assert await ask(server) == Answer((), 30)
    assert (await ask(server, lookup=Lookup("x.example", Kind.A))).keeps_s == LONGEST_NOTHING_S


async def test_what_does_not_fit_a_datagram_is_fetched_by_tcp(server: NameServer) -> None:
    answer = await ask(server, lookup=Lookup("long.example", Kind.TXT))
    assert len(answer.values) == FEW
    assert server.asked == [("long.example", "TXT")] * 2


async def test_more_than_anybody_means_is_a_failure_and_not_read(server: NameServer) -> None:
    for lookup, why in (
        (Lookup("longer.example", Kind.TXT), "octets"),
        (Lookup("many.example", Kind.A), f"{MOST_VALUES + 100} values"),
    ):
        with pytest.raises(Unavailable, match=why):
            await ask(server, lookup=lookup)


async def test_a_server_that_fails_is_left_for_the_next_which_is_asked_first_from_then_on(
    server: NameServer,
) -> None:
    async with NameServer(RECORDS) as second:
        servers = NameServers([server.address, second.address], 5)
        server.odd[NAME] = failing
        for _ in range(3):
            assert (await servers.ask(LOOKUP, soon())).values == (ADDRESS,)
        assert (len(server.asked), len(second.asked)) == (1, 3)


async def test_a_silent_server_costs_one_try(server: NameServer) -> None:
    async with NameServer(RECORDS) as second:
        server.odd[NAME] = silent
        answer = await ask(server, second, try_s=0.05)
        assert answer.values == (ADDRESS,)


@pytest.mark.parametrize(
    ("odd", "kind"), [(failing, FailureKind.BROKEN), (silent, FailureKind.TIMED_OUT)]
)
async def test_nobody_who_knows_is_a_failure(
    server: NameServer, odd: Odd, kind: FailureKind
) -> None:
    server.odd[NAME] = odd
    with pytest.raises(Unavailable) as raised:
        await ask(server, try_s=0.05)
    assert raised.value.kind is kind
    assert len(server.asked) == 2, "a datagram may be lost: asked twice"


async def test_the_deadline_ends_it_whatever_is_left_to_try(server: NameServer) -> None:
    server.odd[NAME] = silent
    deadline = asyncio.get_running_loop().time() + 0.05
    with pytest.raises(Unavailable):
        await NameServers([server.address] * 50, 5).ask(LOOKUP, deadline)
    assert len(server.asked) == 1


async def test_nobody_there_is_a_failure() -> None:
    for servers in ([], [HostPort("127.0.0.1", free_port())]):
        with pytest.raises(Unavailable):
            await NameServers(servers, 0.05).ask(LOOKUP, soon())


def then_the_truth(server: NameServer, lie: Callable[[dns.message.Message], bytes]) -> Odd:
    def odd(query: dns.message.Message, _by_tcp: bool) -> Sequence[bytes]:
        return [lie(query), server.reply(query).to_wire()]

    return odd


def wrong_id(query: dns.message.Message) -> bytes:
    wire = bytearray(forged(query))
    wire[0] ^= 0xFF
    return bytes(wire)


def wrong_question(query: dns.message.Message) -> bytes:
    other = dns.message.make_query("another.example.", "A")
    other.id = query.id
    return forged(other)


def forged(query: dns.message.Message) -> bytes:
    reply = dns.message.make_response(query)
    reply.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "A", "203.0.113.66"))
    return reply.to_wire()


def a_pointer_to_itself(query: dns.message.Message) -> bytes:
    """A compression loop (RFC 1035 §4.1.4): a name at octet 12 that begins at octet 12."""
    return query.id.to_bytes(2) + bytes.fromhex("8180 0001 0000 0000 0000 c00c 0001 0001")


def cut_off(query: dns.message.Message) -> bytes:
    return forged(query)[:-3]


@pytest.mark.parametrize(
    "lie",
    [wrong_id, wrong_question, a_pointer_to_itself, cut_off, lambda _query: b"", lambda _: b"x"],
)
async def test_a_lie_is_not_taken_and_the_truth_waited_for(
    server: NameServer, lie: Callable[[dns.message.Message], bytes]
) -> None:
    server.odd[NAME] = then_the_truth(server, lie)
    assert (await ask(server)).values == (ADDRESS,)


@pytest.mark.parametrize("lie", [wrong_id, wrong_question, a_pointer_to_itself, cut_off])
async def test_a_lie_by_tcp_is_a_failure(
    server: NameServer, lie: Callable[[dns.message.Message], bytes]
) -> None:
    def odd(query: dns.message.Message, by_tcp: bool) -> Sequence[bytes]:
        if by_tcp:
            return [lie(query)]
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.TC
        return [reply.to_wire()]

    server.odd[NAME] = odd
    with pytest.raises(Unavailable):
        await ask(server)


@pytest.mark.parametrize(
    "name", ["żółw.example", "a..example", "", "x" * 64 + ".example", ".".join(["x" * 60] * 5)]
)
async def test_a_name_that_cannot_be_is_nothing_and_nobody_is_asked(
    server: NameServer, name: str
) -> None:
    assert (await ask(server, lookup=Lookup(name, Kind.A))).values == ()
    assert server.asked == []


def test_a_machine_that_names_no_resolver_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(each.port == 53 for each in system_servers())

    def unconfigured(_self: dns.resolver.Resolver) -> None:
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr(dns.resolver.Resolver, "__init__", unconfigured)
    assert system_servers() == ()
