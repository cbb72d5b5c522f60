"""The process that looks inside messages: first the rules, then a content a question.

    python -m scanner.engines.yara_worker DEPTH PARTS OCTETS

Speaks ``core/yara_wire`` on standard input and output, greets first, ends with its input.
Single-threaded, without network, files or configuration; it gives up writing files and
opening many before it has read a rule. Whatever kills it costs one scan: the engine starts
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
    RULES_HEAD_OCTETS,
    Answer,
    Greeting,
    RuleMatch,
    line_of,
    read_question_head,
    read_rules,
    read_rules_head,
)
from scanner.engines.yara_rules import VIRUS, compiled, match_of
from scanner.engines.yara_sources import RulesUnusable

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
    depth, parts, octets = map(int, arguments)
    questions, answers = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_MOST_FILES, _MOST_FILES))
    try:
        rules = compiled(_told(questions))
    except RulesUnusable as why:
        answers.write(line_of(Greeting(trouble=str(why))))
        answers.flush()
        return 2
    answers.write(line_of(Greeting(rules=sum(1 for _ in rules))))
    answers.flush()
    serve(questions, answers, Examiner(rules, Limits(depth, parts, octets)))
    return 0


def _told(questions: BinaryIO) -> list[tuple[str, str]]:
    head = questions.read(RULES_HEAD_OCTETS)
    if len(head) < RULES_HEAD_OCTETS:
        sys.exit(0)  # nobody is there any more
    told = questions.read(size_octets := read_rules_head(head))
    if len(told) < size_octets:
        sys.exit(0)
    return read_rules(told)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
