"""Exemptions win over everything."""

import pytest

from policy.core.exemptions import Exemption, Exemptions
from rulebook.networks import NetworkSet


@pytest.fixture
def exemptions() -> Exemptions:
    made = Exemptions(NetworkSet.parse(["127.0.0.0/8"]))
    for subject in ("address:192.0.2.1", "prefix:10.0.0.0/8", "identity:ours"):
        made.put(Exemption(subject))
    return made


@pytest.mark.parametrize(
    ("address", "identity", "exempt"),
    [
        ("127.0.0.1", "", True),
        ("192.0.2.1", "", True),
        ("10.1.2.3", "", True),
        ("192.0.2.2", "ours", True),
        ("192.0.2.2", "theirs", False),
        ("2001:db8::1", "", False),
    ],
)
def test_a_source(exemptions: Exemptions, address: str, identity: str, *, exempt: bool) -> None:
    assert exemptions.cover_source(address, identity) is exempt


@pytest.mark.parametrize(
    ("subject", "covered"),
    [
        ("address:192.0.2.1", True),
        ("address:192.0.2.2", False),
        ("address:127.1.1.1", True),
        ("prefix:127.1.0.0/16", True),
        ("prefix:10.1.0.0/16", True),
        ("prefix:10.0.0.0/7", False),
        ("prefix:192.0.2.0/24", False),
        ("prefix:126.0.0.0/7", False),
        ("prefix:192.0.3.0/24", False),
        ("identity:ours", True),
        ("auth:ours", False),
    ],
)
def test_a_locks_subject(exemptions: Exemptions, subject: str, *, covered: bool) -> None:
    assert exemptions.cover_subject(subject) is covered


def test_stored_ones_are_listed_newest_first_and_can_go(exemptions: Exemptions) -> None:
    assert next(iter(exemptions)).subject == "identity:ours"
    assert exemptions.remove("identity:ours") == Exemption("identity:ours")
    assert len(exemptions) == 2
    exemptions.replace_all([Exemption("auth:x")])
    assert [each.subject for each in exemptions] == ["auth:x"]
    assert exemptions.cover_source("127.0.0.1", "")
