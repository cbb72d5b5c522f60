"""What rules of an import have in common: the operator's own words, and a lock for the event."""

from typing import Final

from edge_proxy.legacy.draft import Old

_FOR_EVER_S: Final = 10 * 365 * 24 * 3600
_LONGEST_REPLY: Final = 400


def reply(old: Old, name: str) -> dict[str, object]:
    """The text of ``msg_…``, as far as a reply can carry it; nothing where there is none."""
    text = old.text(name)
    kept = "".join(each if each.isascii() and each.isprintable() else "?" for each in text)
    return {"reply": kept[:_LONGEST_REPLY]} if kept else {}


def lock(old: Old, event: str) -> dict[str, object]:
    """``lock_s`` where ``lock_on`` names the event."""
    seconds = lock_s(old)
    return {"lock_s": seconds} if event in old.words("lock_on") and seconds else {}


def lock_s(old: Old) -> int:
    """``lock_duration``; for ever is ten years."""
    seconds = old.number("lock_duration")
    return _FOR_EVER_S if seconds < 0 else seconds
