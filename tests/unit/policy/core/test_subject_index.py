"""Finding entries by subject, prefix and identity."""

from ipaddress import ip_address, ip_network

from hypothesis import given
from hypothesis import strategies as st

from policy.core.subject_index import SubjectIndex


def index_of(*texts: str) -> SubjectIndex[str]:
    index: SubjectIndex[str] = SubjectIndex()
    for text in texts:
        index.put(text, text)
    return index


def test_an_address_is_touched_by_itself_its_prefixes_and_its_identity() -> None:
    index = index_of(
        "address:192.0.2.1",
        "address:192.0.2.2",
        "prefix:192.0.2.0/24",
        "prefix:192.0.3.0/24",
        "prefix:192.0.0.0/16",
        "prefix:2001:db8::/32",
        "identity:me",
        "identity:you",
        "auth:me",
    )
    assert set(index.touching("192.0.2.1", "me")) == {
        "address:192.0.2.1",
        "prefix:192.0.2.0/24",
        "prefix:192.0.0.0/16",
        "identity:me",
    }
    assert set(index.touching("2001:db8::5")) == {"prefix:2001:db8::/32"}
    assert set(index_of().touching("192.0.2.1", "me")) == set()


def test_a_subject_is_covered_by_itself_and_by_wider_prefixes_only() -> None:
    index = index_of("prefix:192.0.2.0/24", "prefix:192.0.0.0/16", "address:192.0.2.1")
    assert set(index.covering("prefix:192.0.2.0/24")) == {
        "prefix:192.0.2.0/24",
        "prefix:192.0.0.0/16",
    }
    assert set(index.covering("prefix:192.0.0.0/16")) == {"prefix:192.0.0.0/16"}
    assert set(index.covering("identity:192.0.2.1")) == set()


def test_the_newest_entry_comes_first_and_putting_again_makes_new() -> None:
    index = index_of("identity:a", "identity:b", "identity:c", "identity:a")
    assert list(index) == ["identity:a", "identity:c", "identity:b"]
    assert len(index) == 3


def test_a_removed_prefix_is_not_found_but_its_neighbour_of_the_same_length_is() -> None:
    index = index_of("prefix:192.0.2.0/24", "prefix:192.0.3.0/24")
    assert index.remove("prefix:192.0.2.0/24") == "prefix:192.0.2.0/24"
    assert index.remove("prefix:192.0.2.0/24") is None
    assert list(index.touching("192.0.2.1")) == []
    assert list(index.touching("192.0.3.1")) == ["prefix:192.0.3.0/24"]


# A small address space, so that prefixes and addresses meet.
addresses = st.integers(0, 255).map(lambda last: f"192.0.2.{last}")
prefixes = st.tuples(addresses, st.integers(22, 32)).map(
    lambda pair: str(ip_network("/".join(map(str, pair)), strict=False))
)


@given(st.lists(prefixes, max_size=12), st.lists(st.integers(0, 11), max_size=4), addresses)
def test_prefixes_are_found_as_by_looking_at_each(
    put: list[str], taken: list[int], address: str
) -> None:
    index = index_of(*(f"prefix:{each}" for each in put))
    gone = {put[at] for at in taken if at < len(put)}
    for each in gone:
        index.remove(f"prefix:{each}")
    expected = {
        f"prefix:{each}" for each in set(put) - gone if ip_address(address) in ip_network(each)
    }
    assert set(index.touching(address)) == expected
