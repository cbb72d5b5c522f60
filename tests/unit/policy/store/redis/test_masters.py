"""Whom to believe about the master: most of those that answer, and in time."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from policy.store.redis.connecting import options_of
from policy.store.redis.masters import MostSay, Verified, cluster_asks, sentinels_ask
from service_kit.addresses import HostPort
from service_kit.failures import FailureKind, Unavailable

NODES = [HostPort("192.0.2.1", number) for number in range(1, 6)]
OLD, NEW = HostPort("192.0.2.10", 6379), HostPort("192.0.2.11", 6379)
LOST = Unavailable("redis", FailureKind.UNREACHABLE, retryable=True, detail="lost")
OPTIONS = options_of("redis://", connect_s=1)
Said = HostPort | Unavailable | None


def saying(*said: Said) -> MostSay:
    """Each node's answer, in their order; None: it never answers."""

    async def ask(_client: Any, node: HostPort) -> HostPort:
        answer = said[NODES.index(node)]
        if answer is None:
            await asyncio.Event().wait()
        if isinstance(answer, Unavailable):
            raise answer
        assert answer is not None
        return answer

    return MostSay(NODES[: len(said)], OPTIONS, ask, patience_s=0.01)


@pytest.mark.parametrize(
    "said",
    [
        (NEW,),
        (OLD, NEW, NEW),
        (NEW, OLD, LOST, NEW),
        (LOST, None, NEW),
        (None, None, None, None, NEW),
    ],
)
async def test_what_most_of_those_that_answer_say_is_believed(said: tuple[Said, ...]) -> None:
    assert await saying(*said).master() == NEW


@pytest.mark.parametrize(
    ("said", "kind"),
    [((LOST, LOST), FailureKind.UNREACHABLE), ((None, None), FailureKind.TIMED_OUT)],
)
async def test_nobody_who_answers_is_a_failure(said: tuple[Said, ...], kind: FailureKind) -> None:
    with pytest.raises(Unavailable) as raised:
        await saying(*said).master()
    assert raised.value.kind is kind


class Client:
    """Answers a command as Redis does."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self._answers = answers

    async def execute_command(self, *command: str) -> Any:
        return self._answers[" ".join(command)]


def client(**answers: Any) -> Any:
    return Client({name.replace("_", " "): answer for name, answer in answers.items()})


async def test_a_cluster_says_who_holds_the_slot_of_the_key() -> None:
    """CLUSTER SLOTS: ranges, each with its holder first, then the holder's replicas."""
    slots = [
        [0, 8000, ["192.0.2.10", 6379, "a"], ["192.0.2.66", 6379, "b"]],
        [8001, 16383, ["192.0.2.11", 6379, "c"]],
    ]
    # {foo} is slot 12182, {bar} 5061.
    assert await cluster_asks("x{foo}y")(client(CLUSTER_SLOTS=slots), NODES[0]) == NEW
    assert await cluster_asks("x{bar}y")(client(CLUSTER_SLOTS=slots), NODES[0]) == OLD
    with pytest.raises(Unavailable, match="knows no holder of slot 12182"):
        await cluster_asks("x{foo}y")(client(CLUSTER_SLOTS=slots[:1]), NODES[0])


@pytest.mark.parametrize("host", [None, ""])
async def test_a_node_that_does_not_know_its_own_address_is_where_it_was_asked(host: Any) -> None:
    slots = [[0, 16383, [host, 7000, "a"]]]
    asked = HostPort("node.example", 1)
    found = await cluster_asks("key")(client(CLUSTER_SLOTS=slots), asked)
    assert found == HostPort("node.example", 7000)


async def test_a_sentinel_that_does_not_watch_the_service_says_so() -> None:
    command = "SENTINEL GET-MASTER-ADDR-BY-NAME farm"
    asked: Any = Client({command: ["192.0.2.11", "6379"]})
    assert await sentinels_ask("farm")(asked, NODES[0]) == NEW
    nothing: Any = Client({command: None})
    with pytest.raises(Unavailable, match="does not watch farm"):
        await sentinels_ask("farm")(nothing, NODES[0])


async def test_a_master_that_nobody_can_reach_is_not_verified() -> None:
    verified = Verified(saying(HostPort("127.0.0.1", 1)), OPTIONS, patience_s=5)
    with pytest.raises(Unavailable):
        await verified.master()
