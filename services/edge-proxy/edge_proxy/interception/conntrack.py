"""This machine's conntrack, asked about one connection at a time.

The kernel answers within the call that asks: when ``send`` returns, the answer lies in the
socket. So nothing waits here, there is no deadline to keep, and no question can overtake
another (measured in docs/interception.md). Needs CAP_NET_ADMIN where the NAT is done; looks into
the default zone. IPv4 and IPv6, TCP.

Errors: ``StartError`` when conntrack cannot be asked at all; ``NotAsked`` when one time it could
not.
"""

import errno
import os
import socket
from collections.abc import Callable
from typing import Final, Self

from edge_proxy.interception.conntrack_wire import Answer, Flow, parse_answer, render_question
from service_kit.errors import StartError
from smtpgated_contracts.values.mail import Endpoint

_NETLINK_NETFILTER: Final = 12
_LARGEST_ANSWER_OCTETS: Final = 16_384
_MOST_STALE: Final = 16
_NOWHERE: Final = Flow(Endpoint("127.0.0.1", 9), Endpoint("127.0.0.1", 9))

_CURES: Final = {
    errno.EPERM: "give this process CAP_NET_ADMIN",
    errno.EINVAL: "the kernel needs its module nf_conntrack_netlink",
    errno.EOPNOTSUPP: "the kernel needs its module nf_conntrack_netlink",
    errno.EPROTONOSUPPORT: "the kernel needs its module nfnetlink",
}


class NotAsked(Exception):  # noqa: N818 - what is the case
    """Conntrack did not answer, or with something else."""


class Conntrack:
    def __init__(self, opened: Callable[[], socket.socket] | None = None) -> None:
        """``opened`` gives a non-blocking netlink socket, None: the kernel's own.

        Raises StartError, which says what to grant or to load.
        """
        self._sequence = 0
        try:
            self._socket = (opened or _netlink)()
        except OSError as error:
            raise _cannot(error) from None
        try:
            self._ask(_NOWHERE)
        except OSError as error:
            self.close()
            raise _cannot(error) from None

    def original_of(self, reply: Flow) -> Flow | None:
        """The connection as its client began it; None: not known here. Raises NotAsked."""
        try:
            return self._ask(reply)
        except (OSError, ValueError) as error:
            raise NotAsked(f"conntrack: {error}") from None

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def _ask(self, reply: Flow) -> Flow | None:
        self._sequence = (self._sequence + 1) & 0xFFFF_FFFF
        self._socket.sendto(render_question(self._sequence, reply), (0, 0))
        answer = self._answer()
        if answer.error not in (0, errno.ENOENT):
            raise OSError(answer.error, os.strerror(answer.error))
        return answer.original

    def _answer(self) -> Answer:
        """What a question left behind that failed between its two calls is passed over."""
        for _ in range(_MOST_STALE):
            answer = parse_answer(self._socket.recv(_LARGEST_ANSWER_OCTETS))
            if answer.sequence == self._sequence:
                return answer
        raise OSError(errno.EPROTO, "answers to other questions")


def _netlink() -> socket.socket:
    if not hasattr(socket, "AF_NETLINK"):
        raise StartError("conntrack can be asked on Linux only")
    made = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER)
    made.setblocking(False)  # noqa: FBT003 - socket's own signature
    return made


def _cannot(error: OSError) -> StartError:
    cure = _CURES.get(error.errno or 0)
    text = f"conntrack cannot be asked: {error.strerror or error}"
    return StartError(f"{text}; {cure}" if cure else text)
