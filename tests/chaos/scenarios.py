"""What is done to the farm, and how it is undone: words of docker and of docker compose."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

Step = tuple[str, ...]
"""The first word says whose: ``compose``, ``network`` (and a service), ``exec`` (and a service)."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """``expected``: for a person, what clients should see meanwhile."""

    name: str
    fault: Sequence[Step]
    cure: Sequence[Step]
    expected: str
    hold_s: float = field(default=6.0)


SERVICES: Final = ("edge-proxy", "scanner", "policy", "valkey", "clamd", "spamd")
_MEANWHILE: Final = {
    "edge-proxy": "nobody gets through; clients come again",
    "scanner": "451 at the end of each message, by stance closed",
    "policy": "nothing: the edge has rulebook and locks, and counts limits by itself",
    "valkey": "nothing: policy limits by itself",
    "clamd": "451 at the end of each message, by stance closed",
    "spamd": "spam passes, by its stance open; viruses do not",
}
_WAYS: Final = {
    "killed": (("compose", "kill", "-s", "KILL"), ("compose", "up", "-d", "--wait", "--no-build")),
    "stopped": (("compose", "stop", "-t", "5"), ("compose", "up", "-d", "--wait", "--no-build")),
    "paused": (("compose", "pause"), ("compose", "unpause")),
    "cut off": (("network", "disconnect"), ("network", "connect")),
}


def _all() -> Iterator[Scenario]:
    for service in SERVICES:
        for way, (fault, cure) in _WAYS.items():
            yield Scenario(
                f"{service} {way}",
                ((*fault, service),),
                ((*cure, service),),
                _MEANWHILE[service],
            )
    for service, folder in (("scanner", "/tmp"), ("clamd", "/tmp")):
        yield Scenario(
            f"disk of {service} full",
            (("exec", service, f"dd if=/dev/zero of={folder}/full bs=1M; true"),),
            (("exec", service, f"rm {folder}/full"),),
            "nothing, or 451: content that finds no room is not judged",
        )
    yield Scenario(
        "signatures reloaded",
        (("compose", "kill", "-s", "USR2", "clamd"),),
        (),
        "nothing: the old ones serve until the new ones are loaded",
    )


SCENARIOS: Final = tuple(_all())
SMOKE: Final = ("scanner killed", "clamd paused", "policy killed", "edge-proxy killed")
"""Those of every test run."""


def named(names: Sequence[str]) -> list[Scenario]:
    """Raises ValueError for one that is not there."""
    known = {each.name: each for each in SCENARIOS}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"{', '.join(unknown)}: should be among {', '.join(known)}")
    return [known[name] for name in names]
