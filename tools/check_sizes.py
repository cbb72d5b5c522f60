"""No product file above 400 lines: split by question, never into _part2 or helpers."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 400


def main() -> int:
    files = [*ROOT.glob("libs/*/[a-z]*/**/*.py"), *ROOT.glob("services/*/[a-z]*/**/*.py")]
    sizes = {
        path: path.read_bytes().count(b"\n") for path in files if "generated" not in path.parts
    }
    large = {path: size for path, size in sizes.items() if size > LIMIT}
    for path, size in sorted(large.items()):
        print(f"{path.relative_to(ROOT)}: {size} lines, the limit is {LIMIT}: split it by question")
    return 1 if large else 0


if __name__ == "__main__":
    sys.exit(main())
