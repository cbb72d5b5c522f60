"""The process that looks inside messages: rules in, then a content a question.

    python -m scanner.engines.yara_worker DEPTH PARTS OCTETS SOURCE…

Speaks ``core/yara_wire`` on standard input and output, greets first, ends with its input.
Single-threaded, without network, without configuration; it gives up writing files and
opening many once its rules are compiled. Whatever kills it costs one scan: the engine starts
another.
"""

import math
import os
import resource
import signal
import sys
import time
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO, Final

import yara_x

from scanner.core.budget import Budget, BudgetExceeded, Limits
from scanner.core.mime_parts import parts_of
from scanner.core.yara_wire import (
    HEAD_OCTETS,
    MOST_MATCHES,
    Answer,
    Greeting,
    RuleMatch,
    line_of,
    read_question_head,
)
from scanner.engines.yara_rules import VIRUS, RulesUnusable, compiled, match_of

# Standard streams, and what the interpreter may want for a traceback.
_MOST_FILES: Final = 16


class Examiner:
    """Compiled rules, and how far inside a content to look with them."""

    def __init__(self, rules: yara_x.Rules, limits: Limits) -> None:
        self._scanner = yara_x.Scanner(rules)
        self._limits = limits

    def examine(self, content: bytes, allowed_s: float) -> Answer:
        """The content and every part of it, until a virus is found or a limit is reached."""
        deadline_s = time.monotonic() + allowed_s
        budget = Budget(self._limits, lambda: time.monotonic() > deadline_s)
        found: dict[tuple[str, str], RuleMatch] = {}
        unfinished = ""
        try:
            for octets in _whole_and_parts(content, budget):
                self._scanner.set_timeout(max(1, math.ceil(deadline_s - time.monotonic())))
                for rule in self._scanner.scan(octets).matching_rules:
                    found[rule.namespace, rule.identifier] = match_of(rule)
                if any(match.judges == VIRUS for match in found.values()):
                    break
        except (BudgetExceeded, yara_x.ScanError) as bound:
            unfinished = str(bound)
        except yara_x.TimeoutError:
            unfinished = "the rules took too long"
        return Answer(_worst_first(found), unfinished)


def _whole_and_parts(content: bytes, budget: Budget) -> Iterator[bytes]:
    return chain((content,), parts_of(content, budget))


def _worst_first(found: dict[tuple[str, str], RuleMatch]) -> tuple[RuleMatch, ...]:
    worst = sorted(found.values(), key=lambda each: (each.judges != VIRUS, -each.score))
    return tuple(worst[:MOST_MATCHES])


def serve(questions: BinaryIO, answers: BinaryIO, examiner: Examiner) -> None:
    """Until ``questions`` ends. A question that breaks off is no question."""
    while len(head := questions.read(HEAD_OCTETS)) == HEAD_OCTETS:
        size_octets, allowed_s = read_question_head(head)
        content = questions.read(size_octets)
        if len(content) < size_octets:
            return
        answers.write(line_of(examiner.examine(content, allowed_s)))
        answers.flush()
        del content  # or it would be held until the next one has come


def main(arguments: list[str]) -> int:
    # Stopping is the engine's to decide, by ending our input: the scanner drains first.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    depth, parts, octets, *sources = arguments
    questions, answers = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    try:
        rules = compiled(sources)
    except RulesUnusable as why:
        answers.write(line_of(Greeting(trouble=str(why))))
        answers.flush()
        return 2
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_MOST_FILES, _MOST_FILES))
    answers.write(line_of(Greeting(rules=sum(1 for _ in rules))))
    answers.flush()
    serve(questions, answers, Examiner(rules, Limits(int(depth), int(parts), int(octets))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
