"""MAIL and content that policy is asked about, locks of several stages, and what is told to it."""

from base64 import b64encode
from collections.abc import AsyncIterator

import pytest

from lab.far_server import FarPlan
from lab.far_server.plan import NORMAL, Moment, Say
from service_kit.clock import SYSTEM_CLOCK
from smtpgated_contracts.values.asked import DataAsked, MailAsked
from smtpgated_contracts.values.policy import (
    ADMITTED,
    Decision,
    DecisionKind,
    Disposition,
    Lock,
    SpfResult,
    Stage,
    StageUntil,
)
from tests.support.edge import InnerEdge, inner_edge
from tests.support.eventually import eventually
from tests.support.fake_farm import EVERYTHING, FakeFarm, fake_farm
from tests.support.fake_policy import silent
from tests.support.mail_client import ENVELOPE

ME = "127.0.0.1"
HELLO = b"hello\r\n"
LOG_IN = b"AUTH PLAIN " + b64encode(b"\0joe\0swordfish")


def rate(name: str, counted: str, limit: int = 100, more: str = "") -> str:
    return (
        f'[[rates]]\nid = "{name}"\ncount = "{counted}"\nper = "source"\nlimit = {limit}\n'
        f'window_s = 3600\naction = "defer"\nreply = "Too many"\n{more}\n'
    )


def rule(name: str, phase: str, action: str, more: str = "") -> str:
    return f'[[rules]]\nid = "{name}"\nphase = "{phase}"\naction = "{action}"\n{more}\n'


DOCUMENT = "\n".join(
    (
        "schema = 1",
        rule("forged", "mail", "refuse", 'when.spf = ["fail"]'),
        rule("joe", "mail", "note", 'when.auth_user = ["joe"]\npoints = 3\non = "auth-user"'),
        rate("messages", "messages", 2),
        rate("recipients", "recipients"),
        rate("guesses", "rcpt-rejections"),
    )
)


@pytest.fixture
async def farm() -> AsyncIterator[FakeFarm]:
    async with fake_farm(rulebook=DOCUMENT) as fakes:
        yield fakes


def denying(kind: DecisionKind, asked_about: type[MailAsked | DataAsked], farm: FakeFarm) -> None:
    """From now on policy says no to this, and yes to the rest."""
    farm.policy.decide_message = lambda asked: (
        Decision(kind, "limit:messages", reply="Enough")
        if isinstance(asked, asked_about)
        else ADMITTED
    )


async def test_policy_is_asked_about_mail_and_then_about_the_content(
    farm: FakeFarm, edge: InnerEdge
) -> None:
    async with edge.client() as client:
        await client.greeted(LOG_IN)
        assert (await client.deliver(HELLO)).code == 250
    mail, content = farm.policy.asked
    assert isinstance(mail, MailAsked)
    assert isinstance(content, DataAsked)
    assert (mail.transaction, content.transaction) == (1, 1)
    assert mail.egress_address == ME
    assert not mail.wants_spf, "who has authenticated may send from anywhere"
    assert (content.envelope.auth_user, content.envelope.recipients) == (
        b"joe",
        (b"b@far.example",),
    )
    await eventually(lambda: farm.policy.outcomes)
    assert farm.policy.outcomes[0].spent


@pytest.mark.parametrize(("kind", "code"), [(DecisionKind.DEFER, 451), (DecisionKind.REFUSE, 550)])
@pytest.mark.parametrize("about", [MailAsked, DataAsked])
async def test_policy_says_no_and_the_session_goes_on(
    farm: FakeFarm,
    edge: InnerEdge,
    kind: DecisionKind,
    code: int,
    about: type[MailAsked | DataAsked],
) -> None:
    denying(kind, about, farm)
    async with edge.client() as client:
        await client.greeted()
        denied = await client.deliver(HELLO)
        assert (denied.code, denied.text) == (
            code,
            "5.7.1 Enough" if code == 550 else "4.7.1 Enough",
        )
        assert farm.far.message_count == 0
        assert (await client.command(b"RSET")).code == 250
        farm.policy.decide_message = lambda _asked: ADMITTED
        assert (await client.deliver(HELLO)).code == 250
    line = await edge.until_said("denied")
    assert (line["cause"], line["reply"]) == ("limit:messages", code)


