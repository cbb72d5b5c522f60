import tomllib
from pathlib import Path
from typing import Any

import pytest

from edge_proxy.config import EdgeSettings
from edge_proxy.legacy.directives import DIRECTIVES
from edge_proxy.legacy.documents import documents, report
from edge_proxy.legacy.draft import Draft, File
from edge_proxy.legacy.left_out import GONE
from edge_proxy.legacy.syntax import LegacyError, read
from edge_proxy.legacy.translate import to_put_right, translate
from policy.config import PolicySettings
from rulebook.document import parse
from rulebook.evaluate import evaluate
from rulebook.values import Action, Facts, Offence, Phase, Stance, TlsTreatment
from scanner.config import ScannerSettings
from smtpgated_contracts.values.scan import EngineClass, VerdictKind

EVERY_DIRECTIVE = (Path(__file__).parent / "every_directive.conf").read_text()
_FIXED = "mode fixed\nfixed_server 198.51.100.25\n"
_ENGINES = "antivirus_type clamd\nantispam_type spamassassin\n"


def _tables(text: str) -> dict[File, dict[str, Any]]:
    _, draft = translate(text)
    return {file: tomllib.loads(each) for file, each in documents(draft).items()}


def _edge(text: str) -> dict[str, Any]:
    return _tables(text)[File.EDGE]


def _draft(text: str) -> Draft:
    return translate(text)[1]


def test_a_file_with_every_directive_becomes_configurations_that_are_in_order() -> None:
    assert {each.name for each in read(EVERY_DIRECTIVE)} == set(DIRECTIVES)
    tables = _tables(EVERY_DIRECTIVE)
    EdgeSettings.model_validate(tables[File.EDGE])
    ScannerSettings.model_validate(tables[File.SCANNER])
    PolicySettings.model_validate(tables[File.POLICY])
    parse(documents(_draft(EVERY_DIRECTIVE))[File.RULEBOOK])
    assert to_put_right(_draft(EVERY_DIRECTIVE)) == []


def test_every_directive_is_accounted_for() -> None:
    old, draft = translate(EVERY_DIRECTIVE)
    account = report(old, draft, [])
    for name in DIRECTIVES:
        assert draft.became.get(name) or draft.lacking.get(name), name
        assert f": {name} " in account
    assert draft.lacking == {}


def test_what_is_left_out_is_a_directive_that_is_not_translated() -> None:
    assert set(GONE) <= set(DIRECTIVES)
    assert not {name for name in GONE if any("rulebook.toml" in each for each in _became(name))}


def _became(name: str) -> list[str]:
    return _draft(EVERY_DIRECTIVE).became.get(name, [])


@pytest.mark.parametrize(
    ("mode", "destination"),
    [
        ("getsockname", {"mode": "getsockname"}),
        ("ipfw", {"mode": "getsockname"}),
        ("netfilter", {"mode": "redirect"}),
        ("tproxy", {"mode": "tproxy"}),
        ("12", {"mode": "tproxy", "private": "redirect"}),
        ("tproxy,netfilter", {"mode": "tproxy", "private": "redirect"}),
        ("ipfilter", {"mode": "ipfilter"}),
        ("pf", {"mode": "pf"}),
        ("fixed", {"mode": "fixed", "server": "198.51.100.25:26"}),
        (
            "fixed+xclient",
            {"mode": "fixed", "server": "198.51.100.25:26", "introduce": "xclient"},
        ),
    ],
)
def test_modes_have_their_counterpart(mode: str, destination: dict[str, str]) -> None:
    edge = _edge(f"mode {mode}\nfixed_server 198.51.100.25\nfixed_server_port 26\n")
    EdgeSettings.model_validate(edge)
    timing = {"lookup_timeout_s", "connect_timeout_s"}
    assert {key: edge["destination"][key] for key in set(edge["destination"]) - timing} == (
        destination
    )


