"""The words of a handover over a real pair of sockets: borders, descriptors, ends."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_proxy.handover import messages
from edge_proxy.handover.messages import NotUnderstood

Pair = tuple[socket.socket, socket.socket]


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def pair() -> Iterator[Pair]:
    one, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with one, two:
        one.settimeout(0)
        two.settimeout(0)
        yield one, two


async def test_words_keep_their_borders(pair: Pair) -> None:
    one, two = pair
    messages.say(one, messages.HELLO)
    messages.say(one, messages.ALL)
    assert await messages.hear(two, 5) == (messages.HELLO, None)
    assert await messages.hear(two, 5) == (messages.ALL, None)


async def test_a_door_arrives_as_the_same_socket(pair: Pair) -> None:
    one, two = pair
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = listening.getsockname()
        messages.say(one, messages.HELLO, listening)
    _, door = await messages.hear(two, 5)
    assert door is not None
    with door, socket.create_connection(address):
        assert door.getsockname() == address
        assert not door.getblocking()
        assert not door.get_inheritable()
        door.accept()[0].close()


async def test_a_peer_that_has_ended_says_its_last(pair: Pair) -> None:
    one, two = pair
    one.close()
    assert await messages.hear(two, 5) == (messages.LAST, None)


async def test_a_peer_that_ended_without_reading_says_its_last(pair: Pair) -> None:
    one, two = pair
    messages.say(two, messages.READY)
    one.close()
    assert await messages.hear(two, 5) == (messages.LAST, None)


async def test_silence_has_an_end(pair: Pair) -> None:
    with pytest.raises(TimeoutError):
        await messages.hear(pair[1], 0.01)


@pytest.mark.parametrize(
    ("said", "complaint"),
    [(b"something else", "said b'something else' where b'ready' was due"), (None, "has ended")],
)
async def test_what_is_not_due_is_not_understood(
    said: bytes | None, complaint: str, pair: Pair
) -> None:
    one, two = pair
    if said is None:
        one.close()
    else:
        messages.say(one, said)
    with pytest.raises(NotUnderstood, match=complaint):
        await messages.expect(two, messages.READY, 5)


async def test_a_door_that_nobody_asked_for_is_closed(pair: Pair) -> None:
    one, two = pair
    before = open_descriptors()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        messages.say(one, messages.READY, listening)
    await messages.expect(two, messages.READY, 5)
    assert open_descriptors() == before


def test_the_kernel_knows_who_is_at_the_other_end(pair: Pair) -> None:
    assert messages.peer(pair[0]) == (os.getpid(), os.geteuid())
    assert messages.is_ours(pair[0])


def test_another_user_is_not_us(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 12345)
    assert not messages.is_ours(pair[0])


async def test_a_line_connects_to_a_path(tmp_path: Path) -> None:
    with messages.line() as listening, messages.line() as connecting:
        listening.bind(str(tmp_path / "knocker"))
        listening.listen()
        connecting.connect(str(tmp_path / "knocker"))
