"""Who is answered what by the proxy-helper daemon."""

import pytest

from edge_proxy.interception.conntrack import NotAsked
from edge_proxy.interception.conntrack_wire import Flow
from edge_proxy.interception.proxy_helper_wire import (
    Query,
    Reply,
    parse_reply,
    render_query,
    render_reply,
)
from edge_proxy.metrics import Answered
from edge_proxy.router.answering import Answering, Pace
from rulebook.networks import NetworkSet
from smtpgated_contracts.values.mail import Endpoint

FARM = Endpoint("10.71.3.2", 2525)
SEEN = Endpoint("10.71.3.1", 40_001)
CUSTOMER = Endpoint("10.71.1.2", 4711)
SERVER = Endpoint("198.51.100.25", 25)
SECRET = b"\x11\x22\x33\x44"
QUERY = Query(b"\x2b\x46\xae\x4d", SECRET, SEEN, FARM)
QUESTION = render_query(QUERY)


class Table:
    def __init__(self, known: dict[Flow, Flow] | None) -> None:
        self.known = known

    def original_of(self, reply: Flow) -> Flow | None:
        if self.known is None:
            raise NotAsked("conntrack: Operation not permitted")
        return self.known.get(reply)


MASQUERADED = Table({Flow(FARM, SEEN): Flow(CUSTOMER, SERVER)})


def answering(
    table: Table = MASQUERADED, secret: bytes | None = SECRET, per_second: float = 100
) -> Answering:
    return Answering(NetworkSet.parse(["10.71.3.0/24"]), secret, table, Pace(per_second))


def test_where_it_was_going_and_whom_the_router_hid() -> None:
    answered, octets = answering().answer(FARM.address, QUESTION, 0.0)
    assert answered is Answered.FOUND
    assert parse_reply(octets) == Reply(QUERY.cookie, SECRET, SERVER, b"10.71.1.2")


def test_a_customer_who_is_not_hidden_has_no_other_name() -> None:
    table = Table({Flow(FARM, SEEN): Flow(SEEN, SERVER)})
    _, octets = answering(table).answer(FARM.address, QUESTION, 0.0)
    assert parse_reply(octets) == Reply(QUERY.cookie, SECRET, SERVER)


def test_a_connection_nobody_knows() -> None:
    answered, octets = answering(Table({})).answer(FARM.address, QUESTION, 0.0)
    assert answered is Answered.NOT_FOUND
    assert parse_reply(octets).destination is None


def test_without_a_secret_whatever_is_in_its_place_is_good() -> None:
    question = render_query(Query(QUERY.cookie, bytes(4), SEEN, FARM))
    assert answering(secret=None).answer(FARM.address, question, 0.0)[0] is Answered.FOUND


@pytest.mark.parametrize(
    ("asker", "question", "answered"),
    [
        ("192.0.2.1", QUESTION, Answered.NOT_ALLOWED),
        ("10.71.3.9", QUESTION, Answered.NOT_ALLOWED),  # about somebody else's connection
        (FARM.address, QUESTION[:65], Answered.MALFORMED),
        (FARM.address, QUESTION + b"\0", Answered.MALFORMED),
        (FARM.address, b"", Answered.MALFORMED),
        (
            FARM.address,
            render_reply(QUERY, Reply(QUERY.cookie, SECRET, SERVER)),  # a reply is no question
            Answered.MALFORMED,
        ),
        (
            FARM.address,
            render_query(Query(QUERY.cookie, bytes(4), SEEN, FARM)),
            Answered.WRONG_SECRET,
        ),
    ],
)
def test_nobody_else_gets_a_single_octet(asker: str, question: bytes, answered: Answered) -> None:
    assert answering().answer(asker, question, 0.0) == (answered, b"")


def test_while_conntrack_cannot_be_asked_there_is_no_answer() -> None:
    assert answering(Table(None)).answer(FARM.address, QUESTION, 0.0) == (Answered.NOT_ASKED, b"")


def test_only_so_many_questions_a_second() -> None:
    slow = answering(per_second=2)
    at_once = [slow.answer(FARM.address, QUESTION, 10.0)[0] for _ in range(3)]
    assert at_once == [Answered.FOUND, Answered.FOUND, Answered.TOO_MANY]
    assert slow.answer(FARM.address, QUESTION, 10.5)[0] is Answered.FOUND
    assert slow.answer(FARM.address, QUESTION, 10.5)[0] is Answered.TOO_MANY


def test_who_is_not_listed_does_not_use_up_the_pace() -> None:
    slow = answering(per_second=1)
    for _ in range(5):
        slow.answer("192.0.2.1", QUESTION, 10.0)
    assert slow.answer(FARM.address, QUESTION, 10.0)[0] is Answered.FOUND


def test_patience_is_not_saved_up() -> None:
    pace = Pace(2)
    assert pace.allows(0.0)
    assert [pace.allows(1000.0) for _ in range(3)] == [True, True, False]
