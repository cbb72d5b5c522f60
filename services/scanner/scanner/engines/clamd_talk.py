"""What is said with clamd over one link: a content, its version, a reload.

Errors: EngineFailure. The caller holds the deadline.
"""

from scanner.core.clamd_wire import (
    ASK_VERSION,
    OPEN_SESSION,
    RELOAD,
    Outcome,
    ReloadReader,
    StreamReader,
    StreamReply,
    VersionReader,
    instream,
)
from scanner.core.content import Content
from scanner.core.profile import EngineVersion
from scanner.engines.link import EngineLink
from scanner.ports import EngineFailure, FailureReason


async def instreamed(link: EngineLink, content: Content) -> StreamReply:
    """In the link's session, which the first content opens."""
    number = link.exchanges + 1
    opening = (OPEN_SESSION,) if number == 1 else ()
    reply = await link.exchange((*opening, *instream(content)), StreamReader(number))
    if reply.outcome is Outcome.CLEAN and link.answered_early:
        raise EngineFailure(FailureReason.MALFORMED, "clean before it had all of it")
    return reply


async def told_version(link: EngineLink) -> EngineVersion:
    """Outside of a session: on a link of its own."""
    return await link.exchange((ASK_VERSION,), VersionReader())


async def told_to_reload(link: EngineLink) -> None:
    """Outside of a session. It answers at once, and loads afterwards."""
    await link.exchange((RELOAD,), ReloadReader())
