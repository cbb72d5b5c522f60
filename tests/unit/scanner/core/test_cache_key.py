"""By what an answer is found again: two different questions never share a key."""

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from scanner.core.cache_key import digest_of, key_of
from scanner.core.content import Content
from scanner.core.profile import EngineProfile, EngineVersion
from smtpgated_contracts.values.scan import EngineClass

CLAMD = EngineProfile("clamd", frozenset({EngineClass.VIRUS}), 1000, 30.0)
VERSION = EngineVersion("ClamAV 1.4.3", 27800, 1000.0)
DIGEST = digest_of(Content.of(b"content"))


@given(st.binary(max_size=50), st.lists(st.integers(0, 50), max_size=4))
def test_a_digest_is_of_the_octets_however_they_are_cut(octets: bytes, cuts: list[int]) -> None:
    at = [0, *sorted(cuts), len(octets)]
    pieces = [memoryview(octets)[start:end] for start, end in pairwise(at)]
    assert digest_of(Content.of(*pieces)) == digest_of(Content.of(octets))


@given(st.binary(max_size=50), st.binary(max_size=50))
def test_other_octets_have_another_digest(one: bytes, other: bytes) -> None:
    assert (digest_of(Content.of(one)) == digest_of(Content.of(other))) == (one == other)


def test_whatever_changes_what_an_engine_says_changes_the_key() -> None:
    keys = [
        key_of(CLAMD, VERSION, "whole", DIGEST),
        key_of(CLAMD, VERSION, "head", DIGEST),
        key_of(CLAMD, VERSION, "whole", digest_of(Content.of(b"other"))),
        key_of(CLAMD, replace(VERSION, signatures=27801), "whole", DIGEST),
        key_of(CLAMD, replace(VERSION, signatures=None), "whole", DIGEST),
        key_of(CLAMD, replace(VERSION, edition="1f3a90cc"), "whole", DIGEST),
        key_of(CLAMD, replace(VERSION, signatures_at=1001.0), "whole", DIGEST),
        key_of(CLAMD, replace(VERSION, text="ClamAV 1.4.4"), "whole", DIGEST),
        key_of(replace(CLAMD, name="mksd"), VERSION, "whole", DIGEST),
        key_of(replace(CLAMD, variant="user"), VERSION, "whole", DIGEST),
    ]
    assert len(set(keys)) == len(keys)


def test_limits_and_missing_daemons_do_not() -> None:
    key = key_of(CLAMD, VERSION, "whole", DIGEST)
    assert key_of(replace(CLAMD, max_octets=5), VERSION, "whole", DIGEST) == key
    assert key_of(CLAMD, replace(VERSION, away=1), "whole", DIGEST) == key


def test_a_key_is_of_one_form_whatever_an_engine_calls_itself() -> None:
    hostile = EngineVersion("ClamAV *?[]{} \r\n\u2028" * 100)
    name, who, digest = key_of(CLAMD, hostile, "whole", DIGEST).split(":")
    assert (name, len(who), len(digest)) == ("clamd", 32, 64)
    assert (who + digest).isalnum()
