"""The Lua scripts beside this file, each with the prelude before it, and their digests."""

import hashlib
from dataclasses import dataclass
from importlib import resources
from typing import Final

_FOLDER: Final = resources.files("policy.store.redis") / "scripts"
_PRELUDE: Final = (_FOLDER / "prelude.lua").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Script:
    """``digest`` is what EVALSHA calls it by."""

    text: str
    digest: str


def _script(name: str) -> Script:
    text = f"{_PRELUDE}\n{(_FOLDER / f'{name}.lua').read_text(encoding='utf-8')}"
    # SHA-1 is how Redis names scripts; nothing rests on its strength.
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


OPEN: Final = _script("open")
RENEW: Final = _script("renew")
RELEASE: Final = _script("release")
SPEND: Final = _script("spend")
ADD_POINTS: Final = _script("add_points")
FORGIVE: Final = _script("forgive")
LIST_SESSIONS: Final = _script("list_sessions")
PUT_LOCK: Final = _script("put_lock")
PUT_EXEMPTION: Final = _script("put_exemption")
REMOVE: Final = _script("remove")
PUT_RULEBOOK: Final = _script("put_rulebook")
PUT_IDENTITIES: Final = _script("put_identities")
REMOVE_IDENTITIES: Final = _script("remove_identities")
FORGET_EXPIRED: Final = _script("forget_expired")
AMEND: Final = _script("amend")
PUT_VERSION: Final = _script("put_version")
COUNT_SHADOW: Final = _script("count_shadow")

ALL: Final = (
    OPEN,
    RENEW,
    RELEASE,
    SPEND,
    ADD_POINTS,
    FORGIVE,
    LIST_SESSIONS,
    PUT_LOCK,
    PUT_EXEMPTION,
    REMOVE,
    PUT_RULEBOOK,
    PUT_IDENTITIES,
    REMOVE_IDENTITIES,
    FORGET_EXPIRED,
    AMEND,
    PUT_VERSION,
    COUNT_SHADOW,
)
