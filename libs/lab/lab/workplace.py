"""The folder ``.run`` in which farms that people start keep their files, one farm a subfolder."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from service_kit.errors import StartError

ROOT: Final = Path(".run")
TOKEN_FILE: Final = ROOT / "admin-token"


@contextlib.contextmanager
def workplace(name: str, root: Path = ROOT) -> Iterator[Path]:
    """The subfolder ``name``, ours alone while this lasts. StartError: somebody else has it."""
    folder = root / name
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (folder / "lock").open("w")
    except OSError as wrong:
        raise StartError(f"{folder}: cannot be used: {wrong.strerror}") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartError(f"{folder} belongs to a farm that is running; stop it first") from None
        yield folder
