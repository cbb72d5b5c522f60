"""Line ends, slice by slice, against a plain look at the whole."""

import itertools
import re

import pytest

from edge_proxy.smtp.errors import Violation, ViolationKind
from edge_proxy.smtp.line_ends import LineEnds


def refused(octets: bytes, size: int, *, allows_bare_lf: bool) -> bool:
    ends = LineEnds(allows_bare_lf=allows_bare_lf)
    try:
        for start in range(0, len(octets), size):
            ends.check(octets[start : start + size])
    except Violation as violation:
        return violation.kind is ViolationKind.AMBIGUOUS_CONTENT
    return False


@pytest.mark.parametrize("allows_bare_lf", [True, False])
def test_all_short_strings_of_the_octets_that_matter(allows_bare_lf: bool) -> None:
    bare = rb"\0|\r(?=[^\n])" if allows_bare_lf else rb"\0|\r(?=[^\n])|(?<!\r)\n"
    for length in range(7):
        for octets in map(bytes, itertools.product(b"\r\n\0a", repeat=length)):
            expected = re.search(bare, octets) is not None
            for size in (1, 2, max(1, length)):
                assert refused(octets, size, allows_bare_lf=allows_bare_lf) == expected, octets
