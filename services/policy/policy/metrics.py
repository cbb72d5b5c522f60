"""Everything policy counts. Labels are enums; help texts are the documentation."""

from enum import Enum, auto
from typing import Final

from rulebook.rates import Counted
from service_kit.metrics import counter, gauge, histogram
from smtpgated_contracts.values.policy import DecisionKind, Disposition, SpfResult
from smtpgated_contracts.values.scan import VerdictKind


class Ground(Enum):
    """What a decision rests on."""

    NOTHING_AGAINST = auto()
    LOCK = auto()
    LIMIT = auto()
    MALFORMED = auto()


class LockFate(Enum):
    """What became of a lock that an outcome asked for."""

    PUT = auto()
    LONGER_ONE_THERE = auto()
    EXEMPT = auto()
    MALFORMED = auto()
    PUT_HERE_ALONE = auto()
    TOO_MANY = auto()


class Judged(Enum):
    """A verdict, or none: the message never came to a scan."""

    CLEAN = VerdictKind.CLEAN
    SUSPECT = VerdictKind.SUSPECT
    INFECTED = VerdictKind.INFECTED
    UNSCANNED = VerdictKind.UNSCANNED
    NONE = "none"


class LookupFate(Enum):
    """What became of a lookup in the DNS."""

    KNOWN = auto()
    FOUND = auto()
    NOTHING = auto()
    FAILED = auto()
    TOO_MANY = auto()


class DnsblAnswer(Enum):
    """What a blocklist said of an address."""

    LISTED = auto()
    UNLISTED = auto()
    FAILED = auto()


DECISIONS: Final = counter(
    "policy_decisions",
    "Answers to OpenSession questions, by decision and what it rests on.",
    decision=DecisionKind,
    ground=Ground,
)
BATCH_S: Final = histogram(
    "policy_batch_s", "Seconds from the arrival of a batch of questions to its answers."
)
LOCAL_ANSWERS: Final = counter(
    "policy_local_answers", "Questions answered by this replica alone, because the store was away."
)
STORE_AWAY: Final = gauge(
    "policy_store_away",
    "1 while the shared store is away and limits are this replica's own: an alarm.",
    combined="livemax",
)
RATES_EXCEEDED: Final = counter(
    "policy_limits_reached", "Questions that a limit per window said no to.", counted=Counted
)
PENALTIES: Final = counter("policy_penalties", "Times points were given to a subject.")
CHARGES_UNKEPT: Final = counter(
    "policy_charges_unkept", "Reports whose octets or rejections could not be counted at once."
)
STORE_LOSSES: Final = counter("policy_store_losses", "Times the shared store went away.")
FEED_GAPS: Final = counter(
    "policy_feed_gaps", "Times changes were missed and everything was read anew."
)
RULEBOOKS_UNREADABLE: Final = counter(
    "policy_rulebooks_unreadable", "Stored rulebooks that could not be read and were not taken."
)
RULEBOOK_VERSION: Final = gauge(
    "policy_rulebook_version", "Version of the rulebook in force here.", combined="livemin"
)
IDENTITIES: Final = gauge(
    "policy_identities", "Networks whose subscriber this replica knows.", combined="livemax"
)
IDENTIFIED: Final = counter(
    "policy_identified", "Sessions whose source was known here and not to the edge."
)
LOCKS: Final = gauge("policy_locks", "Locks this replica knows.", combined="livemax")
SESSIONS: Final = gauge("policy_sessions", "Sessions this replica granted or saw renewed.")
WATCHERS: Final = gauge("policy_watchers", "Edges that watch this replica.")
WATCHERS_OVERRUN: Final = counter(
    "policy_watchers_overrun", "Watchers disconnected because they did not keep up."
)
OUTCOMES: Final = counter(
    "policy_outcomes",
    "Messages reported, by verdict and disposition.",
    verdict=Judged,
    disposition=Disposition,
)
OUTCOME_OCTETS: Final = counter("policy_outcome_octets", "Octets of content reported.")
OUTCOMES_MALFORMED: Final = counter(
    "policy_outcomes_malformed", "Reported outcomes that made no sense and were left out."
)
OUTCOMES_DROPPED: Final = counter(
    "policy_outcomes_dropped", "Outcomes that edges say they could not report."
)
OUTCOMES_UNKEPT: Final = counter(
    "policy_outcomes_unkept", "Outcomes counted here but not kept, because the store was away."
)
DECISIONS_UNKEPT: Final = counter(
    "policy_decisions_unkept", "Decisions that could not be written down for people to look at."
)
LOCKS_ASKED: Final = counter(
    "policy_locks_asked", "Locks that outcomes asked for, by what became of them.", fate=LockFate
)
TOKENS_REFUSED: Final = counter(
    "policy_tokens_refused", "Requests to the admin API without a token, or with a wrong one."
)
TOKENS_THROTTLED: Final = counter(
    "policy_tokens_throttled", "Requests with a wrong token from an address that tried too many."
)
COPY_FAILURES: Final = counter(
    "policy_copy_failures", "Times the copy on disk could not be written or read."
)
LOOKUPS: Final = counter(
    "policy_dns_lookups",
    "Lookups in the DNS, by what became of them; KNOWN: it was in the cache.",
    fate=LookupFate,
)
SPF_RESULTS: Final = counter("policy_spf_results", "SPF checks, by result.", result=SpfResult)
SPF_STUMBLES: Final = counter(
    "policy_spf_stumbles", "SPF checks that failed over a record nobody foresaw: a bug, in the log."
)
DNSBL_ANSWERS: Final = counter(
    "policy_dnsbl_answers",
    "What DNS blocklists said of addresses; FAILED ones met the list's on_failure.",
    answer=DnsblAnswer,
)
UNASKED_SENDERS: Final = counter(
    "policy_unasked_senders",
    "Questions answered without SPF or DNSBLs, because too many others waited for theirs.",
)