async def test_spf_that_policy_found_is_a_fact_for_the_rules(
    farm: FakeFarm, edge: InnerEdge
) -> None:
    fails = Decision(DecisionKind.ADMIT, spf=SpfResult.FAIL)
    farm.policy.decide_message = lambda _asked: fails
    async with edge.client() as client:
        await client.greeted()
        assert (await client.command(ENVELOPE[0])).code == 550
    (asked,) = farm.policy.asked
    assert isinstance(asked, MailAsked)
    assert asked.wants_spf
    await eventually(lambda: farm.policy.rulings)
    (ruling,) = farm.policy.rulings
    assert (ruling.phase, ruling.action, ruling.rule_id) == ("mail", "refuse", "forged")
    assert (ruling.reply_code, ruling.facts.spf) == (550, SpfResult.FAIL)


async def test_recipients_that_the_limits_do_not_leave_are_deferred(
    farm: FakeFarm, edge: InnerEdge
) -> None:
    one_left = Decision(DecisionKind.ADMIT, recipients_left=1)
    farm.policy.decide_message = lambda _asked: one_left
    async with edge.client() as client:
        await client.greeted(*ENVELOPE)
        refused = await client.command(b"RCPT TO:<c@far.example>")
        assert (refused.code, refused.text[:5]) == (452, "4.5.3")


async def test_what_the_farm_defers_is_reported_as_spent(farm: FakeFarm, edge: InnerEdge) -> None:
    await farm.scanner.stop()
    async with edge.client() as client:
        await client.greeted()
        assert (await client.deliver(HELLO)).code == 451
    await eventually(lambda: farm.policy.outcomes)
    outcome = farm.policy.outcomes[0]
    assert (outcome.disposition, outcome.spent) == (Disposition.DEFER, True)


async def test_policy_silent_own_rates_decide() -> None:
    hasty = {"policy": {"patience_ms": 50}}
    async with fake_farm(rulebook=DOCUMENT) as farm, inner_edge(farm, hasty) as edge:
        farm.policy.decide = silent
        farm.policy.decide_message = lambda _asked: None
        async with edge.client() as client:
            await client.greeted()
            for _ in range(2):
                assert (await client.deliver(HELLO)).code == 250
            denied = await client.deliver(HELLO)
            assert (denied.code, denied.text) == (451, "4.7.1 Too many")
        assert (await edge.until_said("denied"))["cause"] == "local limit:messages"
        await eventually(lambda: len(farm.policy.outcomes) == 2)
        assert not any(each.spent for each in farm.policy.outcomes)


async def test_the_client_that_leaves_meanwhile_leaves_nothing_behind(
    farm: FakeFarm, edge: InnerEdge
) -> None:
    farm.policy.decide_message = lambda _asked: None
    async with edge.client() as client:
        await client.greeted()
        await client.send(ENVELOPE[0])
        await eventually(lambda: farm.policy.asked)
    assert (await edge.until_said("session"))["closed_by"] == "client"


async def test_rejections_by_the_server_are_told_together() -> None:
    nobody = Say("550 5.1.1 nobody here")
    plan = FarPlan(
        keywords=EVERYTHING, at={Moment.RCPT: (nobody, Say("450 4.2.0 greylisted"), nobody, NORMAL)}
    )
    async with fake_farm(plan, DOCUMENT) as farm, inner_edge(farm) as edge:
        async with edge.client() as client:
            await client.greeted(ENVELOPE[0])
            for _ in range(3):
                assert (await client.command(ENVELOPE[1])).code >= 400
        await eventually(lambda: sum(each.rcpt for each in farm.policy.rejections) == 2)
        assert {each.session.source.address for each in farm.policy.rejections} == {ME}


async def test_points_on_a_user_are_asked_for(farm: FakeFarm, edge: InnerEdge) -> None:
    async with edge.client() as client:
        await client.greeted(LOG_IN, ENVELOPE[0])
    await eventually(lambda: farm.policy.asked_penalties)
    penalty = farm.policy.asked_penalties[0].penalty
    assert (penalty.subject, penalty.points, penalty.cause) == ("auth:joe", 3.0, "joe")


