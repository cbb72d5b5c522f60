"""A real edge, a real script: what an operator's program is told of a virus and of a limit."""

import signal
from pathlib import Path

from smtpgated_contracts.values.mail import SessionRef
from smtpgated_contracts.values.policy import Decision, DecisionKind
from tests.support.edge import edge_process, inner_edge, settings_for
from tests.support.eventually import eventually
from tests.support.fake_farm import FakeFarm
from tests.support.fake_scanner import INFECTED_WORD

INFECTED = b"Subject: x\r\n\r\n" + INFECTED_WORD + b"\r\n"


def _script(folder: Path, text: str) -> str:
    path = folder / "on-event"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


async def test_a_virus_runs_the_script_with_the_old_arguments_and_variables(
    farm: FakeFarm, tmp_path: Path
) -> None:
    told = tmp_path / "told"
    script = _script(tmp_path, f'(echo "$@"; env) >{told}.new; mv {told}.new {told}; echo done')
    overrides = {"events": {"script": script}, "replies": {"name": "mx.isp.example"}}
    async with inner_edge(farm, overrides) as edge:
        async with edge.client() as client:
            await client.greeted()
            assert (await client.deliver(INFECTED)).code == 550
            await client.quit()
        ran = await edge.until_said("event script")
    lines = told.read_text().splitlines()
    assert lines[0] == "VIRUS 127.0.0.1 - 127.0.0.1"
    variables = dict(line.partition("=")[::2] for line in lines[1:])
    assert variables["FOUND"] == "VIRUS"
    assert variables["PROXY_NAME"] == "mx.isp.example"
    assert variables["VIRUS_NAME"]
    assert variables["HELO"] == "me.example"
    assert variables["MAIL_FROM"] == "a@customer.example"
    assert variables["TARGET_PORT"] == str(farm.far.address.port)
    assert variables["RCPTS_TOTAL"] == "1"
    assert variables["SIZE"] == str(len(INFECTED))
    assert variables["TRANSACTION"] == "1"
    assert variables["REPLY_CODE"] == "550"
    assert "VIRTUAL_ENV" not in variables
    assert "HOME" not in variables
    assert (ran["found"], ran["end"], ran["code"], ran["output"]) == ("VIRUS", "done", 0, ["done"])


async def test_a_limit_that_turned_a_session_away_runs_it_too(
    farm: FakeFarm, tmp_path: Path
) -> None:
    def too_many(_session: SessionRef) -> Decision:
        return Decision(DecisionKind.DEFER, "limit:concurrent_sessions_per_source")

    farm.policy.decide = too_many
    script = _script(tmp_path, 'echo "$1 $IDENT_COUNT"')
    async with inner_edge(farm, {"events": {"script": script}}) as edge:
        assert (await edge.greeting()).code == 421
        ran = await edge.until_said("event script")
    assert (ran["found"], ran["output"][0].split()[0]) == ("MAX_HOST", "MAX_HOST")


async def test_a_session_does_not_wait_for_a_script_that_hangs(
    farm: FakeFarm, tmp_path: Path
) -> None:
    script = _script(tmp_path, "exec sleep 600")
    async with inner_edge(farm, {"events": {"script": script}, "drain_deadline_s": 1.0}) as edge:
        async with edge.client() as client:
            await client.greeted()
            assert (await client.deliver(INFECTED)).code == 550
            assert (await client.quit()).code == 221
        await edge.until_said("session")
        assert edge.said("event script") == []
    assert [each["end"] for each in edge.said("event script")] == ["cut"]


async def test_a_drain_lets_the_script_end(farm: FakeFarm, tmp_path: Path) -> None:
    started, gate, ended = tmp_path / "started", tmp_path / "gate", tmp_path / "ended"
    script = _script(
        tmp_path, f"echo >{started}; until [ -e {gate} ]; do sleep 0.05; done; echo >{ended}"
    )
    tables = settings_for(farm, {"events": {"script": script}})
    async with edge_process(tables) as edge:
        await edge.until_policy_is_there()
        async with edge.client() as client:
            await client.greeted()
            assert (await client.deliver(INFECTED)).code == 550
            await client.quit()
        await eventually(started.exists)
        edge.process.send_signal(signal.SIGTERM)
        await edge.until_said("draining")
        gate.touch()
        assert await edge.wait() == 0
    assert ended.exists()
    assert edge.said("event script", end="done")
