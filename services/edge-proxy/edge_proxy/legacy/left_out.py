"""Directives without a counterpart, each with the reason. One table: what the farm learns to do
moves from here into a translation."""

from collections.abc import Mapping
from typing import Final

_ONE_PROCESS: Final = "sessions share a process; nothing is forked for them"
_LIMITS_OF_THE_UNIT: Final = "resource limits are the service manager's (systemd, container)"
_NO_SPOOL: Final = "nothing is written to disk: messages are streamed to the scanner"
_LOCKS_IN_POLICY: Final = "locks are in the policy service, with REST and smtp-gated CLI"
_STATUS: Final = "status is on the policy service's page, in its REST API and in /metrics"
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
    "spf_fixed_ip": "SPF is asked about the client's address",
}

NOT_YET: Final[Mapping[str, str]] = {
    "dnsbl": "DNSBL is no condition of the rulebook yet",
    "spf": "SPF is no condition of the rulebook yet",
    "spf_log_only": "SPF is no condition of the rulebook yet",
    **dict.fromkeys(
        (
            *("regex_enforce_helo", "regex_enforce_mail_from", "regex_enforce_rcpt_to"),
            *("regex_reject_helo", "regex_reject_mail_from", "regex_reject_rcpt_to"),
        ),
        "patterns are no condition of the rulebook yet",
    ),
    **dict.fromkeys(
        (
            *("ratelimit_expiration", "ratelimit_connections", "ratelimit_messages"),
            *("ratelimit_recipients", "ratelimit_bytes", "ratelimit_mailfrom"),
            *("ratelimit_mailfrom_rejects", "ratelimit_rcptto", "ratelimit_rcptto_rejects"),
            *("ratelimit_auth_rejects", "ratelimit_helo", "ratelimit_dst"),
            "ratelimit_dst_expiration",
        ),
        "rates cannot be limited by the rulebook yet",
    ),
}
"""Not yet expressible in the rulebook or the configuration: protection that would be missed."""

OTHER_TEXTS: Final = "replies have texts of their own (docs/replies.md); rules can have theirs"
"""Of every ``msg_`` that no rule uses."""

NO_EFFECT: Final = "has no effect together with the other directives of this file"
