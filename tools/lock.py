"""Pin every third-party package: requirements.lock (to run) and requirements-dev.lock (to test).

Reads the members' pyproject.toml files, leaves out the members themselves, and lets uv resolve
the rest, with hashes, for every Python from 3.11 on and every platform at once: one machine's
own answer would lack what another one needs. Run by ``make lock``; needs the package index.
"""

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MEMBERS = (
    *sorted(ROOT.glob("libs/*/pyproject.toml")),
    *sorted(ROOT.glob("services/*/pyproject.toml")),
)
# To build the members and the stubs: not imported by any of them at run time.
BUILD = ("hatchling", "editables", "grpcio-tools")


def third_party() -> list[str]:
    projects = [tomllib.loads(path.read_text())["project"] for path in MEMBERS]
    members = {project["name"] for project in projects}
    wanted = {each for project in projects for each in project["dependencies"]} - members
    return sorted({*wanted, *BUILD})


def compile_pins(source: Path, target: str) -> None:
    everywhere = ("--universal", "--python-version=3.11", "--generate-hashes")
    silent = ("--quiet", "--no-header", "--no-annotate", "--no-emit-index-url")
    command = [sys.executable, "-m", "uv", "pip", "compile", *everywhere, *silent, *sys.argv[1:]]
    subprocess.run([*command, f"--output-file={target}", str(source)], cwd=ROOT, check=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        runtime = Path(folder) / "requirements.in"
        runtime.write_text("\n".join(third_party()) + "\n")
        compile_pins(runtime, "requirements.lock")
    compile_pins(ROOT / "requirements-dev.in", "requirements-dev.lock")


if __name__ == "__main__":
    main()
