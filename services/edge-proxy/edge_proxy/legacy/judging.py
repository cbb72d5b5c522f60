"""Engines, what becomes of their verdicts, and who is locked for it."""

from typing import Final

from edge_proxy.legacy.draft import Draft, File, Old

_FOR_EVER_S: Final = 10 * 365 * 24 * 3600
_LONGEST_SCAN_S: Final = 220
_LARGEST_OCTETS: Final = 1024 * 1024 * 1024
_LEAST_HELD_OCTETS: Final = 512 * 1024 * 1024
_LONGEST_REPLY: Final = 400
_ABOVE_ENGINE_S, _ABOVE_SCAN_S = 5, 5
"""Deadlines nest: the engine's, the scanner's own, the edge's."""
_HIGHEST_SCORE: Final = 10_000.0
_LOWEST_SCORE: Final = -1000.0

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
    if "direct" in skip:
        draft.say("auth_skip", "direct: not offered; authenticated sessions stay supervised")
    if skip & {"regex", "dnsbl"}:
        draft.lacking["auth_skip"] = "regex and dnsbl: no conditions of the rulebook yet"
    if skip == {"none"}:
        draft.say("auth_skip", "nothing is skipped, as before")
    match old.text("auth_require"):
        case "mandatory":
            when = {"when": {"authenticated": False}, "action": "refuse"}
            rule = {"id": "auth-require", "phase": "data", **when}
            draft.rule(rule | _reply(old, "msg_auth_required"), "auth_require", "msg_auth_required")
        case "ifsupported":
            draft.lacking["auth_require"] = "what the server offers is no condition yet"
        case _:
            draft.say("auth_require", "not required, as before")


def _verdicts(old: Old, draft: Draft, *, virus: bool, spam: bool) -> None:
    lock_on, lock_s = old.words("lock_on"), old.number("lock_duration")
    seconds = _FOR_EVER_S if lock_s < 0 else lock_s
    if lock_s < 0:
        draft.say("lock_duration", "for ever has become ten years")
    if virus:
        rule: dict[str, object] = {
            "id": "infected",
            "phase": "content",
            "when": {"verdict": "infected"},
        }
        rule |= {"action": "refuse"} | _reply(old, "msg_virus_found")
        if "virus" in lock_on and seconds:
            rule["lock_s"] = seconds
        draft.rule(rule, "lock_on", "lock_duration", "msg_virus_found")
    if spam:
        rule = {"id": "suspect", "phase": "content", "when": {"verdict": "suspect"}}
        if "spam" in lock_on:
            rule |= {"action": "refuse"} | _reply(old, "msg_spam_found")
            if seconds:
                rule["lock_s"] = seconds
        else:
            rule["action"] = "note"  # it was found, said, and let pass
        draft.rule(rule, "lock_on", "lock_duration", "msg_spam_found")
    others = sorted(lock_on - {"virus", "spam", "never"})
    if others and seconds:
        without = f"no locks yet for {', '.join(others)}"
        if "lock_on" in old.given:
            draft.lacking["lock_on"] = without
        else:
            draft.say("lock_on", without)


def _reply(old: Old, name: str) -> dict[str, object]:
    """The operator's own text, as far as a reply can carry it."""
    text = old.text(name)
    kept = "".join(each if each.isascii() and each.isprintable() else "?" for each in text)
    return {"reply": kept[:_LONGEST_REPLY]}
