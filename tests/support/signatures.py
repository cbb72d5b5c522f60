"""Databases for clamd, as freshclam would bring them: a numbered daily, and one's own.

daily is an unsigned container (.cud), which clamd loads and numbers like a signed one. Files come
by rename, so that nobody loads half of one.
"""

import hashlib
import io
import tarfile
import time
from pathlib import Path
from typing import Final

# Long ago, whatever the clock of the machine says.
_MADE_AT: Final = 1_700_000_000


def put_daily(folder: Path, number: int, signatures: dict[str, bytes]) -> None:
    """``signatures``: name and the octets it finds."""
    lines = _lines(signatures)
    made_at = _MADE_AT + number
    stamp = time.strftime("%d %b %Y %H-%M +0000", time.gmtime(made_at))
    header = f"ClamAV-VDB:{stamp}:{number}:{len(signatures)}:90:X:X:own:{made_at}"
    listing = f"{header}\ndaily.ndb:{len(lines)}:{hashlib.sha256(lines).hexdigest()}\n"
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", format=tarfile.USTAR_FORMAT) as archive:
        for name, octets in (
            ("COPYING", b"ours\n"),
            ("daily.info", listing.encode()),
            ("daily.ndb", lines),
        ):
            member = tarfile.TarInfo(name)
            member.size = len(octets)
            archive.addfile(member, io.BytesIO(octets))
    _put(folder / "daily.cud", header.encode().ljust(512) + packed.getvalue())


def put_own(folder: Path, signatures: dict[str, bytes]) -> None:
    """The operator's: without a number."""
    _put(folder / "own.ndb", _lines(signatures))


def put_broken(folder: Path) -> None:
    """What no clamd loads."""
    _put(folder / "own.ndb", b"Broken:0:*:this is not hexadecimal\n")


def _lines(signatures: dict[str, bytes]) -> bytes:
    return b"".join(b"%s:0:*:%s\n" % (n.encode(), o.hex().encode()) for n, o in signatures.items())


def _put(path: Path, octets: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    being_written = path.with_suffix(".part")
    being_written.write_bytes(octets)
    being_written.rename(path)
