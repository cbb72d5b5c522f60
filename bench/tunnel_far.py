"""The far end of a tunnel bench: ``python -m bench.tunnel_far HOST:PORT``.

Grants STARTTLS at once, then reads octets away as fast as it can and, at their end, says how many
there were. One thread a connection; what it reads is thrown away unlooked at.
"""

import socket
import sys
import threading
from typing import Final

from service_kit.addresses import HostPort

SLICE_OCTETS: Final = 1024 * 1024
DIALOGUE: Final = (
    b"220 far.example ESMTP\r\n",
    b"250-far.example\r\n250 STARTTLS\r\n",
    b"220 2.0.0 go ahead\r\n",
)
"""The greeting, the answer to EHLO, the answer to STARTTLS."""
ALERT: Final = b"\x15\x03\x03\x00\x14"
"""Head of a TLS record of 20 octets, which the count fills: plaintext would be cut by the edge."""


def main() -> None:
    address = HostPort.parse(sys.argv[1])
    with socket.create_server((address.host, address.port), backlog=1024) as listening:
        while True:
            connection, _ = listening.accept()
            threading.Thread(target=swallow, args=(connection,), daemon=True).start()


def swallow(connection: socket.socket) -> None:
    """One connection to its end."""
    slice_ = bytearray(SLICE_OCTETS)
    count = 0
    with connection:
        greeting, *answers = DIALOGUE
        connection.sendall(greeting)
        for answer in answers:
            if not connection.recv_into(slice_):
                return
            connection.sendall(answer)
        while octets := connection.recv_into(slice_):
            count += octets
        connection.sendall(ALERT + b"%020d" % count)


if __name__ == "__main__":
    main()