async def test_a_lock_on_a_user_reaches_the_session_he_has(farm: FakeFarm, edge: InnerEdge) -> None:
    async with edge.client() as joe, edge.client() as ann:
        await joe.greeted(LOG_IN)
        await ann.greeted()
        farm.policy.put_locks(Lock("auth:joe", "stolen"))
        await edge.until_said("held", subject="auth:joe", stage="refuse")
        assert (await joe.command(ENVELOPE[0])).code == 550
        assert (await ann.command(ENVELOPE[0])).code == 250


async def test_a_lock_on_a_user_holds_him_when_he_authenticates(
    farm: FakeFarm, edge: InnerEdge
) -> None:
    farm.policy.put_locks(Lock("auth:joe", "stolen"), Lock("address:127.0.0.9", "taken"))
    await edge.until_greeted(554, "127.0.0.9")
    async with edge.client() as joe:
        await joe.greeted(LOG_IN)
        assert (await joe.command(ENVELOPE[0])).code == 550


async def test_a_lock_lets_go_stage_by_stage_without_anybody_being_told(
    farm: FakeFarm, edge: InnerEdge
) -> None:
    now_ms = SYSTEM_CLOCK.unix_ms()
    stages = (
        StageUntil(Stage.REFUSE, now_ms + 200),
        StageUntil(Stage.REQUIRE_AUTH, now_ms + 400),
        StageUntil(Stage.WATCH, now_ms + 600),
    )
    lock = Lock(f"address:{ME}", "points", now_ms + 600, now_ms, stages=stages)
    async with edge.client() as client:
        await client.greeted()
        farm.policy.put_locks(lock)
        await edge.until_said("held", stage="refuse")
        await edge.until_said("held", stage="require-auth")
        await edge.until_said("held", stage="watch")
        assert (await client.command(ENVELOPE[0])).code == 250
        assert [each["stage"] for each in edge.said("held")] == ["refuse", "require-auth", "watch"]


async def test_a_session_of_a_source_held_until_auth(farm: FakeFarm, edge: InnerEdge) -> None:
    until = (StageUntil(Stage.REQUIRE_AUTH, 0),)
    farm.policy.put_locks(
        Lock(f"address:{ME}", "points", stages=until), Lock("address:127.0.0.9", "x")
    )
    await edge.until_greeted(554, "127.0.0.9")
    async with edge.client() as client:
        await client.greeted()
        refused = await client.command(ENVELOPE[0])
        assert (refused.code, refused.text) == (530, "5.7.0 Authentication required")
        assert (await client.command(LOG_IN)).code == 235
        assert (await client.command(ENVELOPE[0])).code == 250


async def test_who_is_trusted_after_auth_is_relayed_unread() -> None:
    document = f"schema = 1\n{rule('trusted', 'auth', 'relay-unread')}"
    async with fake_farm(rulebook=document) as farm, inner_edge(farm) as edge:
        async with edge.client() as client:
            await client.greeted(LOG_IN)
            assert (await client.deliver(HELLO)).code == 250
            assert (await client.quit()).code == 221
        line = await edge.until_said("session")
        assert (line["tunnelled"], line["tls"], line["transactions"]) == (True, "none", 0)
        assert farm.far.message_count == 1
        assert farm.scanner.scans == []


async def test_profiles_go_with_what_is_asked() -> None:
    document = "schema = 1\n" + "\n".join(
        (
            rule("known", "connect", "limit-profile", 'profile = "bulk"'),
            rate("bulk", "messages", more='profile = "bulk"'),
        )
    )
    async with fake_farm(rulebook=document) as farm, inner_edge(farm) as edge:
        async with edge.client() as client:
            await client.greeted()
            assert (await client.deliver(HELLO)).code == 250
        assert farm.policy.profiles == [("bulk",)]
        assert [each.profiles for each in farm.policy.asked] == [("bulk",)]


async def test_who_is_listed_is_refused_in_place_of_the_greeting() -> None:
    document = "schema = 1\n[[dnsbl]]\nzone = 'list.example'\n" + rule(
        "listed", "connect", "refuse", "when.dnsbl = ['list.example']"
    )
    async with fake_farm(rulebook=document) as farm, inner_edge(farm) as edge:
        farm.policy.decide = lambda _session: Decision(
            DecisionKind.ADMIT, listed_in=("list.example",)
        )
        assert (await edge.greeting()).code == 554
        farm.policy.decide = lambda _session: ADMITTED
        assert (await edge.greeting()).code == 220
