"""Directives without a counterpart, each with the reason. One table: what the farm learns to do
moves from here into a translation."""

from collections.abc import Mapping
from typing import Final

_ONE_PROCESS: Final = "sessions share a process; nothing is forked for them"
_LIMITS_OF_THE_UNIT: Final = "resource limits are the service manager's (systemd, container)"
_NO_SPOOL: Final = "nothing is written to disk: messages are streamed to the scanner"
_LOCKS_IN_POLICY: Final = "locks are in the policy service, with REST and smtp-gated CLI"
_STATUS: Final = "status is on the policy service's page, in its REST API and in /metrics"
_NEVER_IN_FORCE: Final = "the old program counted it and never acted on it"
_UNIT: Final = "user, group and working folder are the service manager's"

GONE: Final[Mapping[str, str]] = {
    "pidfile": "the service manager knows the process; there is no pid file to go stale",
    "chroot_path": _UNIT,
    "set_user": _UNIT,
    "set_group": _UNIT,
    "priority": _LIMITS_OF_THE_UNIT,
    "enfile_sleep": "running out of descriptors is prevented at the start and refused with 421",
    "buffer_size": "lines of content may have any length; commands follow RFC 5321 §4.5.3",
    "pipeline_size": "at 128 commands under way reading stops; nothing overflows",
    "pid_hash_size": _ONE_PROCESS,
    "host_hash_size": _ONE_PROCESS,
    "on_takeover_cmds": "after a refused message only QUIT, RSET and NOOP are answered, then 421",
    "limit_core_size": _LIMITS_OF_THE_UNIT,
    "limit_virt_size": _LIMITS_OF_THE_UNIT,
    "limit_data_size": _LIMITS_OF_THE_UNIT,
    "limit_fsize": _NO_SPOOL,
    "locale": "texts are English; a rule can have a reply text of its own",
    "lock_path": _LOCKS_IN_POLICY,
    "lock_perm": _LOCKS_IN_POLICY,
    "spool_path": _NO_SPOOL,
    "spool_perm": _NO_SPOOL,
    "spool_leave_on": _NO_SPOOL,
    "spool_header": _NO_SPOOL,
    "timeout_idle": "patience follows RFC 5321 §4.5.3.2, by phase",
    "timeout_session": "a session that was taken over has 30 seconds",
    "dspam_storage": "libdspam is not supported; it never worked",
    "statefile": _STATUS,
    "statefile_perm": _STATUS,
    "statefile_type": _STATUS,
    "ratelimit_path": "counters are in Redis, for the whole farm",
    "ratelimit_generation": "a rulebook has versions; a new one is in force at once",
    **dict.fromkeys(("ratelimit_helo", "ratelimit_mailfrom", "ratelimit_rcptto"), _NEVER_IN_FORCE),
}

OTHER_TEXTS: Final = "replies have texts of their own (docs/replies.md); rules can have theirs"
"""Of every ``msg_`` that no rule uses."""

OFF: Final = "off, as before"
"""Of everything that says so itself."""

NO_EFFECT: Final = "has no effect together with the other directives of this file"
