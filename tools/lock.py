"""Pin every third-party package: requirements.lock (to run) and requirements-dev.lock (to test).

Reads the members' pyproject.toml files, leaves out the members themselves, and lets uv resolve
the rest, with hashes, for every Python from 3.11 on and every platform at once: one machine's
own answer would lack what another one needs. Out of requirements.lock come the parts that the
container images are made of: services/*/requirements.lock, and requirements-build.lock for what
builds them. Run by ``make lock``; needs the package index.
"""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MEMBERS = (
    *sorted(ROOT.glob("libs/*/pyproject.toml")),
    *sorted(ROOT.glob("services/*/pyproject.toml")),
)
# To build the members and the stubs: not imported by any of them at run time.
BUILD = ("hatchling", "editables", "grpcio-tools")


Projects = dict[str, list[str]]
"""What each member depends on, by its name."""


def projects() -> Projects:
    read = (tomllib.loads(path.read_text())["project"] for path in MEMBERS)
    return {project["name"]: project["dependencies"] for project in read}


def third_party(members: Projects, *of: str) -> list[str]:
    """What ``of`` need, the members among their dependencies included."""
    wanted: set[str] = set()
    asked = list(of)
    while asked:
        dependencies = members[asked.pop()]
        asked += [each for each in dependencies if each in members]
        wanted |= {each for each in dependencies if each not in members}
    return sorted(wanted)


def compile_pins(source: Path | list[str], target: str, *options: str) -> None:
    everywhere = ("--universal", "--python-version=3.11", "--generate-hashes")
    silent = ("--quiet", "--no-header", "--no-annotate", "--no-emit-index-url")
    given = None if isinstance(source, Path) else "\n".join(source)
    command = [sys.executable, "-m", "uv", "pip", "compile", *everywhere, *silent, *options]
    command += [f"--output-file={target}", "-" if given is not None else str(source)]
    subprocess.run(command, cwd=ROOT, check=True, input=given, text=True)


def main() -> None:
    members = projects()
    compile_pins(
        sorted({*third_party(members, *members), *BUILD}), "requirements.lock", *sys.argv[1:]
    )
    part = ("--constraint=requirements.lock",)
    compile_pins(sorted(BUILD), "requirements-build.lock", *part)
    for path in sorted(ROOT.glob("services/*/pyproject.toml")):
        name = tomllib.loads(path.read_text())["project"]["name"]
        target = str(path.parent.relative_to(ROOT) / "requirements.lock")
        compile_pins(third_party(members, name), target, *part)
    compile_pins(ROOT / "requirements-dev.in", "requirements-dev.lock", *sys.argv[1:])


if __name__ == "__main__":
    main()
