"""Octets spliced unread between the two links, counted, with ends passed on each way."""

from edge_proxy.links.link import Link


class Tunnel:
    """Nothing is interpreted here (RFC 3207: what follows the server's 220 is TLS)."""

    __slots__ = ("_downstream", "_ended", "_upstream", "octets_down", "octets_up")

    def __init__(self, downstream: Link, upstream: Link) -> None:
        self._downstream = downstream
        self._upstream = upstream
        self.octets_up = 0
        self.octets_down = 0
        self._ended: set[Link] = set()

    def octets_arrived(self, link: Link, octets: bytes) -> None:
        if link is self._downstream:
            self.octets_up += len(octets)
            self._upstream.send(octets)
        else:
            self.octets_down += len(octets)
            self._downstream.send(octets)

    def ended(self, link: Link) -> None:
        other = self._upstream if link is self._downstream else self._downstream
        other.end()
        self._ended.add(link)

    @property
    def over(self) -> bool:
        """Neither side sends any more."""
        return len(self._ended) == len((self._downstream, self._upstream))

    @property
    def progress(self) -> int:
        return self.octets_up + self.octets_down
