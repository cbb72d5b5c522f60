"""Whether a transport is read from: open unless somebody has a reason to keep it closed."""

import asyncio


class Valve:
    """Follows ``set_open``; touches the transport only when the state changes."""

    __slots__ = ("_open", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._open = True

    def set_open(self, wanted: bool) -> None:  # noqa: FBT001 - the state it is to follow
        if wanted is self._open or self._transport.is_closing():
            return
        self._open = wanted
        if wanted:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()
