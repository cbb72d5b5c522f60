"""SPF results: what is looked up, how many times, and what never gets out."""

import asyncio
import random
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy.dns.records import Kind, Lookup, Value
from policy.dns.spf_check import SpfChecker, SpfQuestion
from policy.dns.spf_rules import (
    AT_ONCE_OCTETS,
    MOST_OCTETS,
    MOST_RECORD_OCTETS,
    MOST_TERM_OCTETS,
    Evaluation,
)
from policy.metrics import SPF_STUMBLES
from service_kit.failures import Unavailable
from smtpgated_contracts.values.policy import SpfResult
from tests.contract.policy.samples import soon
from tests.unit.policy.dns.known_names import FAILURE, KnownNames, resolver_of

Names = Mapping[Lookup, tuple[Value, ...] | Unavailable]


def txt(name: str, record: str) -> Names:
    return {Lookup(name, Kind.TXT): (record.encode(),)}


async def checked(
    names: Names,
    sender: bytes = b"me@example.com",
    address: str = "192.0.2.1",
    helo: bytes = b"h.example",
) -> tuple[SpfResult, KnownNames]:
    known = KnownNames(names)
    resolver = resolver_of(known)
    question, checker = SpfQuestion(address, helo, sender), SpfChecker(resolver)
    before = checker.known(question)
    result = await checker.result(question, soon())
    # Before the first lookup only what needs none is known; after it everything that is short.
    assert before is (None if known.asked else result)
    assert checker.known(question) in (result, None)
    await resolver.aclose()
    return result, known


async def test_a_domain_is_asked_once_and_decides() -> None:
    result, names = await checked(txt("example.com", "v=spf1 ip4:192.0.2.0/24 -all"))
    assert result is SpfResult.PASS
    assert names.asked == [Lookup("example.com", Kind.TXT)]


async def test_without_a_sender_the_greeting_counts() -> None:
    result, _ = await checked(txt("h.example", "v=spf1 -all"), sender=b"")
    assert result is SpfResult.FAIL


async def test_all_exchanges_are_looked_up_at_once_and_more_than_ten_not_at_all() -> None:
    exchanges = tuple((at, f"mx{at}.example") for at in range(11))
    record = txt("example.com", "v=spf1 mx -all")
    allowed: Names = {
        **record,
        Lookup("example.com", Kind.MX): exchanges[:10],
        **{Lookup(name, Kind.A): ("192.0.2.9",) for _, name in exchanges},
    }
    result, names = await checked(allowed)
    assert (result, len(names.asked)) == (SpfResult.FAIL, 12)
    result, names = await checked({**allowed, Lookup("example.com", Kind.MX): exchanges})
    assert (result, len(names.asked)) == (SpfResult.PERMERROR, 2)


async def test_only_addresses_of_the_clients_family_are_asked_for() -> None:
    record = txt("example.com", "v=spf1 a -all")
    for address, kind in (
        ("192.0.2.1", Kind.A),
        ("2001:db8::1", Kind.AAAA),
        ("::ffff:192.0.2.1", Kind.A),
    ):
        _, names = await checked(record, address=address)
        assert names.asked[1:] == [Lookup("example.com", kind)]


async def test_a_name_of_the_client_that_cannot_be_looked_up_is_passed_over() -> None:
    pointer = Lookup("1.2.0.192.in-addr.arpa", Kind.PTR)
    record = txt("example.com", "v=spf1 ptr -all")
    both: Names = {
        **record,
        pointer: ("broken.example.com", "good.example.com"),
        Lookup("broken.example.com", Kind.A): FAILURE,
        Lookup("good.example.com", Kind.A): ("192.0.2.1",),
    }
    assert (await checked(both))[0] is SpfResult.PASS
    assert (await checked({**record, pointer: FAILURE}))[0] is SpfResult.FAIL


async def test_an_explanation_is_not_looked_up() -> None:
    _, names = await checked(txt("example.com", "v=spf1 -all exp=words.example.com"))
    assert len(names.asked) == 1


async def test_a_failure_is_temporary() -> None:
    assert (await checked({Lookup("example.com", Kind.TXT): FAILURE}))[0] is SpfResult.TEMPERROR


async def test_a_deadline_is_temporary() -> None:
    names = KnownNames({})
    names.held.clear()
    resolver = resolver_of(names)
    question = SpfQuestion("192.0.2.1", b"h", b"me@example.com")
    deadline = asyncio.get_running_loop().time() + 0.01
    assert await SpfChecker(resolver).result(question, deadline) is SpfResult.TEMPERROR
    await resolver.aclose()


@pytest.mark.parametrize(
    ("sender", "address"),
    [
        (b"me@example.com", "nowhere"),
        (b"me@example.com", ""),
        (b"me@\xff\xfe.com", "192.0.2.1"),
        (b"x" * 600 + b"@example.com", "192.0.2.1"),
        (b"me@" + "ż".encode() * 80 + b".com", "192.0.2.1"),
        (b"me@localhost..", "192.0.2.1"),
    ],
)
async def test_what_can_have_no_record_has_none_and_nobody_is_asked(
    sender: bytes, address: str
) -> None:
    result, names = await checked({}, sender, address)
    assert (result, names.asked) == (SpfResult.NONE, [])


