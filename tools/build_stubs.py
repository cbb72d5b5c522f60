"""Generate the Python stubs from proto/ into libs/contracts/generated (not committed).

With mypy-protobuf installed (it is among the development packages) typed stubs come along.
"""

import shutil
import sys
from pathlib import Path

import grpc_tools
from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "libs" / "contracts" / "generated"


def main() -> int:
    fresh = TARGET.with_suffix(".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    protos = sorted(str(path) for path in (ROOT / "proto").rglob("*.proto"))
    command = ["protoc", f"-I{ROOT / 'proto'}", f"-I{Path(grpc_tools.__file__).parent / '_proto'}"]
    command += [f"--python_out={fresh}", f"--grpc_python_out={fresh}"]
    plugin = Path(sys.executable).parent / "protoc-gen-mypy"
    if plugin.exists():
        command += [f"--plugin=protoc-gen-mypy={plugin}", f"--mypy_out=quiet:{fresh}"]
        command += [
            f"--plugin=protoc-gen-mypy_grpc={plugin}_grpc",
            f"--mypy_grpc_out=quiet:{fresh}",
        ]
    status = int(protoc.main([*command, *protos]))
    if status == 0:
        for folder in {path.parent for path in fresh.rglob("*_pb2.py")}:
            (folder / "py.typed").touch()
        shutil.rmtree(TARGET, ignore_errors=True)
        fresh.rename(TARGET)
    return status


if __name__ == "__main__":
    sys.exit(main())
