"""A described session meets rules, locks and limits in the order of a real one."""

from dataclasses import replace

from policy.core.simulation import (
    Described,
    End,
    Ground,
    conclude,
    full_at,
    occasions,
    rules_asked,
)
from policy.core.spending import purchase
from rulebook.document import parse
from rulebook.values import Phase
from smtpgated_contracts.values.mail import EdgeId, Endpoint, Envelope, SessionId, SessionRef
from smtpgated_contracts.values.policy import DecisionKind, Lock, Stage, StageUntil
from smtpgated_contracts.values.scan import VerdictKind

BOOK = parse(
    """
schema = 1
[[rules]]
id = "theirs"
phase = "connect"
action = "limit-profile"
profile = "few"
when = { source = ["192.0.2.0/24"] }
[[rules]]
id = "bad helo"
phase = "helo"
action = "defer"
when = { helo_matches = ["^bad"] }
[[rules]]
id = "no such"
phase = "rcpt"
action = "refuse"
reply = "never"
when = { rcpt_to_matches = ["^nobody@"] }
[[rules]]
id = "infected"
phase = "content"
action = "refuse"
when = { verdict = ["infected"] }
[[rates]]
id = "messages"
count = "messages"
per = "source"
limit = 2
window_s = 60
profile = "few"
"""
)
SESSION = SessionRef(
    SessionId("s"), EdgeId("e"), Endpoint("192.0.2.1", 1), Endpoint("198.51.100.1", 25)
)
PLAIN = Described(SESSION, Envelope(b"me", b"a@example", (b"b@example",)))
LIMIT = End(DecisionKind.DEFER, Ground.LIMIT, Phase.MAIL, "recipients")


def end(
    described: Described, *, limits: tuple[End, ...] = (), lock: Lock | None = None
) -> End | None:
    asked = rules_asked(BOOK, described)
    stage = lock.stage_at(0) if lock else None
    stages = [(lock, stage)] if lock and stage else []
    return conclude(described, stages, asked, {each.phase: each for each in limits})


def to(*recipients: bytes) -> Described:
    return replace(PLAIN, envelope=replace(PLAIN.envelope, recipients=recipients))


def test_what_nothing_speaks_against_is_admitted() -> None:
    assert end(PLAIN) is None


def test_phases_that_are_not_reached_are_not_asked() -> None:
    phases = [each.phase for each in rules_asked(BOOK, PLAIN)]
    assert phases == [Phase.CONNECT, Phase.HELO, Phase.MAIL, Phase.RCPT, Phase.DATA]
    known = replace(
        PLAIN,
        envelope=replace(PLAIN.envelope, authenticated=True),
        verdict=VerdictKind.CLEAN,
    )
    assert {Phase.AUTH, Phase.CONTENT} <= {each.phase for each in rules_asked(BOOK, known)}


def test_the_first_phase_that_ends_it_counts() -> None:
    bad = replace(PLAIN, envelope=replace(PLAIN.envelope, helo=b"bad"))
    found = end(replace(bad, verdict=VerdictKind.INFECTED), limits=(LIMIT,))
    assert found == End(DecisionKind.DEFER, Ground.RULE, Phase.HELO, "bad helo")


def test_a_refused_recipient_ends_it_when_no_other_is_left() -> None:
    assert end(to(b"nobody@example", b"b@example")) is None
    found = end(to(b"nobody@example", b"nobody@example.org"))
    assert found == End(DecisionKind.REFUSE, Ground.RULE, Phase.RCPT, "no such", "never")


def test_a_limit_ends_it_after_the_rules_of_its_phase() -> None:
    infected = replace(PLAIN, verdict=VerdictKind.INFECTED)
    assert end(infected, limits=(LIMIT,)) == LIMIT
    assert end(infected) == End(DecisionKind.REFUSE, Ground.RULE, Phase.CONTENT, "infected")


def test_a_lock_refuses_or_demands_authentication_or_only_watches() -> None:
    lock = Lock("address:192.0.2.1", "virus")
    found = end(PLAIN, lock=lock)
    assert found == End(DecisionKind.REFUSE, Ground.LOCK, Phase.CONNECT, "virus")
    demanding = replace(lock, stages=(StageUntil(Stage.REQUIRE_AUTH, 9),))
    found = end(PLAIN, lock=demanding)
    assert found == End(DecisionKind.REFUSE, Ground.LOCK, Phase.MAIL, "virus")
    known = replace(PLAIN, envelope=replace(PLAIN.envelope, authenticated=True))
    assert end(known, lock=demanding) is None
    assert end(PLAIN, lock=replace(lock, stages=(StageUntil(Stage.WATCH, 9),))) is None


def test_limits_are_asked_with_the_profiles_that_rules_gave() -> None:
    asked = rules_asked(BOOK, PLAIN)
    found = {
        phase: purchase(BOOK, occasion)
        for phase, occasion in occasions(PLAIN, asked, exempt=False, share=1.0)
    }
    assert [phase for phase, each in found.items() if each] == [Phase.DATA]
    bought = found[Phase.DATA]
    assert bought is not None
    assert [full_at(bought, [used]) for used in (1, 2)] == [(), (0,)]
    exempt = occasions(PLAIN, asked, exempt=True, share=1.0)
    assert not any(purchase(BOOK, occasion) for _, occasion in exempt)
