"""Archives, well and badly made: a member that any reader could find is found."""

import io
import struct
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.core.budget import Budget, BudgetExceeded, Limits
from scanner.core.zip_members import members
from tests.unit.scanner.core.inside import ample

PAYLOAD = b"an evil payload " * 20


def zipped(*contents: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    octets = io.BytesIO()
    with zipfile.ZipFile(octets, "w", method) as archive:
        for number, content in enumerate(contents):
            archive.writestr(f"{number}.bin", content)
    return octets.getvalue()


def unpacked(octets: bytes) -> list[bytes]:
    return list(members(octets, ample(), 0))


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_every_member_is_unpacked(method: int) -> None:
    found = unpacked(zipped(b"first", PAYLOAD, method=method))
    assert b"first" in found
    assert PAYLOAD in found


def test_what_holds_no_archive_has_no_members() -> None:
    assert unpacked(PAYLOAD) == []
    assert unpacked(b"") == []


def test_an_archive_behind_something_else_is_found() -> None:
    assert PAYLOAD in unpacked(b"MZ a program" * 100 + zipped(PAYLOAD))


def test_two_archives_glued_together_are_both_read() -> None:
    found = unpacked(zipped(b"harmless") + zipped(PAYLOAD))
    assert b"harmless" in found
    assert PAYLOAD in found


def test_a_member_that_the_directory_does_not_name_is_found() -> None:
    both, one = zipped(b"harmless", PAYLOAD), zipped(b"harmless")
    directory = one[one.index(b"PK\x01\x02") :]
    assert PAYLOAD in unpacked(both[: both.index(b"PK\x01\x02")] + directory)


def test_a_member_that_lies_about_its_method_is_unpacked() -> None:
    octets = bytearray(zipped(PAYLOAD))
    octets[8:10] = struct.pack("<H", zipfile.ZIP_STORED)
    assert PAYLOAD in unpacked(bytes(octets))


def test_a_member_that_lies_about_its_sizes_is_unpacked() -> None:
    octets = bytearray(zipped(PAYLOAD))
    octets[14:26] = struct.pack("<III", 0, 1, 0xFFFFFFFF)
    assert PAYLOAD in unpacked(bytes(octets))


def test_a_truncated_archive_gives_what_there_is() -> None:
    noise = zlib.crc32  # incompressible enough: deflate keeps it in several blocks
    content = b"".join(noise(bytes([n % 256, n // 256])).to_bytes(4, "big") for n in range(60_000))
    whole = zipped(content)
    (part,) = unpacked(whole[: len(whole) // 2])
    assert len(part) > len(content) // 4
    assert content.startswith(part)


def test_a_header_cut_off_is_no_member() -> None:
    assert unpacked(zipped(PAYLOAD)[:29]) == []
    assert unpacked(zipped(PAYLOAD)[:30]) == []


def test_a_bomb_costs_what_the_budget_allows() -> None:
    bomb = zipped(b"\0" * 20_000_000)
    assert len(bomb) < 50_000
    budget = Budget(Limits(octets=1_000_000), lambda: False)
    with pytest.raises(BudgetExceeded, match="octets"):
        list(members(bomb, budget, 0))
    assert budget.octets_left > -2  # noticed at the first octet too many


def test_many_members_are_counted() -> None:
    with pytest.raises(BudgetExceeded, match="parts"):
        list(members(b"PK\x03\x04" * 1000, Budget(Limits(parts=100), lambda: False), 0))


@given(st.lists(st.one_of(st.binary(max_size=60), st.just(b"PK\x03\x04"))))
def test_no_octets_are_refused(pieces: list[bytes]) -> None:
    unpacked(b"".join(pieces))


@given(st.binary(min_size=1), st.integers(min_value=0), st.integers(0, 255))
def test_a_damaged_archive_never_raises(content: bytes, where: int, octet: int) -> None:
    octets = bytearray(zipped(content))
    octets[where % len(octets)] = octet
    unpacked(bytes(octets))
