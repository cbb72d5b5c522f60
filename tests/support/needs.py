"""What a test needs of the machine. Missing: skipped with the reason, a failure where CI=true."""

import os
import shutil
import sys
from pathlib import Path
from typing import Final

from tests.support.engines import PeerMissing, skip_or_fail

_TOOLS: Final = Path(__file__).resolve().parent.parent.parent / ".tools"


def need_root(what_for: str) -> None:
    """For network namespaces, and for servers that insist on it."""
    if os.geteuid() != 0:
        skip_or_fail(PeerMissing(f"{what_for} needs root"))


def need_program(name: str, package: str) -> str:
    """Its path; ``package`` is Debian's, installed by ``make deps``."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if path is None:
        skip_or_fail(PeerMissing(f"{name} is not installed (Debian package {package}; make deps)"))
    return path


def need_linux(what_for: str) -> None:
    """For what no other kernel has."""
    if sys.platform != "linux":
        skip_or_fail(PeerMissing(f"{what_for} needs Linux"))


def need_unpacked(package: str) -> Path:
    """Where its files are; Debian's, but not installed: ``make deps`` only unpacks it."""
    tree = _TOOLS / "unpacked" / package
    if not tree.is_dir():
        skip_or_fail(PeerMissing(f"{tree} is not there (Debian package {package}; make deps)"))
    return tree


def need_haraka() -> Path:
    """Its program; ``make deps`` fetches it with npm."""
    program = _TOOLS / "haraka/node_modules/Haraka/bin/haraka"
    if not program.is_file():
        skip_or_fail(PeerMissing(f"{program} is not there (npm package Haraka; make deps)"))
    return program


def need_spf_suite() -> Path:
    """The RFC 7208 suite's file; ``make deps`` fetches pyspf's source archive for it."""
    suite = _TOOLS / "spf/rfc7208-tests.yml"
    if not suite.is_file():
        skip_or_fail(PeerMissing(f"{suite} is not there (source of pyspf; make deps)"))
    return suite
