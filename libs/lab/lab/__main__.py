"""``python -m lab``: a farm to use (run), a farm to see (demo), a server to send to (sink),
messages through a farm elsewhere (send), what a farm in containers needs first (prepare).

Exit codes: 0 ended as asked; 1 a part of the farm failed, or a row of the demonstration is not
as it must be; 2 what was asked for cannot be, one sentence on stderr says why.
"""

import argparse
import sys
from pathlib import Path

from lab import sink
from lab.children import ChildEndedError
from lab.demo import send
from lab.demo.show import demo
from lab.farm import NotReadyError
from lab.first_start import prepare
from lab.run import run
from service_kit.errors import ConfigError, StartError


def main() -> int:
    """The exit code of the verb that was asked for."""
    asked = _parser().parse_args()
    try:
        match asked.verb:
            case "run":
                run()
            case "demo":
                return demo(ends=asked.exit)
            case "sink":
                sink.sink(asked)
            case "send":
                return send.send(asked)
            case "prepare":
                prepare(asked.folder)
    except (ConfigError, StartError) as wrong:
        return _failed(asked.verb, wrong, 2)
    except (ChildEndedError, NotReadyError) as wrong:
        return _failed(asked.verb, wrong, 1)
    return 0


def _failed(verb: str, why: Exception, code: int) -> int:
    print(f"lab {verb}: {why}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lab", description="SMTP-Gated on one machine.")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    verbs.add_parser(
        "run",
        help="a farm in the foreground; UPSTREAM=, LISTEN=, MODE=, ADMIN=, CLAMD=, SPAMD=, "
        "REDIS_URL= in the environment say what it uses",
    )
    showing = verbs.add_parser("demo", help="a farm and a far server; real messages; one table")
    showing.add_argument("--exit", action="store_true", help="end after the table")
    sink.add_arguments(verbs.add_parser("sink", help="a far server; prints where it listens"))
    send.add_arguments(
        verbs.add_parser("send", help="the demo's messages through a farm elsewhere; one table")
    )
    preparing = verbs.add_parser(
        "prepare", help="certificates, token and password for a farm in containers"
    )
    preparing.add_argument("folder", type=Path, help="what is there already is kept")
    return parser


if __name__ == "__main__":
    sys.exit(main())
