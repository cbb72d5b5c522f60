"""What is kept of statements comes back as it was; anything else is not believed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.core.cached_statements import LARGEST_TEXT, NotOurs, statements_of, text_of
from scanner.core.verdict import Statement
from smtpgated_contracts.values.scan import EngineClass, VerdictKind

BOTH = frozenset(EngineClass)
VIRUS = frozenset({EngineClass.VIRUS})
NAMES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=100)
KINDS = st.sampled_from([VerdictKind.CLEAN, VerdictKind.SUSPECT, VerdictKind.INFECTED])
SCORES = st.floats(allow_nan=False, allow_infinity=False)
CLEAN = b'[["virus","clean","",0.0]]'


@given(KINDS, NAMES, KINDS, NAMES, SCORES)
def test_statements_come_back_as_they_were(
    kind: VerdictKind, name: str, spam: VerdictKind, symbols: str, score: float
) -> None:
    statements = (
        Statement(EngineClass.VIRUS, kind, name),
        Statement(EngineClass.SPAM, spam, symbols, score),
    )
    text = text_of(statements)
    assert text is not None
    assert statements_of(text, BOTH) == statements


@pytest.mark.parametrize(
    "statements", [(), (Statement(EngineClass.SPAM, name="X" * LARGEST_TEXT),)]
)
def test_what_says_nothing_or_too_much_is_not_kept(statements: tuple[Statement, ...]) -> None:
    assert text_of(statements) is None


def test_a_whole_score_comes_back_too() -> None:
    text = text_of((Statement(EngineClass.SPAM, score=5),))
    assert text is not None
    assert statements_of(text, frozenset({EngineClass.SPAM}))[0].score == 5.0


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"null",
        b"{}",
        b"[]",
        b"[[]]",
        b"\xff\xfe",
        b"[" * 5000,
        b"[" * 100_000,
        b"1" * 5000,
        CLEAN[:-1],
        CLEAN + CLEAN,
        CLEAN + b" " * LARGEST_TEXT,
        b'[["virus","clean","",0]]',
        b'[["virus","clean","",NaN]]',
        b'[["virus","clean","",Infinity]]',
        b'[["virus","clean","",1e999]]',
        b'[["virus","clean","",0.0,1]]',
        b'[["virus","unscanned","",0.0]]',
        b'[["virus","harmless","",0.0]]',
        b'[["worms","clean","",0.0]]',
        b'[["spam","clean","",0.0]]',
        b'[["virus","infected","a\\nb",0.0]]',
        b'[["virus","infected","\\ud800",0.0]]',
        b'[["virus","clean",null,0.0]]',
        b'[["virus","clean","",0.0],["virus","clean","",0.0]]',
        b'[["virus","clean","",0.0],["spam","clean","",0.0]]',
    ],
)
def test_what_we_would_not_have_written_is_not_believed(text: bytes) -> None:
    with pytest.raises(NotOurs):
        statements_of(text, VIRUS)


@given(st.binary(max_size=200))
def test_nonsense_is_never_more_than_an_error(octets: bytes) -> None:
    for text in (octets, json.dumps(octets.decode("latin-1")).encode()):
        with pytest.raises(NotOurs):
            statements_of(text, VIRUS)
