"""A real Haraka of our own on a free port; it writes each message down before it says 250."""

import shutil
import tempfile
from pathlib import Path
from typing import Final, Self

from lab.children import Child
from lab.ports import free_port
from service_kit.addresses import HostPort
from tests.support.far_side import DOMAIN
from tests.support.needs import need_haraka, need_program
from tests.support.processes import until

_CONFIGURATION: Final = {
    "me": "haraka.example",
    "plugins": "rcpt_to.in_host_list\nqueue/test",
    "host_list": DOMAIN,
    "log.ini": "[main]\nlevel=notice\n",
    "outbound.ini": "disabled=true\n",
}


class Haraka:
    """Runs while it is entered."""

    def __init__(self) -> None:
        self.address = HostPort("127.0.0.1", 0)
        self._folder: Path
        self._child: Child

    def __enter__(self) -> Self:
        node, program = need_program("node", "nodejs"), need_haraka()
        self._folder = Path(tempfile.mkdtemp(prefix="smtpgated-haraka-"))
        self._start(node, program)
        try:
            until(self._is_up)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        self._child.kill()
        shutil.rmtree(self._folder)

    def messages(self) -> list[bytes]:
        """Trace headers, then what was sent, with CRLF."""
        return [each.read_bytes() for each in (self._folder / "mail").glob("*.eml")]

    def is_idle(self) -> bool:
        return True

    def log(self) -> str:
        return (self._folder / "output").read_text(encoding="utf-8", errors="replace")

    def _start(self, node: str, program: Path) -> None:
        self.address = free_port("127.0.0.1")
        for name in ("queue", "mail"):
            (self._folder / name).mkdir()
        # Its own defaults, as ``haraka --install`` puts them down for an operator.
        shutil.copytree(program.parent.parent / "config", self._folder / "config")
        listen = f"listen={self.address}\nnodes=0\n"
        for name, text in (*_CONFIGURATION.items(), ("smtp.ini", listen)):
            (self._folder / "config" / name).write_text(text)
        # Its plugin queue/test keeps messages in the folder for temporary files.
        place = f"TMPDIR={self._folder}/mail"
        self._child = Child(
            "haraka",
            ("env", place, node, str(program), "-c", str(self._folder)),
            self._folder / "output",
        )

    def _is_up(self) -> bool:
        if self._child.exit_code is not None:
            raise AssertionError(f"Haraka {self._child.how_it_ended}: {self._child.log_tail(40)}")
        return f"Listening on {self.address}" in self.log()