async def test_a_domain_is_asked_for_in_a_labels() -> None:
    """RFC 8616 §4."""
    record = txt("xn--w-uga1v8h.example", "v=spf1 -all")
    result, _ = await checked(record, "żółw@żółw.example".encode())
    assert result is SpfResult.FAIL


async def test_a_local_part_beyond_ascii_matches_nothing() -> None:
    record = txt("example.com", "v=spf1 exists:%{l}.example.com -all")
    assert (await checked(record, "żółw@example.com".encode()))[0] is SpfResult.FAIL


@pytest.mark.parametrize(
    "record",
    [
        "v=spf1 " + "a" * (MOST_TERM_OCTETS + 1),
        "v=spf1 " + "ip4:192.0.2.1 " * (MOST_RECORD_OCTETS // 14) + "ip4:192.0.2.1 -all",
        "v=spf1 a:x." + "a" * (MOST_TERM_OCTETS - 20) + "! -all",
        "v=spf1 żółw -all",
        "v=spf1 include:example.com",
        "v=spf1 redirect=example.com",
    ],
)
async def test_a_record_nobody_should_publish_is_a_permanent_error(record: str) -> None:
    assert (await checked(txt("example.com", record)))[0] is SpfResult.PERMERROR


@pytest.mark.parametrize(
    ("octets", "is_known"), [(AT_ONCE_OCTETS - 40, True), (AT_ONCE_OCTETS + 40, False)]
)
async def test_what_takes_long_to_read_is_not_read_while_others_wait(
    octets: int, is_known: bool
) -> None:
    record = "v=spf1 " + "ip4:198.51.100.1 " * (octets // 17) + "-all"
    checker = SpfChecker(resolver_of(KnownNames(txt("example.com", record))))
    question = SpfQuestion("192.0.2.1", b"h", b"me@example.com")
    assert await checker.result(question, soon()) is SpfResult.FAIL
    assert checker.known(question) is (SpfResult.FAIL if is_known else None)
    await checker._resolver.aclose()


async def test_all_records_of_a_check_together_have_a_bound() -> None:
    parts = MOST_OCTETS // 4000 + 1
    long = "v=spf1 " + "ip4:198.51.100.1 " * 230
    names: Names = {
        Lookup("example.com", Kind.TXT): (
            ("v=spf1 " + " ".join(f"include:i{at}.com" for at in range(parts))).encode(),
        )
    }
    for at in range(parts):
        names = {**names, Lookup(f"i{at}.com", Kind.TXT): (long.encode(),)}
    result, asked = await checked(names)
    assert result is SpfResult.PERMERROR
    assert len(asked.asked) <= parts + 1


_TERMS = st.sampled_from(
    [
        *(
            "a",
            "mx",
            "ptr",
            "all",
            "-all",
            "~a",
            "exists:",
            "include:",
            "redirect=",
            "exp=",
            "ip4:",
        ),
        *("ip6:", "%{", "%{d}", "%{p}", "%{ir}", "%{l1r-}", "%{s99}", "%%", "%_", "%", "}", "/0"),
        *("/33", "//129", ".", "..", "example.com", "192.0.2.1", "::1", ":", "=", "ż", "\x00", " "),
        *("moo=", "+", "?", "v=spf1", "%{h}", "%{i}", "%{t}", "%{o0}", "%{vr}", "-", "~"),
    ]
)


@settings(max_examples=300)
@given(
    st.lists(_TERMS, max_size=12),
    st.sampled_from(["192.0.2.1", "2001:db8::1"]),
    st.binary(max_size=12),
    st.integers(),
)
def test_whatever_a_stranger_publishes_has_a_result(
    terms: list[str], address: str, local: bytes, seed: int
) -> None:
    chance = random.Random(seed)
    record = "v=spf1 " + "".join(each + chance.choice(["", "", " "]) for each in terms)
    names: Names = {
        **txt("example.com", record),
        Lookup("example.com", Kind.MX): ((1, "example.com"), (2, "")),
        Lookup("1.2.0.192.in-addr.arpa", Kind.PTR): ("example.com", "a\\032b.example.com"),
    }
    stumbles = SPF_STUMBLES()._value.get()
    with asyncio.Runner() as runner:
        _, known = runner.run(checked(names, local + b"@example.com", address, local))
    assert SPF_STUMBLES()._value.get() == stumbles
    assert len(known.asked) < 40


async def test_a_record_that_pyspf_falls_over_is_temporary_and_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fall(_self: Evaluation) -> None:
        raise IndexError("nobody foresaw this")

    monkeypatch.setattr(Evaluation, "check", fall)
    stumbles = SPF_STUMBLES()._value.get()
    checker = SpfChecker(resolver_of(KnownNames({})))
    assert checker.known(SpfQuestion("192.0.2.1", b"h", b"a@b.c")) is SpfResult.TEMPERROR
    assert SPF_STUMBLES()._value.get() == stumbles + 1
