"""Every directive of smtp-gated 1.4.21: how its value is read, and what held without it."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from edge_proxy.legacy.kinds import (
    Reader,
    Value,
    boolean,
    integer,
    ipv4,
    octal,
    one_of,
    port,
    real,
    socket,
    some_of,
    text,
    unsigned,
)

EVENTS: Final = (
    "virus", "spam", "maxhost", "maxident", "dnsbl", "spf", "regex", "earlytalk", "ratelimit"
)  # fmt: skip
_LEVELS: Final = (
    "emerg", "alert", "crit", "err", "error", "warning", "warn", "notice", "info", "debug"
)  # fmt: skip
_FACILITIES: Final = (
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv",
    "ftp", *(f"local{number}" for number in range(8)),
)  # fmt: skip
_MODES: Final = (
    "none", "fixed", "fixed+xclient", "remote", "remote-udp", "getsockname", "netfilter", "tproxy",
    "tproxy,netfilter", "ipfw", "ipfilter", "pf",
)  # fmt: skip
_LOGGED: Final = some_of(
    *("accepted", "rejected", "base64", "off", "no", "none"),
    bits={1: "accepted", 2: "rejected", 4: "base64"},
)


class Known(NamedTuple):
    """``empty``: whether a value may be missing."""

    read: Reader
    default: Value
    empty: bool = False


DIRECTIVES: Final[Mapping[str, Known]] = {
    # Identity, sockets, process
    "proxy_name": Known(text, "*"),
    "bind_address": Known(ipv4, "0.0.0.0"),  # noqa: S104 - the old default
    "port": Known(port, 9199),
    "outgoing_addr": Known(ipv4, "0.0.0.0"),  # noqa: S104 - the old default
    "connect_queue": Known(integer, 16),
    "pidfile": Known(text, "/var/run/smtp-gated/smtp-gated.pid"),
    "chroot_path": Known(text, "", empty=True),
    "set_user": Known(text, "", empty=True),
    "set_group": Known(text, "", empty=True),
    "priority": Known(integer, 0),
    "enfile_sleep": Known(integer, 5),
    "buffer_size": Known(unsigned, 1516),
    "pipeline_size": Known(unsigned, 128),
    "pid_hash_size": Known(unsigned, 4096),
    "host_hash_size": Known(unsigned, 4096),
    "on_takeover_cmds": Known(unsigned, 10),
    "limit_core_size": Known(integer, 67_108_864),
    "limit_virt_size": Known(integer, 67_108_864),
    "limit_data_size": Known(integer, 67_108_864),
    "limit_fsize": Known(integer, 104_857_600),
    "locale": Known(text, "", empty=True),
    # Mode
    "mode": Known(one_of(*_MODES, numbers={12: "tproxy,netfilter"}), "none"),
    "fixed_server": Known(ipv4, ""),
    "fixed_server_port": Known(port, 25),
    "remote_port": Known(port, 114),
    "remote_udp_retries": Known(integer, 3),
    "remote_udp_secret": Known(integer, 0),
    # Locks and the script
    "lock_on": Known(some_of(*EVENTS, "never"), frozenset(EVENTS)),
    "lock_duration": Known(integer, 3600),
    "lock_path": Known(text, "/var/spool/smtp-gated/lock"),
    "lock_perm": Known(octal, 0o660),
    "action_script": Known(text, "", empty=True),
    # Spool
    "spool_path": Known(text, "/var/spool/smtp-gated/msg"),
    "spool_perm": Known(octal, 0o660),
    "spool_leave_on": Known(
        some_of("error", "spam", "virus", "never", "always"), frozenset({"error"})
    ),
    "spool_header": Known(text, "X-Proxy-Spool-Info"),
    "scan_max_size": Known(unsigned, 10_000_000),
    "spam_max_size": Known(unsigned, 500_000),
    # Time-outs, in seconds
    "timeout_lookup": Known(integer, 10),
    "timeout_connect": Known(integer, 30),
    "timeout_idle": Known(integer, 300),
    "timeout_direct": Known(integer, 300),
    "timeout_scanner": Known(integer, 30),
    "timeout_spam": Known(integer, 30),
    "timeout_session": Known(integer, 20),
    # Limits
    "max_connections": Known(unsigned, 64),
    "max_per_host": Known(unsigned, 8),
    "max_per_ident": Known(unsigned, 4),
    "max_load": Known(real, 2.0),
    "size_limit": Known(unsigned, 0),
    "spam_max_load": Known(real, 1.0),
    "spam_threshold": Known(real, 7.0),
    # Policy
    "ignore_errors": Known(boolean, default=False),
    "auth_require": Known(one_of("no", "ifsupported", "mandatory"), "no"),
    "auth_skip": Known(
        some_of("direct", "antivir", "antispam", "regex", "dnsbl", "none"), frozenset({"none"})
    ),
    "forbid_starttls": Known(boolean, default=False),
    "earlytalker": Known(boolean, default=True),
    "antivirus_type": Known(one_of("off", "clamd", "mksd"), "off"),
    "antivirus_path": Known(socket, "/var/run/clamav/clamd.ctl"),
    "antispam_type": Known(one_of("off", "spamassassin", "libdspam"), "off"),
    "antispam_path": Known(socket, "/var/run/spamd/spamd_socket"),
    "dspam_storage": Known(text, ""),
    "dnsbl": Known(text, "", empty=True),
    "spf": Known(one_of("off", "incoming", "outgoing", "fixed"), "off"),
    "spf_log_only": Known(boolean, default=False),
    "spf_fixed_ip": Known(ipv4, ""),
    "regex_enforce_helo": Known(text, "", empty=True),
    "regex_enforce_mail_from": Known(text, "", empty=True),
    "regex_enforce_rcpt_to": Known(text, "", empty=True),
    "regex_reject_helo": Known(text, "", empty=True),
    "regex_reject_mail_from": Known(text, "", empty=True),
    "regex_reject_rcpt_to": Known(text, "", empty=True),
    "nat_header": Known(text, "X-Nat-Received"),
    "nat_header_type": Known(one_of("none", "generic", "ip-only"), "generic"),
    "abuse": Known(text, "", empty=True),
    # Rate limits
    "ratelimit_path": Known(text, ""),
    "ratelimit_generation": Known(unsigned, 0),
    "ratelimit_expiration": Known(unsigned, 0),
    "ratelimit_connections": Known(unsigned, 0),
    "ratelimit_messages": Known(unsigned, 0),
    "ratelimit_recipients": Known(unsigned, 0),
    "ratelimit_bytes": Known(unsigned, 0),
    "ratelimit_mailfrom": Known(unsigned, 0),
    "ratelimit_mailfrom_rejects": Known(unsigned, 0),
    "ratelimit_rcptto": Known(unsigned, 0),
    "ratelimit_rcptto_rejects": Known(unsigned, 0),
    "ratelimit_auth_rejects": Known(unsigned, 0),
    "ratelimit_helo": Known(unsigned, 0),
    "ratelimit_dst": Known(unsigned, 0),
    "ratelimit_dst_expiration": Known(integer, -1),
    # Log and status
    "log_helo": Known(boolean, default=False),
    "log_mail_from": Known(_LOGGED, frozenset({"off"})),
    "log_rcpt_to": Known(_LOGGED, frozenset({"off"})),
    "email_length": Known(unsigned, 64),
    "log_level": Known(one_of(*_LEVELS), "debug"),
    "log_facility": Known(one_of(*_FACILITIES), "daemon"),
    "statefile": Known(text, "/var/run/smtp-gated/state"),
    "statefile_perm": Known(octal, 0o660),
    "statefile_type": Known(some_of("slots", "flat", "human"), frozenset({"slots"})),
    # Texts of replies
    "msg_virus_found": Known(text, "Malware found"),
    "msg_spam_found": Known(text, "Message marked as SPAM, denied"),
    "msg_size_limit": Known(text, "Message size limit exceeded"),
    "msg_auth_required": Known(text, "Message denied without autorization"),
    **{
        f"msg_{name}": Known(text, "")
        for name in (
            "virus_locked", "virus_no_more", "unknown_virus", "scanner_failed", "cannot_connect",
            "connect_timeout", "connect_failed", "spool_problem", "spool_open_fail",
            "pipeline_full", "lookup_failed", "lookup_notfound", "lookup_timeout",
            "lookup_mismatch", "lookup_nomem", "lookup_unknown", "session_timeout", "sign_off",
            "hello", "proto_error", "transaction_failed", "unimpl_command", "temp_unavail",
            "max_reached", "max_per_host", "max_per_ident", "system_load", "nomem",
            "unknown_scanner", "loop_avoidance", "fixed_xclient_fail", "dnsdb_reject",
            "spf_reject", "rate_reject", "ratelimit_error", "ratelimit_messages",
            "ratelimit_rcptto", "ratelimit_rcptto_rejects", "ratelimit_helo", "ratelimit_mailfrom",
            "ratelimit_mailfrom_rejects", "ratelimit_dst", "earlytalker", "regex_helo",
            "regex_mail_from", "regex_rcpt_to", "malformed_ip",
        )
    },
}  # fmt: skip
