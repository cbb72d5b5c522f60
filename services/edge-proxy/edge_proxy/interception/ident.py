"""Ask the NAT router in front: an ident daemon that was patched to tell destinations.

The router is who our client seems to be. It is asked over TCP, from the address of ours that
the client reached; whoever looks for the connection there finds it by the two ports. The
deadline is the caller's (``Interception``). Bytes: ``ident_wire``.
"""

import asyncio

from edge_proxy.interception.believed import allowed, believed, identity_of
from edge_proxy.interception.ident_wire import LONGEST_ANSWER, parse_answer, render_question
from edge_proxy.interception.malformed import Malformed
from edge_proxy.interception.tproxy import local_end
from edge_proxy.ports import Arrived, Found, NoDestination, NotFound
from rulebook.networks import NetworkSet
from smtpgated_contracts.values.mail import Endpoint


class Ident:
    """``peers``: routers that are asked; ``port``: where their daemon listens."""

    def __init__(self, peers: NetworkSet, port: int) -> None:
        self._peers = peers
        self._port = port

    async def find(self, arrived: Arrived) -> Found:
        router = allowed(arrived.peer, self._peers)
        local = local_end(arrived.socket)
        if ":" in router.address:
            raise NoDestination(NotFound.UNKNOWN, "the ident protocol knows IPv4 only")
        try:
            answer = await self._asked(router, local)
            origin = parse_answer(answer, router.port, local.port)
        except OSError as error:
            raise NoDestination(NotFound.NO_ANSWER, f"ident: {error.strerror or error}") from None
        except Malformed as wrong:
            raise NoDestination(NotFound.BAD_ANSWER, f"ident: {wrong}") from None
        if origin is None:
            raise NoDestination(NotFound.UNKNOWN, "ident: the router does not know")
        destination = believed(origin.destination, router)
        return Found(router, destination, identity_of(origin.identity))

    async def _asked(self, router: Endpoint, local: Endpoint) -> bytes:
        """The first line of the answer, or as much as came; at most a little too much."""
        reader, writer = await asyncio.open_connection(
            router.address, self._port, local_addr=(local.address, 0)
        )
        try:
            writer.write(render_question(router.port, local.port))
            answer = b""
            while b"\n" not in answer and len(answer) <= LONGEST_ANSWER:
                octets = await reader.read(LONGEST_ANSWER + 1)
                if not octets:
                    break
                answer += octets
            return answer
        finally:
            writer.transport.abort()  # nothing more is said; closing must not wait for the router
