"""Real engines for tests and figures: clamd with signatures of our own, spamd and rspamd
with Debian's rules.

Each runs in the foreground in a folder of its own, as whoever runs the tests (spamd, which
refuses to be root, as Debian's account for it), and is ended by the process that was started.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

import pytest

from lab.messages import EICAR
from lab.ports import free_port
from service_kit.addresses import HostPort

# clamd with our few signatures is up in a second; spamd compiles its rules for several.
_PATIENCE_S: Final = 90.0
_SPAMD_ACCOUNT: Final = "debian-spamd"
_RSPAMD_ACCOUNT: Final = "_rspamd"
SIGNATURE: Final = "Test.Eicar"
"""What our clamd calls EICAR, in content and in whatever clamd unpacks."""
_MIB: Final = 1024 * 1024


class PeerMissing(Exception):  # noqa: N818 - a fact about the machine
    """A program the tests talk to is not installed: says which, and what installs it."""


def skip_or_fail(why: PeerMissing) -> NoReturn:
    """Skips a test for want of a program, which CI does not accept."""
    if os.environ.get("CI") == "true":
        pytest.fail(str(why))
    pytest.skip(str(why))


@dataclass(frozen=True, slots=True)
class RunningClamd:
    """``address`` as the scanner's configuration writes it."""

    address: str
    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        return self.process.pid

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def clamd_running(folder: Path, *settings: str) -> Iterator[RunningClamd]:
    """``settings``: further lines of clamd.conf. Its whole database knows EICAR alone."""
    program = _program("clamd", "clamav-daemon")
    folder.mkdir(parents=True, exist_ok=True)
    # Not in ``folder``: the path of a socket is short.
    with tempfile.TemporaryDirectory(prefix="clamd-") as place:
        address = f"{place}/clamd.ctl"
        configuration = _clamd_configuration(folder, address, settings)
        with _running([program, "--config-file", str(configuration)], folder / "clamd.log") as run:
            _wait_until(lambda: _listens_unix(address), run, folder / "clamd.log")
            yield RunningClamd(address, run)


def _clamd_configuration(folder: Path, address: str, settings: Sequence[str]) -> Path:
    database = folder / "database"
    database.mkdir(exist_ok=True)
    (database / "own.ndb").write_text(f"{SIGNATURE}:0:*:{EICAR.hex()}\n")
    configuration = folder / "clamd.conf"
    limit = 100 * _MIB
    lines = (
        "Foreground yes",
        f"LocalSocket {address}",
        f"DatabaseDirectory {database}",
        f"TemporaryDirectory {folder}",
        f"StreamMaxLength {limit}",
        f"MaxFileSize {limit}",
        f"MaxScanSize {4 * limit}",
        "AlertExceedsMax yes",
        *settings,
    )
    # What comes first counts in clamd.conf: ours is replaced by what a test asks for.
    named = {line.split()[0]: line for line in lines}
    configuration.write_text("\n".join(named.values()) + "\n")
    return configuration


@dataclass(frozen=True, slots=True)
class RunningSpamd:
    address: HostPort
    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def spamd_running(folder: Path) -> Iterator[RunningSpamd]:
    """Debian's rules, without the tests that ask the network."""
    program = _program("spamd", "spamd")
    folder.mkdir(parents=True, exist_ok=True)
    address = free_port("127.0.0.1")
    with tempfile.TemporaryDirectory(prefix="spamd-") as home:
        command = [
            program,
            "--local",
            "--nouser-config",
            "--max-children=4",
            "--min-children=2",
            f"--listen={address.host}:{address.port}",
            f"--helper-home-dir={home}",
            "--syslog=stderr",
            *_other_account(Path(home)),
        ]
        with _running(command, folder / "spamd.log") as run:
            _wait_until(lambda: _listens_tcp(address), run, folder / "spamd.log")
            yield RunningSpamd(address, run)


def _other_account(home: Path) -> list[str]:
    if os.geteuid() != 0:
        return []
    _give(home, _SPAMD_ACCOUNT)
    return [f"--username={_SPAMD_ACCOUNT}"]


def _give(folder: Path, account: str) -> None:
    owner = pwd.getpwnam(account)
    os.chown(folder, owner.pw_uid, owner.pw_gid)


@dataclass(frozen=True, slots=True)
class RunningRspamd:
    address: HostPort
    process: subprocess.Popen[bytes]


@contextmanager
def rspamd_running(folder: Path) -> Iterator[RunningRspamd]:
    """Debian's rules; whoever it asks by DNS does not answer."""
    program = _program("rspamd", "rspamd")
    folder.mkdir(parents=True, exist_ok=True)
    address = free_port("127.0.0.1")
    with tempfile.TemporaryDirectory(prefix="rspamd-") as home:
        configuration = Path(home) / "rspamd.conf"
        configuration.write_text(_RSPAMD_CONFIGURATION.format(address=address))
        command = [program, "--no-fork", f"--config={configuration}"]
        command += [f"--var={name}={home}" for name in ("DBDIR", "RUNDIR", "LOGDIR")]
        if os.geteuid() == 0:
            _give(Path(home), _RSPAMD_ACCOUNT)
            command += [f"--user={_RSPAMD_ACCOUNT}", f"--group={_RSPAMD_ACCOUNT}"]
        with _running(command, folder / "rspamd.log") as run:
            _wait_until(lambda: _listens_tcp(address), run, folder / "rspamd.log")
            yield RunningRspamd(address, run)


_RSPAMD_CONFIGURATION: Final = """\
.include "$CONFDIR/common.conf"
options {{
    pidfile = "$RUNDIR/rspamd.pid";
    .include "$CONFDIR/options.inc"
    dns {{ nameserver = "127.0.0.1:1"; timeout = 0.1s; retransmits = 0; }}
}}
logging {{ type = "console"; level = "warning"; }}
worker "normal" {{ bind_socket = "{address.host}:{address.port}"; count = 2; }}
"""


def _program(name: str, package: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise PeerMissing(f"{name} is not installed: apt-get install {package} (or make deps)")
    return found


@contextmanager
def _running(command: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until(listens: Callable[[], bool], run: subprocess.Popen[bytes], log: Path) -> None:
    deadline_s = time.monotonic() + _PATIENCE_S
    while not listens():
        if run.poll() is not None or time.monotonic() > deadline_s:
            raise RuntimeError(f"{run.args!r} does not come up:\n{log.read_text()[-2000:]}")
        time.sleep(0.05)


def _listens_unix(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(path) == 0


def _listens_tcp(address: HostPort) -> bool:
    with socket.socket(socket.AF_INET) as probe:
        return probe.connect_ex((address.host, address.port)) == 0
