"""What ClamAV's database files say of themselves: the number of a container, a signature to try.

A container (.cvd, .cld, .cud) begins with 512 octets of fields between colons, the third of
which is its number. A line of an .ndb file is ``Name:Target:Offset:Hexadecimal``.

No errors: what cannot be read says nothing.
"""

import re
from dataclasses import dataclass
from typing import Final

HEADER_OCTETS: Final = 512
CONTAINERS: Final = frozenset({".cvd", ".cld", ".cud"})
# ClamAV's manual, "Signatures": what it loads from a folder. What else lies there, freshclam's
# own notes and the files it is just writing, is none of ours.
PLAIN: Final = frozenset((
    ".ndb", ".ndu", ".hdb", ".hdu", ".hsb", ".hsu", ".mdb", ".mdu", ".msb", ".msu", ".ldb", ".ldu",
    ".idb", ".fp", ".sfp", ".ign", ".ign2", ".cdb", ".crb", ".cbc", ".ftm", ".gdb", ".pdb", ".wdb",
    ".yar", ".yara", ".cfg", ".imp", ".cat", ".pwdb",
))  # fmt: skip
_HEADER: Final = re.compile(rb"ClamAV-VDB:[^:]{1,64}:(\d{1,9}):")
# Any kind of content, anywhere in it, and octets without wildcards.
_PLAIN_SIGNATURE: Final = re.compile(rb"([^:\s]{1,200}):0:\*:((?:[0-9a-fA-F]{2}){8,512})(?::|\s*$)")


# Wildcards and all (the same chapter); what is behind the signature are versions of the engine.
_ANY_SIGNATURE: Final = re.compile(
    rb"[^:]+:\d{1,2}:[^:]*:[0-9a-fA-F?*{}()|!\[\]~LBWlbw-]+(?::\d*){0,2}\s*"
)


@dataclass(frozen=True, slots=True)
class Probe:
    """A content that one signature finds, and so the proof that it was loaded."""

    name: str
    content: bytes


def number_of(header: bytes) -> int | None:
    """Of a container's first octets."""
    parsed = _HEADER.match(header)
    return None if parsed is None else int(parsed[1])


def malformed(lines: bytes) -> str:
    """What of an .ndb file no clamd loads; empty if nothing is seen that it would not."""
    for line in lines.splitlines():
        if line.strip() and not line.startswith(b"#") and _ANY_SIGNATURE.fullmatch(line) is None:
            return f"no signature: {line[:80].decode('ascii', 'backslashreplace')}"
    return ""


def last_probe(lines: bytes) -> Probe | None:
    """Of the last line of an .ndb file that is simple enough; new ones are written at the end."""
    for line in reversed(lines.splitlines()):
        parsed = _PLAIN_SIGNATURE.match(line)
        if parsed is not None:
            name = parsed[1].decode("ascii", "backslashreplace")
            return Probe(name, bytes.fromhex(parsed[2].decode()))
    return None
