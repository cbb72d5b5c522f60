"""``python -m bench.rules``: what asking the rules of one phase costs, and finding an address.

Rulebooks of 10, 100 and 1,000 rules of one phase, of several kinds: about customers (networks,
identities, domains), with a pattern each, and both mixed. The facts are those of a customer whom
none of them concerns, the usual case, and of one whom one does. CPU time of this process, the
least of several rounds: the machine is shared, and what is more than the least is not ours.
Nothing here asserts anything.
"""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from bench.usage import Machine
from rulebook.document import parse
from rulebook.evaluate import evaluate, judge
from rulebook.index import whole
from rulebook.networks import NetworkSet
from rulebook.values import Action, Facts, Phase, Rulebook

RESULTS: Final = Path(__file__).parent / "results"
SIZES: Final = (10, 100, 1000)
NETWORKS: Final = (100, 100_000)
ROUNDS: Final = 5
ROUND_S: Final = 0.05

NOBODY: Final = Facts(
    "192.0.2.7",
    "198.51.100.25",
    25,
    "subscriber-none",
    b"host-192-0-2-7.pool.isp.example",
    b"someone@mail.far.example",
)
SOMEBODY: Final = Facts(
    "10.0.5.9",
    "198.51.100.25",
    25,
    "subscriber-none",
    b"host-192-0-2-7.pool.isp.example",
    b"someone7@mail.far.example",
)

_OF_CUSTOMERS: Final = (
    'source = "10.0.{0}.0/24"',
    'source = "10.{0}.0.0/16"',
    'identity = "subscriber-{0}"',
    'sender_domain = ".customer{0}.example"',
    'auth_user = "user{0}"',
)
_PATTERN: Final = "mail_from_matches = '^(someone|anyone){0}@.*\\.far\\.example$'"


def main() -> int:
    lines = [
        f"Measured on {Machine.here()}; microseconds of CPU a phase, the least of {ROUNDS} rounds.",
        "",
        (
            "| rules | about customers: none holds / one | with a pattern each: none / one | mixed "
            "| each asked in turn (customers / patterns) |"
        ),
        "|---:|---:|---:|---:|---:|",
        *(_row(size) for size in SIZES),
        "",
        "| networks in a set | read, ms | an address looked up, µs |",
        "|---:|---:|---:|",
        *(_network_row(size) for size in NETWORKS),
        "",
    ]
    text = "\n".join(lines)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "rules.md").write_text(text)
    sys.stdout.write(text)
    return 0


def _row(size: int) -> str:
    customers, patterns = book(size, _OF_CUSTOMERS), book(size, (_PATTERN,))
    mixed = book(size, (*_OF_CUSTOMERS, _PATTERN))
    cells = [
        f"{_asked(customers, NOBODY):.1f} / {_asked(customers, SOMEBODY):.1f}",
        f"{_asked(patterns, NOBODY):.1f} / {_asked(patterns, SOMEBODY):.1f}",
        f"{_asked(mixed, NOBODY):.1f}",
        f"{_in_turn(customers):.0f} / {_in_turn(patterns):.0f}",
    ]
    return f"| {size:,} | {' | '.join(cells)} |"


def book(size: int, kinds: tuple[str, ...]) -> Rulebook:
    """``size`` rules of MAIL, the kinds in turn."""
    return parse(
        "schema = 1\n"
        + "".join(
            f'[[rules]]\nid = "{number}"\nphase = "mail"\naction = "{Action.REFUSE}"\n'
            f"when = {{ {kinds[number % len(kinds)].format(number % 250)} }}\n"
            for number in range(size)
        )
    )


def _asked(rulebook: Rulebook, facts: Facts) -> float:
    return _least_us(lambda: evaluate(rulebook, Phase.MAIL, facts))


def _in_turn(rulebook: Rulebook) -> float:
    candidates = list(map(whole, rulebook.rules[Phase.MAIL]))
    return _least_us(lambda: judge(rulebook, candidates, NOBODY))


def _network_row(size: int) -> str:
    texts = [f"{10 + (n >> 16)}.{n >> 8 & 255}.{n & 255}.0/24" for n in range(size)]
    began_s = time.process_time()
    networks = NetworkSet.parse(texts)
    read_ms = (time.process_time() - began_s) * 1000
    return f"| {size:,} | {read_ms:.1f} | {_least_us(lambda: networks.covers('192.0.2.7')):.2f} |"


def _least_us(work: Callable[[], object]) -> float:
    work()  # what is made once, as the index, is not of this question
    return min(_rounds(work))


def _rounds(work: Callable[[], object]) -> Iterator[float]:
    for _ in range(ROUNDS):
        times, began_s = 0, time.process_time()
        while (spent_s := time.process_time() - began_s) < ROUND_S:
            for _ in range(20):
                work()
            times += 20
        yield spent_s / times * 1e6


if __name__ == "__main__":
    sys.exit(main())
