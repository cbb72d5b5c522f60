"""Coverage-guided fuzzing of the relay core: ``make fuzz SECONDS=600``.

A finding is written to ``.run/fuzz/crash-…``; ``relay_core.py .run/fuzz/crash-…`` plays it again.
Make a transcript or a property of it before mending what it found.
"""

import sys
import tempfile
from pathlib import Path

import atheris

ROOT = Path(__file__).resolve().parents[2]
FINDINGS = ROOT / ".run" / "fuzz"

sys.path.insert(0, str(ROOT))

with atheris.instrument_imports(include=["edge_proxy", "rulebook"]):
    from tests.fuzz.relay_moves import one_session, seeds


def _try(octets: bytes) -> None:
    one_session(octets)


def main() -> None:
    FINDINGS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(seeds()):
            (Path(corpus) / f"seed-{number:03}").write_bytes(seed)
        files = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
        search = [] if files else [corpus, "-max_len=400", f"-artifact_prefix={FINDINGS}/"]
        atheris.Setup([*sys.argv, *search], _try)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
