"""Asking a kernel that plays; the real one is asked in e2e."""

import errno
import socket
from collections import deque
from typing import cast

import pytest

from edge_proxy.interception.conntrack import Conntrack, NotAsked
from edge_proxy.interception.conntrack_wire import Flow
from service_kit.errors import StartError
from smtpgated_contracts.values.mail import Endpoint

REPLY = Flow(Endpoint("10.71.3.2", 2525), Endpoint("10.71.1.2", 39996))


class Kernel:
    """A netlink socket: ``says`` makes each answer from a question's sequence octets."""

    def __init__(self) -> None:
        self.errors: deque[int] = deque([errno.ENOENT])  # to the question at the start
        self.left: deque[bytes] = deque()
        self.closed = False

    def sendto(self, question: bytes, _place: tuple[int, int]) -> None:
        if self.errors:
            self.left.append(refusal(self.errors.popleft(), question[8:12]))
        else:
            self.left.append(entry(question))

    def recv(self, _most: int) -> bytes:
        if not self.left:
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        return self.left.popleft()

    def close(self) -> None:
        self.closed = True

    def opened(self) -> socket.socket:
        return cast("socket.socket", self)


def refusal(error: int, sequence: bytes) -> bytes:
    head = bytes.fromhex("2400000002000000") + sequence + bytes(4)
    return head + (-error).to_bytes(4, "little", signed=True) + bytes(16)


def entry(question: bytes) -> bytes:
    """Conntrack's entry, as if nothing had been rewritten."""
    octets = bytearray(question)
    octets[4:8], octets[22:24] = bytes.fromhex("00010000"), bytes.fromhex("0180")
    return bytes(octets)


def test_what_is_known_and_what_is_not() -> None:
    kernel = Kernel()
    with Conntrack(kernel.opened) as table:
        assert table.original_of(REPLY) == REPLY
        kernel.errors.append(errno.ENOENT)
        assert table.original_of(REPLY) is None
    assert kernel.closed


def test_an_answer_to_another_question_is_passed_over() -> None:
    kernel = Kernel()
    table = Conntrack(kernel.opened)
    kernel.left.append(refusal(errno.ENOENT, b"\x63\0\0\0"))
    assert table.original_of(REPLY) == REPLY


def test_only_so_many_answers_are_passed_over() -> None:
    kernel = Kernel()
    table = Conntrack(kernel.opened)
    kernel.left.extend([refusal(errno.ENOENT, b"\x63\0\0\0")] * 16)
    with pytest.raises(NotAsked, match="other questions"):
        table.original_of(REPLY)


@pytest.mark.parametrize("octets", [b"", b"\0" * 40])
def test_an_answer_that_is_none(octets: bytes) -> None:
    kernel = Kernel()
    table = Conntrack(kernel.opened)
    kernel.left.append(octets)
    with pytest.raises(NotAsked, match=r"^conntrack: "):
        table.original_of(REPLY)


def test_an_answer_that_does_not_come() -> None:
    kernel = Kernel()
    table = Conntrack(kernel.opened)
    kernel.sendto = lambda *_: None  # type: ignore[method-assign]  # it stays silent
    with pytest.raises(NotAsked, match="temporarily unavailable"):
        table.original_of(REPLY)


@pytest.mark.parametrize(
    ("error", "cure"),
    [(errno.EPERM, "CAP_NET_ADMIN"), (errno.EINVAL, "nf_conntrack_netlink"), (errno.EIO, "error")],
)
def test_a_kernel_that_cannot_be_asked_ends_the_start(error: int, cure: str) -> None:
    kernel = Kernel()
    kernel.errors = deque([error])
    with pytest.raises(StartError, match=rf"conntrack cannot be asked: .*{cure}"):
        Conntrack(kernel.opened)
    assert kernel.closed
