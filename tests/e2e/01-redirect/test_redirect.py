"""See README.md beside this file."""

import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lab import messages
from lab.messages import Sample
from rulebook.bearers import counted_as
from tests.support.commands import Command, Ended
from tests.support.eventually import eventually
from tests.support.namespaces import FAMILIES, Family, Namespace, Network
from tests.support.needs import need_program

RULES = Path(__file__).with_name("rules.nft")


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything is up: a far server for each family, the farm on the router."""

    network: Network
    folder: Path
    farm: Command
    token: str

    async def send(self, sample: Sample, family: Family) -> Ended:
        """From the client, to the server's own address and port."""
        return await self.curl(f"smtp://{at(family.server, 25)}/client.example", sample)

    async def curl(self, url: str, sample: Sample) -> Ended:
        content = self.folder / "content"
        content.write_bytes(sample.content)
        words = (
            *(need_program("curl", "curl"), "-v", "-sS", "--max-time", "30", url),
            *("--mail-from", sample.sender, "--mail-rcpt", sample.recipient),
            *("--upload-file", str(content)),
        )
        async with Command(*self.network.client.command(*words), folder=self.folder) as command:
            return await command.ended()

    def stored(self, family: Family) -> list[tuple[bytes, dict[str, Any]]]:
        """What the family's server keeps: content and envelope."""
        folder = self.folder / family.name
        return [
            (each.with_suffix(".eml").read_bytes(), json.loads(each.read_text()))
            for each in sorted(folder.glob("[0-9]*.json"))
        ]

    def sessions_of(self, family: Family) -> list[dict[str, Any]]:
        """What the edge logged of the client's sessions."""
        log = self.folder / ".run" / "run" / "edge.log"
        lines = [json.loads(line) for line in log.read_text().splitlines() if line.endswith("}")]
        return [
            line
            for line in lines
            if line["event"] == "session" and line["source"].startswith(at(family.client, 0)[:-1])
        ]

    async def locked(self) -> list[str]:
        """Subjects that the farm's API says are locked."""
        words = (
            *("curl", "-sS", "-H", f"Authorization: Bearer {self.token}"),
            "http://127.0.0.1:8080/api/v1/locks",
        )
        async with Command(*self.network.router.command(*words), folder=self.folder) as command:
            ended = await command.ended()
        return [lock["subject"] for lock in json.loads(ended.stdout)["items"]]


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with AsyncExitStack() as stack:
        network = stack.enter_context(Network())
        network.redirect(RULES.read_text())
        for family in FAMILIES:
            words = ("sink", "--listen", at(family.server, 25), "--store", family.name)
            far = await stack.enter_async_context(lab_in(network.server, tmp_path, *words))
            await far.until_it_says("listening")
        listen = ",".join(at(family.router_to_client, 2525) for family in FAMILIES)
        environ = {"MODE": "redirect", "LISTEN": listen}
        farm = await stack.enter_async_context(
            lab_in(network.router, tmp_path, "run", environ=environ)
        )
        token = (await farm.until_it_says("admin token")).split()[2]
        await farm.until_it_says("Ctrl-C")
        yield Scene(network, tmp_path, farm, token)


@pytest.mark.root
async def test_mail_redirected_on_a_router(scene: Scene) -> None:
    for family in FAMILIES:
        await a_clean_message_reaches_the_server_it_was_going_to(scene, family)
        await an_infected_message_is_refused_and_locks_its_source(scene, family)
        await who_comes_past_the_rules_is_turned_away(scene, family)
    await without_an_edge_nothing_passes(scene)


async def a_clean_message_reaches_the_server_it_was_going_to(scene: Scene, family: Family) -> None:
    sample = messages.clean()
    ended = await scene.send(sample, family)
    assert ended.code == 0, ended.stderr
    await eventually(lambda: scene.stored(family))
    ((content, envelope),) = scene.stored(family)
    assert content == sample.content
    assert envelope["reverse_path"] == sample.sender
    assert envelope["client"] == family.router_to_server, "it came through the edge"
    await eventually(lambda: scene.sessions_of(family))
    assert [each["destination"] for each in scene.sessions_of(family)] == [at(family.server, 25)]


async def an_infected_message_is_refused_and_locks_its_source(scene: Scene, family: Family) -> None:
    refused = await scene.send(messages.eicar_zipped(), family)
    assert refused.code != 0
    assert "550 5.7.1" in refused.stderr
    for _ in range(100):
        locked_out = await scene.send(messages.clean(), family)
        if "554 5.7.1" in locked_out.stderr:
            break
    else:
        raise AssertionError("the source is still admitted")
    assert counted_as(family.client) in await scene.locked()


async def who_comes_past_the_rules_is_turned_away(scene: Scene, family: Family) -> None:
    url = f"smtp://{at(family.router_to_client, 2525)}/client.example"
    ended = await scene.curl(url, messages.clean())
    assert ended.code != 0


async def without_an_edge_nothing_passes(scene: Scene) -> None:
    before = [len(scene.stored(family)) for family in FAMILIES]
    scene.farm.signal(signal.SIGTERM)
    assert (await scene.farm.ended()).code == 0
    for family in FAMILIES:
        ended = await scene.send(messages.clean(), family)
        assert "Connection refused" in ended.stderr
    assert [len(scene.stored(family)) for family in FAMILIES] == before


def lab_in(
    namespace: Namespace, folder: Path, *words: str, environ: dict[str, str] | None = None
) -> Command:
    """``python -m lab`` inside; ``ip netns exec`` becomes the command, so that signals reach it."""
    command = namespace.command(sys.executable, "-m", "lab", *words)
    return Command(*command, folder=folder, environ=environ)


def at(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
