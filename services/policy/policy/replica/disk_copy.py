"""What survives a store that comes back empty, as files in one folder.

``farm.json``: rulebook, locks, exemptions, overrides, tokens. ``identities.json``: the identity
table, a thousand entries a line; it is larger, changes all the time, and is written less often. A
copy that cannot be read is put aside with the ending ``.unreadable`` and counts as none: mail must
go on, and the file is kept for a person.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from policy.core.farm import Picture
from policy.core.identities import NetworkIdentity
from policy.core.subjects import SubjectError, check_subject
from policy.metrics import COPY_FAILURES
from policy.replica.whole_file import write_whole
from policy.store.records import IDENTITY_LISTS, RecordError
from service_kit.logs import event
from smtpgated_contracts.values.policy import Lock

_PICTURES: Final = TypeAdapter(Picture)
_LOCKS: Final = TypeAdapter(tuple[Lock, ...])
_IN_A_LINE: Final = 1000
_LOG: Final = logging.getLogger(__name__)


class DiskCopy:
    """Files in ``state_dir``, which is made if need be. Blocking: call it in a thread."""

    def __init__(self, state_dir: Path) -> None:
        self._farm = state_dir / "farm.json"
        self._identities = state_dir / "identities.json"

    def read(self) -> Picture | None:
        """The last copy; None when there is none, or none that can be read."""
        try:
            picture = _PICTURES.validate_json(self._farm.read_bytes())
            for lock in picture.locks:
                check_subject(lock.subject)
            for exemption in picture.exemptions:
                check_subject(exemption.subject)
            for override in picture.overrides:
                check_subject(override.subject)
        except FileNotFoundError:
            return None
        except (OSError, ValidationError, SubjectError) as error:
            _put_aside(self._farm, error)
            return None
        return replace(picture, identities=self._read_identities())

    def write(self, picture: Picture) -> bool:
        """Everything but the identities; whether it is on disk now. The old copy stays if not."""
        return _written(self._farm, _parts_of(picture))

    def write_identities(self, entries: Sequence[NetworkIdentity]) -> bool:
        """Whether they are on disk now; the old copy stays if not."""
        lines = (
            # A line at a time: between two of them the loop, which answers questions, has its turn.
            IDENTITY_LISTS.to_text(tuple(entries[at : at + _IN_A_LINE])).encode() + b"\n"
            for at in range(0, len(entries), _IN_A_LINE)
        )
        return _written(self._identities, lines)

    def _read_identities(self) -> tuple[NetworkIdentity, ...]:
        try:
            with self._identities.open(encoding="utf-8") as lines:
                return tuple(entry for line in lines for entry in IDENTITY_LISTS.from_text(line))
        except FileNotFoundError:
            return ()
        except (OSError, UnicodeDecodeError, RecordError) as error:
            _put_aside(self._identities, error)
            return ()


def _parts_of(picture: Picture) -> Iterator[bytes]:
    """One JSON object; its locks a thousand at a time, so that the loop has its turns."""
    rest = _PICTURES.dump_json(picture, exclude={"identities", "locks"})
    yield rest.removesuffix(b"}") + b',"locks":['
    for at in range(0, len(picture.locks), _IN_A_LINE):
        part = _LOCKS.dump_json(picture.locks[at : at + _IN_A_LINE])
        yield (b",\n" if at else b"") + part[1:-1]
    yield b"]}"


def _written(path: Path, parts: Iterator[bytes] | Sequence[bytes]) -> bool:
    try:
        write_whole(path, parts)
    except OSError as error:
        COPY_FAILURES().inc()
        event(_LOG, logging.ERROR, "copy not written", path=str(path), why=str(error))
        return False
    return True


def _put_aside(path: Path, error: Exception) -> None:
    COPY_FAILURES().inc()
    event(_LOG, logging.ERROR, "copy unreadable", path=str(path), why=str(error))
    with suppress(OSError):
        path.rename(path.with_suffix(".unreadable"))
