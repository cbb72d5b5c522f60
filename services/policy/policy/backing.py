"""What a replica rests on, as its settings name it: the store, and the DNS."""

from typing import Final

from policy.config import DnsSettings, RedisSettings
from policy.dns.cache import AnswerCache
from policy.dns.exchange import NameServers, system_servers
from policy.dns.resolver import Resolver
from policy.store.redis.connecting import options_of, sentinel_options
from policy.store.redis.keys import Keys
from policy.store.redis.masters import (
    MasterFinder,
    MostSay,
    Verified,
    cluster_asks,
    sentinels_ask,
)
from policy.store.redis.store import RedisStore
from service_kit.config import read_secret

_FINDING_SHARE: Final = 0.25
"""Of a call's deadline, for each step of finding the master: the call itself comes after it."""
_OCTETS_IN_MIB: Final = 1024 * 1024


def redis_store(settings: RedisSettings) -> RedisStore:
    """Not connected yet. Raises ConfigError for a secret that cannot be read."""
    return RedisStore(
        settings.secret_url(),
        settings.farm,
        settings.deadline_s,
        round(settings.lease_s * 1000),
        finder=_finder(settings),
    )


def dns_resolver(settings: DnsSettings) -> Resolver:
    """Reads /etc/resolv.conf if no servers are named."""
    return Resolver(
        NameServers(settings.servers or system_servers(), settings.try_s),
        AnswerCache(settings.cache_mib * _OCTETS_IN_MIB),
        settings.deadline_s,
        settings.lookups,
    )


def _finder(settings: RedisSettings) -> MasterFinder | None:
    options = options_of(settings.secret_url(), settings.deadline_s)
    patience_s = settings.deadline_s * _FINDING_SHARE
    if settings.sentinels:
        file = settings.sentinel_password_file
        password = read_secret(file, "[redis] sentinel_password_file") if file else None
        asked = sentinel_options(options, password)
        finder = MostSay(settings.sentinels, asked, sentinels_ask(settings.service), patience_s)
        return Verified(finder, options, patience_s)
    if settings.cluster:
        ask = cluster_asks(Keys(settings.farm).revision)
        return MostSay(settings.cluster, options, ask, patience_s)
    return None
