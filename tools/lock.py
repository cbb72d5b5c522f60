"""Pin every third-party package: requirements.lock (to run) and requirements-dev.lock (to test).

Reads the members' pyproject.toml files, leaves out the members themselves, and lets
pip-compile resolve the rest with hashes. Run by ``make lock``; needs the package index.
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
    flags = ("--quiet", "--generate-hashes", "--strip-extras", "--allow-unsafe", "--no-header")
    silent = (
        "--no-emit-index-url",
        "--no-emit-find-links",
        "--no-emit-trusted-host",
        "--no-annotate",
    )
    command = [sys.executable, "-m", "piptools", "compile", *flags, *silent, *sys.argv[1:]]
    subprocess.run([*command, f"--output-file={target}", str(source)], cwd=ROOT, check=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        runtime = Path(folder) / "requirements.in"
        runtime.write_text("\n".join(third_party()) + "\n")
        compile_pins(runtime, "requirements.lock")
    compile_pins(ROOT / "requirements-dev.in", "requirements-dev.lock")


if __name__ == "__main__":
    main()
