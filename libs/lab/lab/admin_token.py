"""The admin token of a farm on this machine: made once, kept where only its owner can read."""

import os
import secrets
from pathlib import Path
from typing import Final

_TOKEN_OCTETS: Final = 24


def kept_token(file: Path) -> str:
    """The token in ``file``; made and written (mode 0600) if there is none yet."""
    try:
        token = file.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        token = ""
    if token:
        file.chmod(0o600)
        return token
    token = secrets.token_urlsafe(_TOKEN_OCTETS)
    unfinished = file.with_name(f"{file.name}.new")
    # Never readable by others, not even for a moment: the mode is given at creation.
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(token + "\n")
    unfinished.rename(file)
    return token
