"""Options of a connection: what the URL says, and whose password goes where."""

from redis.asyncio.connection import SSLConnection

from policy.store.redis.connecting import client_of, options_of, sentinel_options
from service_kit.addresses import HostPort


def test_the_url_says_how_and_nobody_tries_again_behind_our_back() -> None:
    options = options_of("rediss://me:secret@redis.example:7000/3", connect_s=2)
    assert options["connection_class"] is SSLConnection
    assert (options["host"], options["port"], options["db"]) == ("redis.example", 7000, 3)
    assert (options["username"], options["password"]) == ("me", "secret")
    assert (options["socket_connect_timeout"], options["socket_timeout"]) == (2, None)
    assert options["retry"].get_retries() == 0
    assert options["socket_keepalive"]


def test_a_unix_socket_has_no_keepalive() -> None:
    options = options_of("unix:///run/valkey.sock?db=2", connect_s=2)
    assert (options["path"], options["db"]) == ("/run/valkey.sock", 2)
    assert "socket_keepalive" not in options


def test_sentinels_get_their_own_password_and_never_the_masters() -> None:
    options = options_of("rediss://me:secret@redis.example/3", connect_s=2)
    for password, expected in ((None, {}), ("own", {"password": "own"})):
        given = sentinel_options(options, password)
        assert given["connection_class"] is SSLConnection
        secrets = {name: given[name] for name in ("db", "username", "password") if name in given}
        assert secrets == expected


async def test_a_client_goes_where_it_is_sent() -> None:
    options = options_of("redis://:secret@redis.example/3", connect_s=2)
    client = client_of(options, HostPort("192.0.2.1", 6380), most_connections=4)
    pool = client.connection_pool
    given = pool.connection_kwargs
    assert (given["host"], given["port"], given["password"]) == ("192.0.2.1", 6380, "secret")
    assert pool.max_connections == 4
    await client.aclose()
