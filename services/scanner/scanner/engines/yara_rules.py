"""Texts of rules, compiled together: the builtin ones and the operator's.

Every rule may say in its meta what it judges: "virus" (the default: what matches a rule is
bad) or "spam", then with a score. Each file has a namespace of its own, so that two files may
use one rule's name. A file cannot include others: what is in force would then not be what was
read, and a folder does as well.

Errors: RulesUnusable, a sentence for the operator.
"""

from collections.abc import Iterable
from typing import Final

import yara_x

from scanner.core.yara_wire import RuleMatch
from scanner.engines.yara_sources import RulesUnusable

VIRUS: Final = "virus"
SPAM: Final = "spam"


def compiled(texts: Iterable[tuple[str, str]]) -> yara_x.Rules:
    """``texts``: name and text of each file."""
    compiler = yara_x.Compiler(includes_enabled=False)
    for name, text in texts:
        compiler.new_namespace(name)
        try:
            compiler.add_source(text, origin=name)
        except yara_x.CompileError as wrong:
            raise RulesUnusable(f"{name}: {_first_lines(wrong)}") from None
    rules = compiler.build()
    for rule in rules:
        match_of(rule)
    return rules


def match_of(rule: yara_x.Rule) -> RuleMatch:
    """What it means that this rule matched. Raises RulesUnusable if its meta is not in order."""
    meta = dict(rule.metadata)
    judges = meta.get("judges", VIRUS)
    score = meta.get("score")
    where = f"{rule.namespace}: rule {rule.identifier}"
    if judges not in (VIRUS, SPAM):
        raise RulesUnusable(f'{where}: judges = {judges!r} must be "{VIRUS}" or "{SPAM}"')
    if judges == VIRUS:
        return RuleMatch(rule.identifier, VIRUS, 0.0)
    if isinstance(score, bool) or not isinstance(score, int | float):
        raise RulesUnusable(f"{where}: judges spam, so it needs a number as score")
    return RuleMatch(rule.identifier, SPAM, float(score))


def _first_lines(wrong: yara_x.CompileError) -> str:
    """What is wrong and where, of a picture that is several lines high."""
    title, *rest = (line.strip() for line in str(wrong).splitlines())
    place = next((line.removeprefix("-->").strip() for line in rest if "-->" in line), "")
    return f"{title} ({place})" if place else title
