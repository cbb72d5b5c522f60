"""A queue that is bounded twice, and gives back what could not be told."""

from edge_proxy.clients.kept import Kept


def kept(*reports: bytes, most: int = 9, most_octets: int = 99) -> Kept[bytes]:
    queue: Kept[bytes] = Kept(most, most_octets, len)
    for each in reports:
        queue.keep(each)
    return queue


def test_the_oldest_go_first_at_either_bound() -> None:
    queue = kept(b"a", b"b", most=2)
    assert queue.keep(b"c") == 1
    assert queue.take(9, 99) == [b"b", b"c"]
    queue = kept(b"aaaa", b"bbbb", most_octets=10)
    assert queue.keep(b"cccccccc") == 2
    assert queue.take(9, 99) == [b"cccccccc"]


def test_one_report_is_taken_however_large_it_is() -> None:
    queue = kept(b"a" * 50, b"b")
    assert queue.take(9, 10) == [b"a" * 50]
    assert len(queue) == 1


def test_what_is_put_back_is_taken_first_and_weighs_as_before() -> None:
    queue = kept(b"aa", b"bb", b"cc", most_octets=6)
    queue.put_back(queue.take(2, 99))
    assert queue.keep(b"d") == 1
    assert queue.take(9, 99) == [b"bb", b"cc", b"d"]


def test_nothing_is_taken_where_nothing_is() -> None:
    assert kept().take(9, 99) == []
