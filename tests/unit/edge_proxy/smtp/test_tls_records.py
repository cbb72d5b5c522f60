"""Records are told apart by their headers alone, however they are cut, and nothing else passes."""

import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_proxy.smtp.errors import Violation
from edge_proxy.smtp.tls_records import CLIENT, LONGEST_HELLO, SERVER, RecordReader
from tests.support.tls_talk import NAME, TlsTalk, whole_talk

VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
MAIL = [(True, b"EHLO me.example\r\n"), (False, b"250 far.example\r\n"), (True, b"x" * 40_000)]


def record(kind: int, body: bytes) -> bytes:
    return bytes([kind, 3, 3]) + len(body).to_bytes(2, "big") + body


def hello(kind: int, body: bytes = b"") -> bytes:
    return bytes([kind]) + len(body).to_bytes(3, "big") + body


OPENING = record(22, hello(1))
APPLICATION = record(23, b"a" * 100)


def client_stream(version: ssl.TLSVersion, name: str | None = NAME) -> bytes:
    flights = whole_talk(TlsTalk(version, name), MAIL)
    return b"".join(flight.octets for flight in flights if flight.up)


def server_stream(version: ssl.TLSVersion) -> bytes:
    flights = whole_talk(TlsTalk(version), MAIL)
    return b"".join(flight.octets for flight in flights if not flight.up)


def read_all(reader: RecordReader, octets: bytes, slice_octets: int) -> int:
    """What all the slices announce together."""
    ends = range(0, len(octets), slice_octets)
    return sum(reader.read(octets[start : start + slice_octets]) for start in ends)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("slice_octets", [1, 2, 3, 4, 5, 6, 7, 1448, 1_000_000])
def test_a_real_client_is_read_the_same_however_it_is_cut(
    version: ssl.TLSVersion, slice_octets: int
) -> None:
    octets = client_stream(version)
    whole, cut = RecordReader(CLIENT), RecordReader(CLIENT)
    announced = whole.read(octets)
    assert read_all(cut, octets, slice_octets) == announced
    assert (cut.records, cut.told) == (whole.records, NAME)
    assert announced >= 40_000 + len(b"EHLO me.example\r\n")


@pytest.mark.parametrize(
    ("version", "told"), [(VERSIONS[0], "TLSv1.2"), (VERSIONS[1], "TLSv1.3")], ids=["1.2", "1.3"]
)
@pytest.mark.parametrize("slice_octets", [1, 5, 1_000_000])
def test_a_real_server_says_the_version(
    version: ssl.TLSVersion, told: str, slice_octets: int
) -> None:
    reader = RecordReader(SERVER)
    read_all(reader, server_stream(version), slice_octets)
    assert reader.told == told


def test_a_client_that_asks_for_no_name_tells_none() -> None:
    reader = RecordReader(CLIENT)
    reader.read(client_stream(VERSIONS[1], name=None))
    assert reader.told == ""


@pytest.mark.parametrize("fragment", [1, 2, 3, 4, 5, 50])
def test_a_hello_cut_into_many_records_is_read(fragment: int) -> None:
    first = client_stream(VERSIONS[1])
    length = int.from_bytes(first[3:5], "big")
    body = first[5 : 5 + length]
    parts = [body[at : at + fragment] for at in range(0, length, fragment)]
    octets = b"".join(record(22, part) for part in parts) + first[5 + length :]
    reader = RecordReader(CLIENT)
    read_all(reader, octets, 7)
    assert reader.told == NAME


def test_records_are_counted_and_only_application_data_announced() -> None:
    reader = RecordReader(CLIENT)
    assert reader.read(OPENING + record(20, b"\1") + APPLICATION * 3 + record(21, b"ab")) == 300
    assert reader.records == 6


def test_a_record_counts_when_it_begins() -> None:
    reader = RecordReader(CLIENT)
    assert reader.read(OPENING + APPLICATION[:5]) == 100
    assert reader.read(APPLICATION[5:]) == 0
    assert reader.records == 2


@pytest.mark.parametrize(
    "plaintext",
    [
        b"EHLO me.example\r\n",
        b"QUIT",
        b"\r\n",
        b"\x80\x2e\x01\x03\x01\0",  # an SSL 2.0 hello
        record(23, b"a" * 100),
        record(21, b"ab"),
        record(20, b"\1"),
        record(22, hello(2)),
        record(22, b""),
        b"\x16\x02\0\0\x04\1\0\0\0",
        b"\x16\x03\1\xff\xff",
    ],
)
def test_a_client_that_does_not_begin_with_a_hello_is_refused(plaintext: bytes) -> None:
    with pytest.raises(Violation):
        RecordReader(CLIENT).read(plaintext)


@pytest.mark.parametrize("first", [b"E", b"\r", b"\x17", b"\0"])
def test_one_octet_is_enough_to_refuse(first: bytes) -> None:
    with pytest.raises(Violation):
        RecordReader(CLIENT).read(first)


@pytest.mark.parametrize("behind", [b"MAIL FROM:<a@b>\r\n", b"M", record(25, b"abc"), b"\x17\x04"])
@pytest.mark.parametrize("before", [OPENING, OPENING + APPLICATION * 50])
def test_plaintext_behind_tls_is_refused(before: bytes, behind: bytes) -> None:
    reader = RecordReader(CLIENT)
    reader.read(before)
    with pytest.raises(Violation):
        reader.read(behind + bytes(5))


@pytest.mark.parametrize(
    "bad",
    [record(23, b"a" * 15), record(23, b""), record(21, b"a"), record(23, b"a" * 18_433)],
    ids=["short", "empty", "short alert", "long"],
)
def test_a_record_of_a_length_that_tls_cannot_have_is_refused(bad: bytes) -> None:
    reader = RecordReader(CLIENT)
    reader.read(OPENING)
    with pytest.raises(Violation):
        reader.read(bad)


def test_nothing_but_the_hello_comes_before_it_is_whole() -> None:
    reader = RecordReader(CLIENT)
    reader.read(record(22, hello(1, b"x" * 100)[:50]))
    with pytest.raises(Violation):
        reader.read(APPLICATION)


def test_a_server_may_answer_the_hello_with_an_alert() -> None:
    reader = RecordReader(SERVER)
    assert reader.read(record(21, b"\2\x28")) == 0
    assert (reader.records, reader.told) == (1, "")
    with pytest.raises(Violation):
        reader.read(b"454 4.7.0 TLS failed, go on in the clear\r\n")


def test_a_hello_beyond_the_bound_is_passed_over_and_not_kept() -> None:
    reader = RecordReader(CLIENT)
    body = hello(1, bytes(LONGEST_HELLO))
    for start in range(0, len(body), 10_000):
        reader.read(record(22, body[start : start + 10_000]))
    assert reader.told == ""
    assert reader._hello is None
    assert reader.read(APPLICATION) == 100


@given(st.binary(max_size=64), st.integers(1, 9))
def test_whatever_comes_is_read_the_same_however_it_is_cut(tail: bytes, slice_octets: int) -> None:
    def outcome(size: int) -> tuple[int, bool]:
        reader = RecordReader(CLIENT)
        try:
            read_all(reader, OPENING + APPLICATION + tail, size)
        except Violation:
            return reader.records, True
        return reader.records, False

    assert outcome(slice_octets) == outcome(1000)


def test_octets_inside_of_records_are_not_kept() -> None:
    reader = RecordReader(CLIENT)
    reader.read(OPENING + APPLICATION + APPLICATION[:50])
    assert (reader._hello, reader._head) == (None, b"")
