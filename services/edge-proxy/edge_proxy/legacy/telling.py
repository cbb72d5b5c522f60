"""The script, the log, and where the rulebook is."""

from collections.abc import Mapping
from typing import Final

from edge_proxy.legacy.draft import Draft, File, Old

_LEVELS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("emerg", "alert", "crit", "err", "error"), "error"),
    **dict.fromkeys(("warning", "warn"), "warning"),
    **dict.fromkeys(("notice", "info"), "info"),
    "debug": "info",  # our debug says more than theirs, and theirs was the default
}
_FACILITIES: Final = frozenset({"user", "mail", "daemon", *(f"local{each}" for each in range(8))})
_LONGEST_ADDRESS: Final = 256


def translate_telling(old: Old, draft: Draft) -> None:
    _script(old, draft)
    facility = old.text("log_facility")
    if facility not in _FACILITIES:
        draft.say("log_facility", f"{facility} is not for mail services: daemon instead")
        facility = "daemon"
    for file in (File.EDGE, File.SCANNER, File.POLICY):
        draft.put(file, "log.format", "syslog")
        draft.put(file, "log.facility", facility, "log_facility")
        draft.put(file, "log.level", _LEVELS[old.text("log_level")], "log_level")
    helo = "plain" if old.yes("log_helo") else "off"
    draft.put(File.EDGE, "log.helo", helo, "log_helo")
    for name, key in (("log_mail_from", "mail_from"), ("log_rcpt_to", "rcpt_to")):
        draft.put(File.EDGE, f"log.{key}", _words(old.words(name)), name)
    cut = min(max(old.number("email_length"), 1), _LONGEST_ADDRESS)
    draft.put(File.EDGE, "log.legacy_md5_octets", cut, "email_length")
    draft.put(File.POLICY, "rulebook.file", File.RULEBOOK.value)


def _script(old: Old, draft: Draft) -> None:
    """It ran for what locked, and for nothing else."""
    script, on = old.text("action_script"), sorted(old.words("lock_on") - {"never"})
    if not script:
        draft.say("action_script", "none, as before")
    elif not on:
        draft.say("action_script", "never run, since lock_on is never; nor is it now")
    else:
        draft.put(File.EDGE, "events.script", script, "action_script")
        draft.put(File.EDGE, "events.on", on, "lock_on")


def _words(logged: frozenset[str]) -> list[str]:
    whose = sorted(logged & {"accepted", "rejected"})
    if not whose:
        return ["off"]
    return [*whose, "legacy-md5" if "base64" in logged else "plain"]
