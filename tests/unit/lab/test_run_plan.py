"""Every word ``make run`` can get wrong is named in one sentence before anything starts."""

import asyncio
import socket
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from lab.far_server import FarServer
from lab.farm_plan import FarmPlan
from lab.run_plan import asked, check_machine
from service_kit.addresses import HostPort, UnixOrTcp
from service_kit.errors import ConfigError, StartError

FOLDER = Path("run")
TOKEN = Path("token")


def plan(environ: Mapping[str, str]) -> FarmPlan:
    return asked(environ, FOLDER, TOKEN)


def test_empty_words_are_words_not_given() -> None:
    words = ("LISTEN", "MODE", "ADMIN", "CLAMD", "SPAMD", "REDIS_URL")
    assert plan({"UPSTREAM": "mx.example:25", **dict.fromkeys(words, "")}) == FarmPlan(
        directory=FOLDER,
        token_file=TOKEN,
        upstream=HostPort("mx.example", 25),
        listen=(HostPort("127.0.0.1", 2525),),
        admin=HostPort("127.0.0.1", 8080),
        verdict_cache=True,
    )


def test_all_words() -> None:
    made = plan(
        {
            "MODE": "redirect",
            "LISTEN": "10.0.0.1:2525, [fd00::1]:2525",
            "ADMIN": "127.0.0.1:9",
            "CLAMD": "/run/clamd.sock",
            "SPAMD": "127.0.0.1:783",
            "REDIS_URL": "redis://localhost/1",
        }
    )
    assert made.mode == "redirect"
    assert made.upstream is None
    assert made.listen == (HostPort("10.0.0.1", 2525), HostPort("fd00::1", 2525))
    assert made.clamd == UnixOrTcp(path="/run/clamd.sock")
    assert made.spamd == HostPort("127.0.0.1", 783)
    assert made.redis_url == "redis://localhost/1"


@pytest.mark.parametrize(
    ("environ", "begins"),
    [
        ({}, "UPSTREAM=host:port is needed"),
        ({"UPSTREAM": "mx.example"}, "UPSTREAM=mx.example: "),
        ({"UPSTREAM": "mx.example:0"}, "UPSTREAM=mx.example:0: "),
        ({"UPSTREAM": "mx.example:25", "LISTEN": "here"}, "LISTEN=here: "),
        ({"UPSTREAM": "mx.example:25", "ADMIN": "127.0.0.1:99999"}, "ADMIN=127.0.0.1:99999: "),
        ({"UPSTREAM": "mx.example:25", "CLAMD": "clamd"}, "CLAMD=clamd: "),
        ({"UPSTREAM": "mx.example:25", "SPAMD": "/run/spamd"}, "SPAMD=/run/spamd: "),
        ({"UPSTREAM": "mx.example:25", "MODE": "magic"}, "MODE=magic: "),
        ({"UPSTREAM": "mx.example:25", "MODE": "redirect"}, "UPSTREAM is for MODE=fixed"),
        ({"UPSTREAM": "mx.example:25", "ADMIN": "127.0.0.1:2525"}, "LISTEN and ADMIN are both"),
        ({"UPSTREAM": "localhost:2525"}, "UPSTREAM=localhost:2525 is where LISTEN is"),
    ],
)
def test_a_word_that_makes_no_sense_is_named(environ: dict[str, str], begins: str) -> None:
    with pytest.raises(ConfigError) as wrong:
        plan(environ)
    assert str(wrong.value).startswith(begins)


def test_a_redis_url_is_not_repeated_because_it_may_hold_a_password() -> None:
    with pytest.raises(ConfigError, match=r"^REDIS_URL: ") as wrong:
        plan({"UPSTREAM": "mx.example:25", "REDIS_URL": "http://:secret@host"})
    assert "secret" not in str(wrong.value)


GOOD = FarmPlan(directory=FOLDER, upstream=HostPort("127.0.0.1", 25))


def test_a_machine_that_has_everything_passes() -> None:
    check_machine(GOOD)


def test_a_taken_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        taken = HostPort("127.0.0.1", listening.getsockname()[1])
        with pytest.raises(StartError, match=f"^LISTEN={taken}: cannot listen there: Address"):
            check_machine(replace(GOOD, listen=(taken,)))
        with pytest.raises(StartError, match=f"^ADMIN={taken}: cannot listen there: Address"):
            check_machine(replace(GOOD, admin=taken))


def test_engines_that_are_not_there_are_named(tmp_path: Path) -> None:
    nobody = HostPort("127.0.0.1", 1)
    missing = UnixOrTcp(path=str(tmp_path / "clamd"))
    with pytest.raises(StartError, match=r"^CLAMD=/.*: no clamd there: No such file"):
        check_machine(replace(GOOD, clamd=missing))
    with pytest.raises(StartError, match=r"^SPAMD=127.0.0.1:1: no spamd there: Connection refused"):
        check_machine(replace(GOOD, spamd=nobody))
    with pytest.raises(StartError, match=r"^REDIS_URL: no Redis there: "):
        check_machine(replace(GOOD, redis_url="redis://:secret@127.0.0.1:1"))


async def test_something_else_at_the_engines_address_is_told_apart() -> None:
    async with FarServer() as far:
        with pytest.raises(StartError, match="no clamd there: it answers b'220 "):
            await asyncio.to_thread(check_machine, replace(GOOD, clamd=UnixOrTcp(tcp=far.address)))