def test_routers_that_are_asked_are_asked_as_before() -> None:
    edge = _edge("mode remote-udp\nremote_udp_retries 4\nremote_udp_secret 7\ntimeout_lookup 30\n")
    EdgeSettings.model_validate(edge)
    helper = edge["destination"]["proxy_helper"]
    assert (helper["port"], helper["attempts"], helper["attempt_timeout_s"]) == (114, 4, 15)
    assert helper["secret_file"] == "/etc/smtp-gated/proxy-helper.secret"
    EdgeSettings.model_validate(_edge("mode remote\nremote_port 113\n"))
    limits = _tables("mode remote\nmax_per_ident 3\n")[File.RULEBOOK]["limits"]
    assert limits["concurrent_sessions_per_identity"] == 3
    assert _edge("mode remote\nremote_port 113\n")["destination"]["ident"]["port"] == 113


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "mode: should be given"),
        ("mode fixed", "fixed_server: should be given with mode fixed"),
        ("mode pf\nport x", "line 2: port x: should be a whole number"),
        ("mode pf\nnonsense 1", "line 2: nonsense 1: no such directive"),
        ("mode pf\nport", "line 2: port : the value is missing"),
        ("mode pf\nearlytalker true", "line 2: earlytalker true: should be yes or no"),
    ],
)
def test_what_the_old_program_would_not_start_with_is_told(text: str, problem: str) -> None:
    with pytest.raises(LegacyError) as told:
        translate(text)
    assert len(told.value.problems) == 1
    assert told.value.problems[0].startswith(problem)


def test_all_problems_are_told_at_once_and_in_printable_text() -> None:
    with pytest.raises(LegacyError) as told:
        translate("mode x\nport \x1b[2J\nfoo 1")
    assert [each.split(":")[0] for each in told.value.problems] == ["line 1", "line 2", "line 3"]
    assert str(told.value).replace("\n", "").isprintable()


def _rules(text: str, phase: Phase, **facts: Any) -> tuple[Action | None, tuple[str, ...]]:
    book = parse(documents(_draft(_FIXED + text))[File.RULEBOOK])
    ruling = evaluate(book, phase, Facts("203.0.113.7", **facts))
    return ruling.action, tuple(f"{each.cause}:{each.lock_s}" for each in ruling.sanctions)


def test_a_virus_is_refused_and_locks_unless_lock_on_says_otherwise() -> None:
    infected = {"verdict": VerdictKind.INFECTED}
    content = Phase.CONTENT
    assert _rules(_ENGINES, content, **infected) == (Action.REFUSE, ("infected:3600",))
    assert _rules(_ENGINES + "lock_on spam", content, **infected) == (Action.REFUSE, ())
    assert _rules(_ENGINES + "lock_duration 0", content, **infected) == (Action.REFUSE, ())


@pytest.mark.parametrize(
    ("lock_on", "offences"),
    [
        ("", {Offence.EARLY_TALKER, Offence.SESSIONS_PER_SOURCE}),
        ("lock_on maxhost, maxident", {Offence.SESSIONS_PER_SOURCE, Offence.SESSIONS_PER_IDENTITY}),
        ("lock_on earlytalk", {Offence.EARLY_TALKER}),
        ("lock_on never", set()),
        ("lock_duration 0", set()),
    ],
)
def test_what_is_refused_without_a_rule_locks_as_before(
    lock_on: str, offences: set[Offence]
) -> None:
    book = parse(documents(_draft(_FIXED + lock_on))[File.RULEBOOK])
    assert set(book.sanctions) == offences
    assert {each.lock_s for each in book.sanctions.values()} <= {3600}


def test_spam_is_refused_only_if_lock_on_says_so() -> None:
    suspect = {"verdict": VerdictKind.SUSPECT}
    content = Phase.CONTENT
    assert _rules(_ENGINES + "lock_duration 60", content, **suspect) == (
        Action.REFUSE,
        ("suspect:60",),
    )
    assert _rules(_ENGINES + "lock_on virus", content, **suspect) == (None, ())


def test_what_smtp_is_insisted_on_is_insisted_on_as_before() -> None:
    edge = _edge(
        _FIXED + "size_limit 1000\nmax_load 2.5\nspam_max_load -1\nearlytalker no\n"
        "nat_header X-Where\nnat_header_type ip-only\nabuse abuse@isp.example"
    )
    EdgeSettings.model_validate(edge)
    assert edge["smtp"] == {"early_talker": "ignore", "message_octets": 1000}
    assert edge["limits"] == {
        "sessions": 64,
        "load_average": 2.5,
        "skip_spam_load_average": 0.0,
    }
    assert edge["trace"] == {"style": "ip-only", "header": "X-Where", "abuse": "abuse@isp.example"}


def test_what_the_old_program_did_unasked_is_done_still() -> None:
    edge = _edge(_FIXED)
    assert edge["smtp"] == {"early_talker": "refuse", "message_octets": 0}
    assert (edge["limits"]["load_average"], edge["trace"]["style"]) == (2.0, "generic")


