"""See README.md beside this file."""

from typing import Any, Final

import pytest

from tests.support.containers import IMAGES, VERSION, Engine

pytestmark = [pytest.mark.root, pytest.mark.timeout(1200)]

SERVICES: Final = ("edge-proxy", "scanner", "policy")
_MIB: Final = 1024 * 1024
_MOST_OCTETS: Final = 250 * _MIB


def _image(name: str) -> str:
    return f"smtp-gated/{name}:{VERSION}"


def _run(engine: Engine, name: str, *command: str) -> str:
    """As it is deployed: nothing writable, no capability, no way to more."""
    confined = ("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges:true")
    return engine.docker(
        "run", "--rm", "--network=none", *confined, "--entrypoint", command[0], _image(name),
        *command[1:],
    )  # fmt: skip


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_starts_confined_and_says_its_version(engine: Engine, name: str) -> None:
    assert VERSION in _run(engine, name, name, "--version")


@pytest.mark.parametrize("name", SERVICES)
def test_what_we_add_to_the_base_is_small(engine: Engine, name: str) -> None:
    base: Any = engine.described("python:3.11-slim-bookworm")
    ours: Any = engine.described(_image(name))
    assert ours["Size"] - base["Size"] < _MOST_OCTETS


@pytest.mark.parametrize("name", IMAGES)
def test_only_who_changes_the_routers_rules_is_root(engine: Engine, name: str) -> None:
    described: Any = engine.described(_image(name))
    assert described["Config"]["User"] == ("root" if name == "router" else "10001:10001")


@pytest.mark.parametrize("name", [*SERVICES, "clamd", "spamd"])
def test_the_engine_is_told_how_to_ask_for_health(engine: Engine, name: str) -> None:
    described: Any = engine.described(_image(name))
    assert described["Config"]["Healthcheck"]["Test"][0] == "CMD"


@pytest.mark.parametrize("name", SERVICES)
def test_nothing_that_builds_or_installs_is_left(engine: Engine, name: str) -> None:
    found = _run(engine, name, "python", "-c", _LOOK)
    assert found.strip() == "[]"


_LOOK: Final = """
import importlib.util, shutil
programs = [each for each in ("gcc", "cc", "protoc") if shutil.which(each)]
modules = ("pip", "hatchling", "grpc_tools", "pytest")
print(programs + [each for each in modules if importlib.util.find_spec(each)])
"""


def test_only_the_second_interpreter_of_the_edge_carries_capabilities(engine: Engine) -> None:
    told = engine.docker(
        "run", "--rm", "--cap-drop=ALL", "--cap-add=NET_ADMIN", "--cap-add=NET_BIND_SERVICE",
        "--entrypoint", "sh", _image("edge-proxy"), "-c",
        "for each in python python-net; do $each -c \"$ASK\" || true; done".replace(
            "$ASK", "print(open('/proc/self/status').read().split('CapEff:')[1].split()[0])"
        ),
    )  # fmt: skip
    assert [int(line, 16) for line in told.split()] == [0, 1 << 12 | 1 << 10]
