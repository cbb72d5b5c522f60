"""What survives a store that comes back empty: rulebook, locks and exemptions, in one file.

Written whole beside the old one, synced and renamed over it (mode 0600): a crash leaves the
old copy or the new one, never a half. A copy that cannot be read is put aside with the ending
``.unreadable`` and counts as none: mail must go on, and the file is kept for a person.
"""

import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from policy.core.farm import Picture
from policy.core.subjects import SubjectError, check_subject
from policy.metrics import COPY_FAILURES
from service_kit.logs import event

_NAME: Final = "farm.json"
_PICTURES: Final = TypeAdapter(Picture)
_LOG: Final = logging.getLogger(__name__)


class DiskCopy:
    """One file in ``state_dir``, which is made if need be. Blocking: call it in a thread."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / _NAME

    def read(self) -> Picture | None:
        """The last copy; None when there is none, or none that can be read."""
        try:
            picture = _PICTURES.validate_json(self._path.read_bytes())
            for lock in picture.locks:
                check_subject(lock.subject)
            for exemption in picture.exemptions:
                check_subject(exemption.subject)
        except FileNotFoundError:
            return None
        except (OSError, ValidationError, SubjectError) as error:
            COPY_FAILURES().inc()
            event(_LOG, logging.ERROR, "copy unreadable", path=str(self._path), why=str(error))
            with suppress(OSError):
                self._path.rename(self._path.with_suffix(".unreadable"))
            return None
        return picture

    def write(self, picture: Picture) -> bool:
        """Whether it is on disk now; the old copy stays if not."""
        fresh = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(fresh, "wb", opener=_private) as file:
                file.write(_PICTURES.dump_json(picture))
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
        except OSError as error:
            COPY_FAILURES().inc()
            event(_LOG, logging.ERROR, "copy not written", path=str(self._path), why=str(error))
            return False
        return True


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_TRUNC, mode=0o600)
