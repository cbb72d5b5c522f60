"""Every metric of the edge, with the sentence that /metrics shows."""

from enum import Enum
from typing import Final

from edge_proxy.ports import NotFound
from edge_proxy.relay.facts import CloseCause
from edge_proxy.smtp.tls_hello import TlsVersion
from edge_proxy.smtp.verbs import Verb
from service_kit.metrics import counter, gauge, histogram
from smtpgated_contracts.values.policy import DecisionKind, Disposition, Stage
from smtpgated_contracts.values.scan import VerdictKind


class Side(Enum):
    DOWNSTREAM = "downstream"
    UPSTREAM = "upstream"


class Judge(Enum):
    """Who decided on a session."""

    POLICY = "policy"
    LOCAL = "local"


class About(Enum):
    """What was asked of policy."""

    SESSION = "session"
    MAIL = "mail"
    CONTENT = "content"


class Penance(Enum):
    """What a rule wants done to a subject."""

    LOCK = "lock"
    POINTS = "points"


class ScanEnd(Enum):
    """How a call to a scanner ended."""

    ANSWERED = "answered"
    TRIED_AGAIN = "tried again elsewhere"
    GIVEN_UP = "given up"


class RuleMode(Enum):
    ENFORCED = "enforced"
    SHADOW = "shadow"


class Overload(Enum):
    """Why a connection is refused at accept."""

    SESSIONS = "worker is full"
    LINKS = "too many lingering connections"
    LOAD_AVERAGE = "load average"
    LOOP_LAG = "loop lag"


class Handover(Enum):
    """What became of a successor's wish."""

    DONE = "done"
    GIVEN_UP = "given up"


class ScriptEnd(Enum):
    """How one run of the event script ended, or why there was none."""

    DONE = "done"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    NOT_STARTED = "not started"
    DROPPED = "dropped"
    CUT = "cut"


class WayIn(Enum):
    """``destination.mode``, for every edge of a farm may have another."""

    FIXED = "fixed"
    REDIRECT = "redirect"
    TPROXY = "tproxy"
    GETSOCKNAME = "getsockname"
    PF = "pf"
    IPFILTER = "ipfilter"
    IDENT = "ident"
    PROXY_HELPER = "proxy-helper"
    PROXY_PROTOCOL = "proxy-protocol"


class Answered(Enum):
    """What became of a question to the proxy-helper daemon; only the first two get an answer."""

    FOUND = "found"
    NOT_FOUND = "not found"
    NOT_ALLOWED = "not allowed"
    TOO_MANY = "too many"
    MALFORMED = "malformed"
    WRONG_SECRET = "wrong secret"  # noqa: S105 - a label
    NOT_ASKED = "conntrack could not be asked"


SESSIONS: Final = counter(
    "edge_sessions", "Sessions that ended, by why they ended.", closed_by=CloseCause
)
OPEN_SESSIONS: Final = gauge("edge_open_sessions", "Sessions under way.")
TRANSACTIONS: Final = counter(
    "edge_transactions", "Messages by what became of them.", disposition=Disposition
)
VERDICTS: Final = counter("edge_verdicts", "Verdicts the edge was given.", verdict=VerdictKind)
VERDICT_WAIT: Final = histogram(
    "edge_verdict_wait_s", "Seconds the end of a message was held before its verdict."
)
DECISIONS: Final = counter(
    "edge_decisions",
    "Decisions on sessions, MAIL and content, by who made them.",
    about=About,
    judge=Judge,
    decision=DecisionKind,
)
DENIED: Final = counter(
    "edge_denied", "Commands answered by us because of a limit or a lock, by command.", verb=Verb
)
HELD: Final = counter(
    "edge_held", "Sessions that a lock holds back, by how far, as each stage begins.", stage=Stage
)
SANCTIONS: Final = counter(
    "edge_sanctions_asked", "Locks and penalties that rules asked for.", penance=Penance
)
REJECTIONS: Final = counter(
    "edge_server_rejections",
    "Commands that servers refused for good, where a limit counts them.",
    verb=Verb,
)
PATTERNS_CUT: Final = counter(
    "edge_patterns_cut", "Rules of which a pattern was given up at its match limit."
)
SCANS: Final = counter("edge_scans", "Calls to scanners, by how they ended.", end=ScanEnd)
OCTETS: Final = counter("edge_octets", "Octets received, by side.", side=Side)
TUNNELS: Final = counter("edge_tunnels", "Sessions that became a TLS tunnel.")
TUNNELS_ENDED: Final = counter(
    "edge_tunnels_ended",
    "Tunnels that ended, by why; timeout: idle too long.",
    closed_by=CloseCause,
)
TUNNEL_VERSIONS: Final = counter(
    "edge_tunnel_versions", "Tunnels that ended, by what the server chose.", version=TlsVersion
)
NOT_TLS: Final = counter("edge_tunnels_not_tls", "Tunnels with octets that cannot be TLS.")
TUNNEL_OCTETS: Final = counter(
    "edge_tunnel_octets", "Octets received in tunnels that have ended, by side.", side=Side
)
TUNNEL_RECORDS: Final = counter(
    "edge_tunnel_records", "TLS records received in tunnels that have ended, by side.", side=Side
)
TUNNEL_MESSAGES: Final = counter(
    "edge_tunnel_messages", "Messages in tunnels that have ended, estimated."
)
VIOLATIONS: Final = counter(
    "edge_violations", "Protocol violations, by who broke the protocol.", side=Side
)
RULES: Final = counter(
    "edge_rules_fired", "Rules that bit, or in shadow would have.", mode=RuleMode
)
LOCKED_OUT: Final = counter("edge_locked_out", "Sessions refused because their source is locked.")
OVERLOADED: Final = counter(
    "edge_overloaded", "Connections refused at accept because of load, by what.", why=Overload
)
LOOP_LAG: Final = gauge(
    "edge_loop_lag_s",
    "Seconds the event loop comes late to its work, smoothed.",
    combined="livemax",
)
SPARES_SPAM: Final = gauge(
    "edge_spares_spam",
    "1 while new messages are not scanned for spam because of load.",
    combined="livemax",
)
NO_DESTINATION: Final = counter(
    "edge_no_destination",
    "Connections that could not become sessions, by the edge's mode and by why.",
    mode=WayIn,
    why=NotFound,
)
OUTCOMES_DROPPED: Final = counter(
    "edge_outcomes_dropped", "Outcomes that could not be kept for policy."
)
RULINGS_DROPPED: Final = counter(
    "edge_rulings_dropped", "Reports of what rules said that could not be kept for policy."
)
POLICY_CONNECTED: Final = gauge(
    "edge_policy_connected", "1 while rulebook and locks are pushed by policy.", combined="livemin"
)
RULEBOOK_VERSION: Final = gauge(
    "edge_rulebook_version", "Version of the rulebook in force.", combined="livemin"
)
LOCKS: Final = gauge("edge_locks", "Locks the edge knows.", combined="livemax")
ERRORS: Final = counter("edge_session_errors", "Sessions ended by a bug of ours.")
EVENT_SCRIPTS: Final = counter(
    "edge_event_scripts", "Runs of the event script, by how they ended.", end=ScriptEnd
)
HANDOVERS: Final = counter(
    "edge_handovers", "Handovers to a new edge, by what became of them.", outcome=Handover
)
PROXY_HELPER_QUESTIONS: Final = counter(
    "edge_proxy_helper_questions",
    "Questions to the proxy-helper daemon, by what became of them.",
    answered=Answered,
)
