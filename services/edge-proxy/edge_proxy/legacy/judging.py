"""Engines, what becomes of their verdicts, and who is locked for it."""

from collections.abc import Mapping
from typing import Final

from edge_proxy.legacy.draft import Draft, File, Old
from edge_proxy.legacy.wording import lock, reply
from rulebook.values import Offence

_LONGEST_SCAN_S: Final = 220
_LARGEST_OCTETS: Final = 1024 * 1024 * 1024
_LEAST_HELD_OCTETS: Final = 512 * 1024 * 1024
_ABOVE_ENGINE_S, _ABOVE_SCAN_S = 5, 5
"""Deadlines nest: the engine's, the scanner's own, the edge's."""
_HIGHEST_SCORE: Final = 10_000.0
_LOWEST_SCORE: Final = -1000.0

_OFFENCES: Final[Mapping[str, Offence]] = {
    "maxhost": Offence.SESSIONS_PER_SOURCE,
    "maxident": Offence.SESSIONS_PER_IDENTITY,
    "earlytalk": Offence.EARLY_TALKER,
}
"""Words of ``lock_on`` for what is refused without a rule."""

_ENGINES: Final = {"clamd": "clamd", "mksd": "mksd", "spamassassin": "spamd"}


def translate_judging(old: Old, draft: Draft) -> None:
    draft.put(File.RULEBOOK, "schema", 1)
    treatment = "refuse" if old.yes("forbid_starttls") else "tunnel"
    draft.put(File.RULEBOOK, "starttls", treatment, "forbid_starttls")
    draft.put(File.RULEBOOK, "exempt.sources", ["127.0.0.0/8", "::1/128"])
    virus = _engine(old, draft, "antivirus", "scan_max_size", "timeout_scanner")
    spam = _engine(old, draft, "antispam", "spam_max_size", "timeout_spam")
    _scanning(old, draft)
    if not virus:
        _skip(draft, "virus", "antivirus_type")
    if not spam:
        _skip(draft, "spam", "antispam_type")
    _authenticated(old, draft)
    _verdicts(old, draft, virus=virus, spam=spam)


def _engine(old: Old, draft: Draft, kind: str, size: str, patience: str) -> bool:
    """Whether there is one. Larger messages pass it by, as they did."""
    chosen, largest = old.text(f"{kind}_type"), old.number(size)
    engine = _ENGINES.get(chosen)
    if engine is None or not largest:
        return False
    table = f"engines.{engine}"
    draft.put(File.SCANNER, f"{table}.max_octets", min(largest, _LARGEST_OCTETS), size)
    draft.put(File.SCANNER, f"{table}.oversize", "skip", size)
    deadline_s = min(max(old.number(patience), 1), _LONGEST_SCAN_S)
    draft.put(File.SCANNER, f"{table}.deadline_s", deadline_s, patience)
    draft.say(f"{kind}_type", f"{File.SCANNER}: {table}")
    if engine == "mksd":
        draft.put(File.SCANNER, f"{table}.spool_folder", old.text("spool_path"), "spool_path")
        draft.say("antivirus_path", "mksd's socket is at its own path, as before")
    else:
        draft.put(File.SCANNER, f"{table}.address", old.text(f"{kind}_path"), f"{kind}_path")
    return True


def _scanning(old: Old, draft: Draft) -> None:
    engines = draft.files[File.SCANNER].get("engines", {})
    if engines:
        largest = max(engine["max_octets"] for engine in engines.values())
        draft.put(File.RULEBOOK, "scanning.limit_octets", largest)
        draft.put(File.RULEBOOK, "scanning.oversize", "release")
        for size in ("scan_max_size", "spam_max_size"):
            draft.say(size, "larger messages pass unscanned, as before: rulebook scanning.oversize")
        longest_s = max(engine["deadline_s"] for engine in engines.values())
        scan_s = longest_s + _ABOVE_ENGINE_S
        held = max(_LEAST_HELD_OCTETS, 2 * largest)
        limits = {"scan_deadline_s": scan_s, "content_octets": largest, "held_octets": held}
        for key, value in limits.items():
            draft.put(File.SCANNER, f"limits.{key}", value)
        draft.put(File.EDGE, "scanner.deadline_s", scan_s + _ABOVE_SCAN_S)
        if "spamd" in engines:
            threshold = min(max(old.real("spam_threshold"), _LOWEST_SCORE), _HIGHEST_SCORE)
            draft.put(File.SCANNER, "spam.suspect_at", threshold, "spam_threshold")
    virus = "open" if old.yes("ignore_errors") else "closed"
    draft.put(File.RULEBOOK, "scanning.stances.virus", virus, "ignore_errors")
    draft.put(File.RULEBOOK, "scanning.stances.spam", "open")


def _skip(draft: Draft, what: str, of: str) -> None:
    rule = {"id": f"no-{what}-scan", "phase": "connect", "action": f"skip-{what}-scan"}
    draft.rule(rule, of)


def _authenticated(old: Old, draft: Draft) -> None:
    skip = old.words("auth_skip")
    for word, what in (("antivir", "virus"), ("antispam", "spam")):
        if word in skip:
            action = f"skip-{what}-scan"
            draft.rule({"id": f"auth-{action}", "phase": "auth", "action": action}, "auth_skip")
    if skip == {"none"}:
        draft.say("auth_skip", "nothing is skipped, as before")


def _verdicts(old: Old, draft: Draft, *, virus: bool, spam: bool) -> None:
    if old.number("lock_duration") < 0:
        draft.say("lock_duration", "for ever has become ten years")
    if virus:
        rule: dict[str, object] = {
            "id": "infected",
            "phase": "content",
            "when": {"verdict": "infected"},
            "action": "refuse",
        }
        rule |= reply(old, "msg_virus_found") | lock(old, "virus")
        draft.rule(rule, "lock_on", "lock_duration", "msg_virus_found")
    if spam:
        rule = {"id": "suspect", "phase": "content", "when": {"verdict": "suspect"}}
        if "spam" in old.words("lock_on"):
            rule |= {"action": "refuse"} | reply(old, "msg_spam_found") | lock(old, "spam")
        else:
            rule["action"] = "note"  # it was found, said, and let pass
        draft.rule(rule, "lock_on", "lock_duration", "msg_spam_found")
    if old.number("lock_duration"):
        _offences(old, draft)


def _offences(old: Old, draft: Draft) -> None:
    """``maxident`` was in the default and never made a lock; only who wrote it down wants one."""
    for event, offence in _OFFENCES.items():
        if event == "maxident" and "lock_on" not in old.given:
            draft.say("lock_on", "no lock for maxident: there never was one")
        elif event in old.words("lock_on"):
            sanction = lock(old, event)
            draft.put(File.RULEBOOK, f"sanctions.{offence}", sanction, "lock_on", "lock_duration")
