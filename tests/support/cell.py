"""A program in a root of its own: for servers whose paths and accounts were fixed at build.

Exim and OpenSMTPD look for their configuration, spool and accounts where Debian puts them, and
Debian installs one mail server only. So each runs from its unpacked package in a mount namespace:
the machine's programs and libraries, but the package's own ``/usr/sbin`` and ``/usr/libexec``, and
an ``/etc`` and ``/var`` that are folders of the test. Nothing of the machine is written to, and
the mounts end with the last process. Needs root and Linux.
"""

import os
import shutil
import signal
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from lab.children import Child
from tests.support.needs import need_linux, need_program, need_root, need_unpacked
from tests.support.processes import children, until

_MACHINES: Final = ("/usr/bin", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/share", "/dev")
_PACKAGES: Final = ("usr/sbin", "usr/libexec")
_LINKS: Final = {"bin": "usr/bin", "lib": "usr/lib", "lib64": "usr/lib64", "sbin": "usr/sbin"}
_FOLDERS: Final = ("etc", "var/lib", "var/log", "var/spool", "var/mail", "run", "tmp")
_ACCOUNTS: Final = (
    "root:x:0:0::/root:/bin/sh",
    "nobody:x:65534:65534::/nonexistent:/bin/sh",
)
_ACCOUNT_AT: Final = 30_000
"""The first uid of a server's own accounts; nobody else on a Debian machine has one there."""


class Cell:
    """``package`` is Debian's; ``accounts`` are those the server runs as, each with its group."""

    def __init__(self, package: str, accounts: Sequence[str]) -> None:
        need_linux("a server in a root of its own")
        need_root("a server in a root of its own")
        need_program("unshare", "util-linux")
        self._tree: Final = need_unpacked(package)
        self.root: Final = Path(tempfile.mkdtemp(prefix=f"smtpgated-{package}-"))
        self.root.chmod(0o755)
        self.log: Final = self.root / "var/log/output"
        self._mounts: Final[dict[str, Path]] = {}
        self._child: Child | None = None
        self._furnish()
        self._admit(accounts)

    def start(self, command: str) -> Child:
        """``command`` in a shell inside; it and all its children end with ``remove``."""
        mounts = "".join(
            f"mount --rbind {what} {self.root}/{where} && " for where, what in self._mounts.items()
        )
        # A process namespace: when its first process goes, the kernel ends all the others.
        self._child = Child(
            self._tree.name,
            (
                *("unshare", "--mount", "--pid", "--fork", "--kill-child"),
                *("sh", "-c", f'{mounts}exec chroot {self.root} sh -c "exec {command}"'),
            ),
            self.log,
        )
        return self._child

    def remove(self) -> None:
        """End what runs and delete the folder."""
        if self._child is not None:
            # Not ``unshare`` itself: nobody would reap what it leaves.
            for first in children(self._child.pid)[:1]:
                os.kill(first, signal.SIGKILL)
            child = self._child
            until(lambda: child.exit_code is not None)
        # The mounts were in the namespace, which is gone: here these folders are empty.
        shutil.rmtree(self.root)

    def _furnish(self) -> None:
        for each in _FOLDERS:
            (self.root / each).mkdir(parents=True)
        (self.root / "tmp").chmod(0o1777)
        (self.root / "var/run").symlink_to("../run")
        for name, target in _LINKS.items():
            (self.root / name).symlink_to(target)
        self._mounts.update({each[1:]: Path(each) for each in _MACHINES if Path(each).is_dir()})
        self._mounts.update(
            {each: self._tree / each for each in _PACKAGES if (self._tree / each).is_dir()}
        )
        for where in self._mounts:
            (self.root / where).mkdir(parents=True)

    def _admit(self, accounts: Sequence[str]) -> None:
        own = [f"{name}:x:{uid}:{uid}::/var/lib/{name}:/bin/sh"
               for uid, name in enumerate(accounts, _ACCOUNT_AT)]  # fmt: skip
        lines = (*_ACCOUNTS, *own)
        (self.root / "etc/passwd").write_text("\n".join(lines) + "\n")
        groups = [":".join((*line.split(":")[:2], line.split(":")[3], "")) for line in lines]
        groups.append("nogroup:x:65534:")
        (self.root / "etc/group").write_text("\n".join(groups) + "\n")
        (self.root / "etc/hosts").write_text("127.0.0.1 localhost\n")
        (self.root / "etc/resolv.conf").write_text("")
        (self.root / "etc/mailname").write_text("far.example\n")

    def own(self, path: str, account: str, mode: int = 0o750) -> Path:
        """A folder inside that belongs to this account."""
        folder = self.root / path
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(mode)
        uid = next(
            int(line.split(":")[2])
            for line in (self.root / "etc/passwd").read_text().splitlines()
            if line.startswith(account + ":")
        )
        os.chown(folder, uid, uid)
        return folder
