"""What a member needs is pinned where it is installed from: an image would start without it."""

import re
import tomllib
from pathlib import Path

import pytest

from tools.lock import BUILD, MEMBERS, ROOT, projects, third_party

SERVICES = [path for path in MEMBERS if path.is_relative_to(ROOT / "services")]


def _pinned(lock: Path) -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+)==", lock.read_text(), re.MULTILINE))


def _names(wanted: list[str]) -> set[str]:
    return {re.split(r"[^A-Za-z0-9._-]", each)[0].lower().replace("_", "-") for each in wanted}


@pytest.mark.parametrize("member", SERVICES, ids=lambda path: str(path.parent.name))
def test_every_dependency_of_a_service_is_in_its_images_pins(member: Path) -> None:
    name = tomllib.loads(member.read_text())["project"]["name"]
    wanted = _names(third_party(projects(), name))
    assert wanted - _pinned(member.parent / "requirements.lock") == set(), "make lock"


def test_every_dependency_of_all_is_in_the_farms_pins() -> None:
    members = projects()
    wanted = _names([*third_party(members, *members), *BUILD])
    assert wanted - _pinned(ROOT / "requirements.lock") == set(), "make lock"


def test_images_and_checkout_run_the_same_versions() -> None:
    farm = set((ROOT / "requirements.lock").read_text().splitlines())
    pins = {line for line in farm if "==" in line}
    for member in SERVICES:
        lines = (member.parent / "requirements.lock").read_text().splitlines()
        assert {line for line in lines if "==" in line} <= pins, "make lock"
