"""Limits of its own: whose they are, and which one wins."""

from policy.core.decide import judge
from policy.core.farm import Farm, OverrideRemoved, Picture, StoredRulebook
from policy.core.leases import Caps
from policy.core.overrides import NO_OWN_LIMITS, UNLIMITED, Override, Overrides, OwnLimit
from policy.core.spending import asked_occasion, purchase
from rulebook.document import parse
from tests.contract.policy.samples import asks, session

RATES = """
schema = 1
[limits]
concurrent_sessions_per_source = 4
concurrent_sessions_per_identity = 6
[[rates]]
id = "hourly"
count = "sessions"
per = "source"
limit = 100
window_s = 3600
[[rates]]
id = "all"
count = "sessions"
per = "total"
limit = 1000
window_s = 3600
"""


def override(subject: str, expires_at_ms: int = 0, **limits: int | None) -> Override:
    own = tuple(OwnLimit(limit_id, limit) for limit_id, limit in limits.items())
    return Override(subject, own, expires_at_ms=expires_at_ms)


def overrides(*entries: Override) -> Overrides:
    made = Overrides()
    made.replace_all(entries)
    return made


def test_who_has_none_costs_nothing() -> None:
    assert overrides().own_limits("192.0.2.1", "joe", "auth:joe", 0) is NO_OWN_LIMITS
    assert overrides(override("identity:ann", a=1)).own_limits("192.0.2.1", "joe", "", 0) == {}


def test_each_limit_is_taken_from_the_most_particular_that_names_it() -> None:
    table = overrides(
        override("auth:joe@example", a=1),
        override("prefix:192.0.2.0/28", a=5, b=5, c=5, d=5, e=5),
        override("identity:joe", a=2, b=2),
        override("prefix:192.0.2.0/24", a=4, b=4, c=4, d=4, e=4, f=None),
        override("address:192.0.2.1", a=3, b=3, c=3),
    )
    assert table.own_limits("192.0.2.1", "joe", "auth:joe@example", 0) == {
        "a": 1,
        "b": 2,
        "c": 3,
        "d": 5,
        "e": 5,
        "f": UNLIMITED,
    }
    assert table.own_limits("192.0.2.99", "", "", 0)["a"] == 4


def test_an_override_ends() -> None:
    table = overrides(override("identity:joe", 1000, a=1))
    assert table.own_limits("192.0.2.1", "joe", "", 999) == {"a": 1}
    assert table.own_limits("192.0.2.1", "joe", "", 1000) == {}
    table.expire(1000)
    assert len(table) == 0


def test_rates_of_one_sender_are_overridden_and_those_of_all_are_not() -> None:
    book = parse(RATES)
    own = {"hourly": 7, "all": 7}
    bought = purchase(book, asked_occasion(asks("a"), exempt=False, share=1.0, own=own))
    assert bought is not None
    assert [count.limit for count in bought.spend.counts] == [7, 1000]


def test_who_is_throttled_has_a_share_of_his_own_limit_unless_he_has_none() -> None:
    book = parse(RATES)
    for limit, left in ((80, 20), (UNLIMITED, UNLIMITED)):
        occasion = asked_occasion(asks("a"), exempt=False, share=0.25, own={"hourly": limit})
        bought = purchase(book, occasion)
        assert bought is not None
        assert bought.spend.counts[0].limit == left


def test_concurrent_sessions_are_overridden() -> None:
    farm = Farm()
    mine = override("identity:joe", concurrent_sessions_per_source=40)
    farm.load(Picture(1, StoredRulebook(1, RATES), overrides=(mine,)), 0)
    assert judge(farm, session("a", identity="joe"), 0) == Caps(0, 40, 6)
    assert judge(farm, session("a", identity="ann"), 0) == Caps(0, 4, 6)


def test_edges_are_told_nothing_and_the_copy_on_disk_is() -> None:
    farm = Farm()
    farm.load(Picture(1, StoredRulebook(1, RATES)), 0)
    mine = override("identity:joe", hourly=1)
    put = farm.apply((mine,), 2)
    assert (put.is_silent, put.policy_alone) == (True, True)
    assert farm.picture(0).overrides == (mine,)
    gone = farm.apply((OverrideRemoved("identity:joe"),), 3)
    assert (gone.is_silent, gone.policy_alone, len(farm.overrides)) == (True, True, 0)
