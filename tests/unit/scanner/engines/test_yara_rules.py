"""Rule files: what they may say, and what is told when they cannot be used."""

from pathlib import Path

import pytest

from lab.messages import EICAR, GTUBE
from scanner.core.yara_wire import RuleMatch
from scanner.engines.yara_rules import compiled, match_of
from scanner.engines.yara_sources import BUILTIN, RulesUnusable, read


def matches(rules_text: str, tmp_path: Path) -> list[RuleMatch]:
    file = tmp_path / "own.yar"
    file.write_text(rules_text)
    return [match_of(rule) for rule in compiled(read([str(file)]).texts)]


def test_the_builtin_rules_know_the_test_strings_of_the_trade() -> None:
    rules = compiled(read([BUILTIN]).texts)
    for octets, match in (
        (EICAR, RuleMatch("EICAR_Test_File", "virus", 0.0)),
        (GTUBE.encode(), RuleMatch("GTUBE_Test_String", "spam", 1000.0)),
    ):
        assert [match_of(each) for each in rules.scan(octets).matching_rules] == [match]


def test_the_file_of_builtin_rules_does_not_hold_what_they_find() -> None:
    import scanner.engines

    file = Path(scanner.engines.__file__).parent / "rules" / "builtin.yar"
    assert list(compiled(read([BUILTIN]).texts).scan(file.read_bytes()).matching_rules) == []


def test_a_rule_without_meta_judges_viruses(tmp_path: Path) -> None:
    assert matches("rule bad { condition: true }", tmp_path) == [RuleMatch("bad", "virus", 0.0)]


@pytest.mark.parametrize(("written", "score"), [("3", 3.0), ("-1.5", -1.5)])
def test_a_spam_rule_has_its_score(written: str, score: float, tmp_path: Path) -> None:
    text = f'rule s {{ meta: judges = "spam" score = {written} condition: true }}'
    assert matches(text, tmp_path) == [RuleMatch("s", "spam", score)]


def test_two_files_may_use_one_name(tmp_path: Path) -> None:
    files = [tmp_path / "a.yar", tmp_path / "b.yar"]
    for file in files:
        file.write_text("rule same { condition: true }")
    assert len(list(compiled(read([BUILTIN, *map(str, files)]).texts))) == 4


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("rule x { condition: unknown }", "unknown identifier"),
        ("no rule", "syntax error"),
        ('rule x { meta: judges = "ham" condition: true }', "rule x: judges = 'ham'"),
        ('rule x { meta: judges = "spam" condition: true }', "rule x: judges spam"),
        ('rule x { meta: judges = "spam" score = "5" condition: true }', "rule x: judges spam"),
        ('rule x { meta: judges = "spam" score = true condition: true }', "rule x: judges spam"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(RulesUnusable, match=sentence) as wrong:
        matches(text, tmp_path)
    assert "own.yar" in str(wrong.value)
    assert "\n" not in str(wrong.value)


def test_a_file_cannot_include_another(tmp_path: Path) -> None:
    (tmp_path / "other.yar").write_text("rule other { condition: true }")
    with pytest.raises(RulesUnusable, match="include statements not allowed"):
        matches(f'include "{tmp_path}/other.yar"', tmp_path)