def test_a_header_that_no_message_could_carry_is_missed() -> None:
    assert "nat_header" in _draft(_FIXED + "nat_header two words").lacking


def test_mandatory_authentication_is_asked_for_at_data() -> None:
    text = "auth_require mandatory"
    assert _rules(text, Phase.DATA, authenticated=False)[0] is Action.REQUIRE_AUTH
    assert _rules(text, Phase.DATA, authenticated=True)[0] is None


def test_authentication_is_asked_for_where_the_server_offers_it() -> None:
    text = "auth_require ifsupported"
    assert _rules(text, Phase.DATA, auth_offered=True)[0] is Action.REQUIRE_AUTH
    assert _rules(text, Phase.DATA, auth_offered=False)[0] is None


def test_who_has_authenticated_was_relayed_unread_if_so_configured() -> None:
    book = parse(documents(_draft(_FIXED + "auth_skip direct"))[File.RULEBOOK])
    assert evaluate(book, Phase.AUTH, Facts("203.0.113.7")).relay_unread


def test_scans_are_skipped_for_whom_they_were_skipped() -> None:
    book = parse(documents(_draft(_FIXED + _ENGINES + "auth_skip antivir"))[File.RULEBOOK])
    assert evaluate(book, Phase.AUTH, Facts("203.0.113.7")).skip == {EngineClass.VIRUS}
    assert evaluate(book, Phase.CONNECT, Facts("203.0.113.7")).skip == set()


def test_without_engines_nothing_is_scanned_and_no_scanner_is_configured() -> None:
    tables = _tables(_FIXED)
    assert File.SCANNER not in tables
    book = parse(documents(_draft(_FIXED))[File.RULEBOOK])
    assert evaluate(book, Phase.CONNECT, Facts("203.0.113.7")).skip == set(EngineClass)


@pytest.mark.parametrize(
    ("text", "virus", "starttls"),
    [
        ("", Stance.CLOSED, TlsTreatment.TUNNEL),
        ("ignore_errors yes\nforbid_starttls yes", Stance.OPEN, TlsTreatment.REFUSE),
    ],
)
def test_stances_and_starttls_are_what_they_were(
    text: str, virus: Stance, starttls: TlsTreatment
) -> None:
    book = parse(documents(_draft(_FIXED + text))[File.RULEBOOK])
    assert book.scanning.stances == {EngineClass.VIRUS: virus, EngineClass.SPAM: Stance.OPEN}
    assert book.starttls is starttls


def test_limits_of_the_old_program_hold_even_where_the_file_says_nothing() -> None:
    tables = _tables(_FIXED)
    assert tables[File.RULEBOOK]["limits"] == {
        "concurrent_sessions": 64,
        "concurrent_sessions_per_source": 8,
    }
    assert tables[File.EDGE]["limits"]["sessions"] == 64


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ("", "mail_from", ["off"]),
        ("log_mail_from accepted", "mail_from", ["accepted", "plain"]),
        ("log_mail_from 7", "mail_from", ["accepted", "rejected", "legacy-md5"]),
        ("log_rcpt_to base64", "rcpt_to", ["off"]),
        ("log_rcpt_to rejected,base64", "rcpt_to", ["rejected", "legacy-md5"]),
        ("log_helo yes", "helo", "plain"),
        ("", "helo", "off"),
    ],
)
def test_addresses_are_logged_as_before(text: str, key: str, words: object) -> None:
    edge = _edge(_FIXED + text)
    EdgeSettings.model_validate(edge)
    assert edge["log"][key] == words


def test_a_script_that_is_not_there_has_to_be_put_right() -> None:
    (problem,) = to_put_right(_draft(_FIXED + "action_script /nowhere/at-all"))
    assert problem.startswith("edge-proxy.toml: events.script: ")


def test_a_script_that_never_ran_does_not_run_now() -> None:
    assert "events" not in _edge(_FIXED + "action_script /bin/true\nlock_on never")


def test_nothing_is_missed_when_all_that_is_missing_was_off() -> None:
    assert _draft(_FIXED + "spf off\ndnsbl\nratelimit_recipients 500").lacking == {}


def test_the_last_occurrence_wins() -> None:
    assert _edge(_FIXED + "port 1000\nport 2000")["listen"]["addresses"] == ["0.0.0.0:2000"]
