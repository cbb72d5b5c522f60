"""What two scans must have in common to have one answer: octets, engine, knowledge, settings.

Scores are compared with a profile's threshold after the engine has spoken, and a profile's
limits are looked at before it is asked, so profiles are not part of a key: all of them share
what an engine states. The head of a longer message shares with nothing but heads.
"""

from hashlib import blake2b

from scanner.core.content import Content
from scanner.core.profile import EngineProfile, EngineVersion


def digest_of(content: Content) -> str:
    """Of the octets, however they are cut into pieces. 64 hexadecimal digits."""
    digest = blake2b(digest_size=32)
    for piece in content.pieces:
        digest.update(piece)
    return digest.hexdigest()


def key_of(engine: EngineProfile, version: EngineVersion, extent: str, digest: str) -> str:
    """``ENGINE:WHO:DIGEST``. WHO is 32 digits for all else that makes an engine say what it says;
    ``extent``: whether it is given a whole message or the head of one."""
    who = repr((version.known, version.signatures_at, engine.variant, extent))
    return f"{engine.name}:{blake2b(who.encode(), digest_size=16).hexdigest()}:{digest}"
