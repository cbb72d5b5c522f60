"""``edge-proxy import-legacy FILE [--out DIR]``.

Without --out everything is printed. With it the files are written into DIR, and nothing that
is there already is ever overwritten.

Exit codes: 0 everything the old program did is carried over; 3 the files are there, but something
is missing or has to be put right, the report says what; 2 the file cannot be translated, or the
files cannot be written.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from edge_proxy.legacy.documents import documents, report
from edge_proxy.legacy.draft import File
from edge_proxy.legacy.syntax import LegacyError
from edge_proxy.legacy.translate import to_put_right, translate
from service_kit.command_line import EXIT_NOT_IN_ORDER, EXIT_OK, PlainVerb

EXIT_NOT_ALL: Final = 3
REPORT: Final = "import-report.txt"
_LARGEST_OCTETS: Final = 1024 * 1024


def import_legacy(asked: argparse.Namespace) -> int:
    source: Path = asked.file
    try:
        old, draft = translate(_text(source))
        if asked.out is not None:  # a path that holds wherever policy is started
            draft.put(File.POLICY, "rulebook.file", str(asked.out.resolve() / File.RULEBOOK))
        problems = to_put_right(draft)
        account = report(old, draft, problems)
        written = {str(file): text for file, text in documents(draft).items()}
        if asked.out is None:
            _print(written)
        else:
            _write(asked.out, {**written, REPORT: account})
        sys.stdout.write(_commented(account))
    except LegacyError as wrong:
        sys.stderr.write("".join(f"{source}: {each}\n" for each in wrong.problems))
        return EXIT_NOT_IN_ORDER
    except OSError as wrong:
        sys.stderr.write(f"{wrong.filename or source}: {wrong.strerror or wrong}\n")
        return EXIT_NOT_IN_ORDER
    return EXIT_NOT_ALL if draft.lacking or problems else EXIT_OK


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", type=Path, help="the smtp-gated.conf")
    parser.add_argument(
        "--out", metavar="DIR", type=Path, help="write the files there instead of printing them"
    )


def _text(source: Path) -> str:
    with source.open("rb") as file:
        octets = file.read(_LARGEST_OCTETS + 1)
    if len(octets) > _LARGEST_OCTETS:
        raise LegacyError([f"larger than {_LARGEST_OCTETS} octets: not a configuration"])
    return octets.decode("utf-8", "replace")


def _print(written: Mapping[str, str]) -> None:
    for name, text in written.items():
        sys.stdout.write(f"# ---- {name}\n{text}\n")


def _write(folder: Path, written: Mapping[str, str]) -> None:
    """Raises OSError; FileExistsError before anything is written."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in written:
        if (folder / name).exists():
            raise FileExistsError(17, "is there already; nothing was written", str(folder / name))
    for name, text in written.items():
        with (folder / name).open("x", encoding="utf-8") as file:
            file.write(text)


def _commented(account: str) -> str:
    return "".join(f"# {line}".rstrip() + "\n" for line in account.splitlines())


LEGACY_VERB: Final = PlainVerb(
    "import-legacy",
    "turn a smtp-gated.conf into our configuration and rulebook",
    import_legacy,
    _arguments,
)
