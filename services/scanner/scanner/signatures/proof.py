"""One daemon is told to reload, and what it does then is believed only when it is shown.

That it has the edition: it tells the number of the folder's daily, and finds each probe that it
did not find before. That it can be trusted with it: it finds the test virus if it did before,
and nothing in a content where nothing is. clamd that cannot load a database goes on with the old
one; only asking shows that.

No errors: an outcome.
"""

import asyncio
from dataclasses import dataclass
from typing import Final

from scanner.ports import Daemon, EngineFailure, ReloadOutcome
from scanner.signatures.folder import Edition

# EICAR's test file, in pieces: this file is harmless itself.
TEST_VIRUS: Final = b"".join(
    (b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$", b"EICAR-STANDARD-", b"ANTIVIRUS-TEST-FILE!", b"$H+H*")
)
_NOTHING_IN_IT: Final = b"Subject: nothing\r\n\r\nThere is nothing in this message.\r\n"
_FIRST_PAUSE_S: Final = 0.02
_LONGEST_PAUSE_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Result:
    """``why``: for people, unless it is LOADED. ``expects_test_virus``: it found that before."""

    outcome: ReloadOutcome
    why: str = ""
    expects_test_virus: bool = False


async def reloaded(daemon: Daemon, edition: Edition | None, patience_s: float) -> Result:
    """``edition``: what it must have afterwards; None: whatever there is. ``patience_s``: for it
    to load and to show it."""
    if edition is not None and edition.malformed:
        return Result(ReloadOutcome.KEPT, edition.malformed)
    try:
        found = await daemon.finds(TEST_VIRUS)
        unknown = await unknown_probes(daemon, edition)
        await daemon.reload()
    except EngineFailure as failure:
        return Result(ReloadOutcome.AWAY, str(failure))
    missing = "it does not say so"
    pause_s = _FIRST_PAUSE_S
    clock = asyncio.get_running_loop().time
    until_s = clock() + patience_s
    while missing and clock() < until_s:
        await asyncio.sleep(pause_s)
        pause_s = min(_LONGEST_PAUSE_S, pause_s * 1.5)
        missing = await _missing(daemon, edition, unknown)
    wrong = await unsound(daemon, expects_test_virus=found)
    if wrong:
        return Result(ReloadOutcome.LOST, wrong, found)
    return Result(ReloadOutcome.KEPT, missing) if missing else Result(ReloadOutcome.LOADED)


async def unknown_probes(daemon: Daemon, edition: Edition | None) -> tuple[bytes, ...]:
    """Contents that the edition finds and the daemon, as it is, does not. Raises EngineFailure."""
    probes = edition.probes if edition is not None else ()
    return tuple([each.content for each in probes if not await daemon.finds(each.content)])


async def behind_in_number(daemon: Daemon, edition: Edition | None) -> bool:
    """Whether it tells an older number than the folder's. Raises EngineFailure."""
    if edition is None or edition.number is None:
        return False
    return ((await daemon.version()).signatures or 0) < edition.number


async def unsound(daemon: Daemon, *, expects_test_virus: bool) -> str:
    """Why it cannot be trusted; empty if it can."""
    try:
        if await daemon.finds(_NOTHING_IN_IT):
            return "it finds something where nothing is"
        if expects_test_virus and not await daemon.finds(TEST_VIRUS):
            return "it does not find the test virus any more"
    except EngineFailure as failure:
        return str(failure)
    return ""


async def _missing(daemon: Daemon, edition: Edition | None, unknown: tuple[bytes, ...]) -> str:
    """What it does not show yet."""
    try:
        if edition is not None and await behind_in_number(daemon, edition):
            return f"it does not tell number {edition.number}"
        found = [await daemon.finds(content) for content in unknown]
    except EngineFailure as failure:
        return str(failure)
    return "" if all(found) else "a new signature does not match"
