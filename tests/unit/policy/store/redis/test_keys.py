"""All keys of a farm lie in one slot of a cluster."""

import re

from policy.store.redis.keys import Keys


def names(keys: Keys) -> dict[str, str]:
    properties = [name for name, value in vars(Keys).items() if isinstance(value, property)]
    found = {name: getattr(keys, name) for name in properties}
    return {name: value for name, value in found.items() if isinstance(value, str)} | {
        "of a source": keys.source("192.0.2.1"),
        "of a /64": keys.source("2001:db8::1"),
    }


def test_every_key_carries_the_farms_hash_tag_and_no_two_are_alike() -> None:
    found = names(Keys("west"))
    assert len(set(found.values())) == len(found) > 10
    for key in found.values():
        tag = re.search(r"\{(.*?)\}", key)
        assert tag is not None
        assert tag[1] == "west"


def test_two_farms_share_no_key() -> None:
    assert not set(names(Keys("west")).values()) & set(names(Keys("east")).values())


def test_sources_of_one_64_share_a_key() -> None:
    keys = Keys("west")
    assert keys.source("2001:db8::1") == keys.source("2001:db8::2")
    assert keys.source("2001:db8::1").endswith("leases:source:2001:db8::/64")
