"""See README.md beside this file."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import pytest

from tests.support.containers import ROOT, Engine

pytestmark = [pytest.mark.root, pytest.mark.timeout(1200)]

_FOLDER: Final = "deploy/compose"
_FILES: Final = ("compose.yaml", "compose.offline.yaml", "compose.lab.yaml")


@dataclass(frozen=True, slots=True)
class Composed:
    """A project that runs; ``command`` is compose's, to which words are added."""

    engine: Engine
    command: Sequence[str]

    def __call__(self, *words: str) -> str:
        return self.engine.docker(*self.command, *words)

    def start(self) -> None:
        """All of it, healthy; where it does not come to that, what the containers say."""
        try:
            self("up", "-d", "--wait", "--pull", "never", "--no-build")
        except AssertionError as failure:
            raise AssertionError(f"{failure}\n{self('logs', '--tail', '20')}") from None


@pytest.fixture(scope="module")
def lab(engine: Engine) -> Iterator[Composed]:
    files = [word for name in _FILES for word in ("-f", f"{_FOLDER}/{name}")]
    project = ("compose", "-p", f"sgt{os.getpid()}", "--project-directory", _FOLDER, *files)
    composed = Composed(engine, project)
    try:
        composed.start()
        yield composed
    finally:
        composed("down", "--volumes", "--timeout", "5")


def test_customers_behind_the_router_are_scanned_and_do_not_notice(lab: Composed) -> None:
    done = subprocess.run(
        [f"{_FOLDER}/send.sh", "docker", *lab.command],
        cwd=ROOT,
        env=dict(lab.engine.environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("the server saw:") == 3


def test_nothing_is_scanned_by_nobody_when_the_edge_is_gone(lab: Composed) -> None:
    """Fail-closed: the customer is refused, not let past."""
    lab("stop", "edge-proxy")
    try:
        for customer, server in (
            ("customer", "203.0.113.10"),
            ("subscriber", "203.0.113.10"),
            ("subscriber", "2001:db8:2::10"),
        ):
            ask = f"import socket; socket.create_connection(('{server}', 25), 5)"
            with pytest.raises(AssertionError, match="ConnectionRefusedError"):
                lab("exec", "-T", customer, "python", "-c", ask)
    finally:
        lab("up", "-d", "--wait", "--no-build", "edge-proxy")


def test_a_second_start_keeps_the_secrets(lab: Composed) -> None:
    token = lab("exec", "-T", "policy", "cat", "/run/farm/admin-token")
    assert len(token.strip()) >= 32
    lab("up", "-d", "--wait", "--no-build", "--force-recreate", "prepare", "policy")
    assert lab("exec", "-T", "policy", "cat", "/run/farm/admin-token") == token


def test_no_secret_is_in_a_log_or_an_environment(lab: Composed) -> None:
    token = lab("exec", "-T", "policy", "cat", "/run/farm/admin-token").strip()
    password = lab("exec", "-T", "policy", "cat", "/run/farm/redis-url").split(":")[2].split("@")[0]
    containers = lab("ps", "-a", "-q").split()
    said = lab("logs") + lab.engine.docker("inspect", *containers)
    assert len(password) > 30
    assert token not in said
    assert password not in said
