from collections.abc import Sequence

import pytest

from edge_proxy.address_privacy import PLAIN, AddressPrivacy, Wording
from edge_proxy.events.names import EventName
from edge_proxy.events.occurrence import Occurrence
from edge_proxy.events.of_session import EventsOfSession
from edge_proxy.relay.facts import (
    CloseCause,
    SessionRecord,
    TransactionEnded,
    ViolationSeen,
)
from rulebook.document import parse
from rulebook.values import On, Phase, Sanction
from smtpgated_contracts.values.mail import Envelope
from smtpgated_contracts.values.policy import Disposition
from smtpgated_contracts.values.scan import Verdict
from tests.support.relay_samples import CLEAN, INFECTED, SUSPECT
from tests.unit.edge_proxy.events.occurrences import session


class _Told:
    """An ``EventPort`` that keeps what it is told."""

    def __init__(self, wanted: Sequence[EventName] = tuple(EventName)) -> None:
        self.wanted = wanted
        self.told: list[Occurrence] = []

    def wants(self, name: EventName) -> bool:
        return name in self.wanted

    def tell(self, about: Occurrence) -> None:
        assert about.name in self.wanted
        self.told.append(about)

    @property
    def names(self) -> list[EventName]:
        return [each.name for each in self.told]


_RULEBOOK = parse("""
schema = 1
[[rates]]
id = "unknown-recipients"
count = "rcpt-rejections"
per = "source"
limit = 1
window_s = 60
action = "defer"
""")


def _lock(cause: str, lock_s: int) -> Sanction:
    return Sanction(cause, On.SOURCE, lock_s)


def _events(
    port: _Told, record: SessionRecord | None = None, privacy: AddressPrivacy = PLAIN
) -> EventsOfSession:
    return EventsOfSession(
        port,
        privacy,
        session(),
        _RULEBOOK,
        record or SessionRecord(),
        lambda _session: 5,
        1_700_000_000_999,
    )


def _ended(
    verdict: Verdict | None,
    disposition: Disposition,
    sanctions: tuple[Sanction, ...] = (),
) -> TransactionEnded:
    envelope = Envelope(b"pc", b"a@x", (b"b@x",))
    return TransactionEnded(3, envelope, verdict, disposition, 550, 99, "infected", sanctions)


@pytest.mark.parametrize(
    ("verdict", "disposition", "names"),
    [
        (INFECTED, Disposition.REFUSE, [EventName.VIRUS]),
        (INFECTED, Disposition.DEFER, [EventName.VIRUS]),
        (INFECTED, Disposition.RELEASE, []),
        (SUSPECT, Disposition.REFUSE, [EventName.SPAM]),
        (SUSPECT, Disposition.RELEASE, []),
        (CLEAN, Disposition.REFUSE, []),
        (None, Disposition.ABANDONED, []),
    ],
)
def test_a_message_that_was_not_released_is_told_by_its_verdict(
    verdict: Verdict | None, disposition: Disposition, names: list[EventName]
) -> None:
    port = _Told()
    _events(port).transaction_ended(_ended(verdict, disposition))
    assert port.names == names


def test_a_virus_is_told_with_all_that_is_known() -> None:
    port = _Told()
    record = SessionRecord(helo=b"pc", recipients=4, auth_rejected=2, offered=frozenset({b"AUTH"}))
    _events(port, record).transaction_ended(
        _ended(
            INFECTED,
            Disposition.REFUSE,
            (_lock("infected", 60), _lock("other", 3600), Sanction("points", points=5.0)),
        )
    )
    about, *locks = port.told
    assert about == Occurrence(
        EventName.VIRUS,
        session(),
        1_700_000_000,
        helo=b"pc",
        mail_from=b"a@x",
        virus="Test-Signature",
        sessions=5,
        recipients=4,
        size_octets=99,
        transaction=3,
        auth=1 + 4,
        lock_s=3600,
        rule_id="infected",
        disposition="refuse",
        reply_code=550,
    )
    assert [(each.name, each.rule_id, each.lock_s) for each in locks] == [
        (EventName.LOCK, "infected", 60),
        (EventName.LOCK, "other", 3600),
    ]


def test_a_rule_is_told_when_it_bites() -> None:
    port = _Told()
    _events(port, SessionRecord(reverse_path=b"a@x")).rule_fired("regex-mail-from", Phase.MAIL)
    (about,) = port.told
    assert (about.name, about.rule_id) == (EventName.REGEX_MAIL_FROM, "regex-mail-from")
    assert about.mail_from == b"a@x"


def test_a_lock_outside_of_content_is_told() -> None:
    port = _Told()
    _events(port).lock_asked(_lock("no-helo", 60))
    assert [(each.name, each.rule_id, each.lock_s) for each in port.told] == [
        (EventName.LOCK, "no-helo", 60)
    ]


@pytest.mark.parametrize(
    ("cause", "names"),
    [
        ("limit:mails-an-hour", [EventName.RATELIMIT]),
        ("limit:unknown-recipients", [EventName.RATELIMIT_RCPTTO_REJECTS]),
        ("lock:require-auth", []),
    ],
)
def test_a_command_that_a_limit_denied_is_told(cause: str, names: list[EventName]) -> None:
    port = _Told()
    _events(port).denied(cause)
    assert port.names == names
    assert {each.rule_id for each in port.told} <= {cause.partition(":")[2]}


def test_an_early_talker_is_told_and_other_violations_are_not() -> None:
    port = _Told()
    events = _events(port)
    events.violation_seen(ViolationSeen(upstream=False, what="another protocol"))
    events.violation_seen(ViolationSeen(upstream=False, what="spoke before the greeting"))
    assert port.names == [EventName.EARLYTALK]


@pytest.mark.parametrize(
    ("closed_by", "detail", "names"),
    [
        (CloseCause.POLICY, "limit:concurrent_sessions_per_source", [EventName.MAX_HOST]),
        (CloseCause.POLICY, "limit:concurrent_sessions", []),
        (CloseCause.QUIT, "limit:concurrent_sessions_per_source", []),
    ],
)
def test_a_session_that_a_limit_turned_away_is_told(
    closed_by: CloseCause, detail: str, names: list[EventName]
) -> None:
    port = _Told()
    _events(port, SessionRecord(closed_by=closed_by, detail=detail)).session_ended()
    assert port.names == names


def test_what_nobody_wants_is_not_told() -> None:
    port = _Told(wanted=())
    _events(port).transaction_ended(_ended(INFECTED, Disposition.REFUSE))
    assert port.told == []


def test_an_address_that_the_log_hashes_is_hashed_for_the_script() -> None:
    def hidden(address: bytes) -> bytes:
        return b"hash of %d octets" % len(address)

    port = _Told()
    privacy = AddressPrivacy(PLAIN.helo, Wording(hidden, rejected=False), PLAIN.rcpt_to)
    _events(port, privacy=privacy).transaction_ended(_ended(INFECTED, Disposition.REFUSE))
    assert port.told[0].mail_from == b"hash of 3 octets"
