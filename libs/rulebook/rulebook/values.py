"""What a rulebook is made of, in one place to import it from; and what a ruling says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from rulebook.conditions import AnyOf
from rulebook.dns import Dnsbl, Spf, WithoutAnswer
from rulebook.facts import Facts, Need, Phase
from rulebook.index import PhaseIndex
from rulebook.networks import NetworkSet
from rulebook.rates import Counted, Penalty, Per, Rate
from rulebook.rules import Action, Condition, Mode, On, Rule, Sanction
from smtpgated_contracts.values.policy import SpfResult, Stage
from smtpgated_contracts.values.scan import EngineClass

__all__ = [
    "Action",
    "Condition",
    "Counted",
    "Dnsbl",
    "Facts",
    "Limits",
    "Mode",
    "Need",
    "On",
    "Oversize",
    "Penalty",
    "Per",
    "Phase",
    "Rate",
    "Rule",
    "Rulebook",
    "Ruling",
    "Sanction",
    "Scanning",
    "Spf",
    "SpfResult",
    "Stage",
    "Stance",
    "TlsTreatment",
    "WithoutAnswer",
]


class Stance(StrEnum):
    """What happens when a judge is absent: OPEN releases, CLOSED defers."""

    OPEN = "open"
    CLOSED = "closed"


class Oversize(StrEnum):
    """What becomes of content above the scan limit. HEAD: its first part is scanned and decides."""

    RELEASE = "release"
    REFUSE = "refuse"
    HEAD = "head"


class TlsTreatment(StrEnum):
    """What becomes of STARTTLS: relayed unread, not offered, or refused when asked for."""

    TUNNEL = "tunnel"
    MASK = "mask"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Limits:
    """Farm-wide limits; each names its unit; 0: no limit."""

    concurrent_sessions: int = 0
    concurrent_sessions_per_source: int = 0
    concurrent_sessions_per_identity: int = 0
    concurrent_sessions_per_destination: int = 0


@dataclass(frozen=True, slots=True)
class Scanning:
    """How content is scanned and what happens when it is not.

    ``limit_octets``: content above it meets ``oversize``. ``stances``: per class of engines.
    """

    limit_octets: int = 64 * 1024 * 1024
    oversize: Oversize = Oversize.REFUSE
    stances: dict[EngineClass, Stance] = field(
        default_factory=lambda: {EngineClass.VIRUS: Stance.CLOSED, EngineClass.SPAM: Stance.OPEN}
    )
    profile: str = ""


@dataclass(frozen=True)
class Rulebook:
    """Everything the farm enforces, as one value. ``rules`` keep the order of the document.

    ``needs`` and ``counted`` say what has to be asked of policy before the rules can be: what
    nothing depends on is not asked.
    """

    rules: Mapping[Phase, tuple[Rule, ...]] = field(default_factory=dict)
    limits: Limits = Limits()
    scanning: Scanning = Scanning()
    exempt: NetworkSet = field(default_factory=NetworkSet)
    starttls: TlsTreatment = TlsTreatment.TUNNEL
    rates: tuple[Rate, ...] = ()
    penalty: Penalty = field(default_factory=Penalty)
    spf: Spf = field(default_factory=Spf)
    dnsbl: tuple[Dnsbl, ...] = ()

    @cached_property
    def indices(self) -> Mapping[Phase, PhaseIndex]:
        """Of the phases that have rules; made once."""
        return {phase: PhaseIndex(rules) for phase, rules in self.rules.items()}

    def needs(self, *phases: Phase) -> frozenset[Need]:
        """What the rules of these phases want to know from the DNS."""
        return frozenset().union(*(self._needs[phase] for phase in phases))

    @cached_property
    def zones_asked(self) -> tuple[Dnsbl, ...]:
        """The DNSBLs that some rule depends on."""
        named = {
            zone
            for rules in self.rules.values()
            for rule in rules
            for condition in rule.conditions
            if isinstance(condition, AnyOf) and condition.key == Need.DNSBL
            for zone in condition.wanted
        }
        return tuple(each for each in self.dnsbl if each.zone in named)

    @cached_property
    def counted(self) -> frozenset[Counted]:
        """What some rate counts."""
        return frozenset(rate.count for rate in self.rates)

    @cached_property
    def wants_spf(self) -> bool:
        """Whether a rule that is asked from MAIL on depends on SPF."""
        return Need.SPF in self.needs(*_FROM_MAIL_ON)

    @cached_property
    def limits_mail(self) -> bool:
        """Whether a rate may have something to say before MAIL is relayed."""
        return bool(self.counted & _KNOWN_AT_MAIL)

    @cached_property
    def limits_content(self) -> bool:
        """Whether a rate may have something to say before content is let through."""
        return bool(self.counted & _SPENT_BY_CONTENT)

    @cached_property
    def counts_rejections(self) -> bool:
        """Whether a rate counts what servers refuse."""
        return bool(self.counted & _REJECTIONS)

    @cached_property
    def _needs(self) -> dict[Phase, frozenset[Need]]:
        return {
            phase: frozenset(
                Need(condition.key)
                for rule in self.rules.get(phase, ())
                for condition in rule.conditions
                if condition.key in _NEEDS
            )
            for phase in Phase
        }


_NEEDS = frozenset(Need)
_FROM_MAIL_ON = (Phase.MAIL, Phase.RCPT, Phase.AUTH, Phase.DATA, Phase.CONTENT)
_REJECTIONS = frozenset({Counted.MAIL_REJECTIONS, Counted.RCPT_REJECTIONS, Counted.AUTH_REJECTIONS})
_KNOWN_AT_MAIL = _REJECTIONS | {Counted.RECIPIENTS}
_SPENT_BY_CONTENT = frozenset({Counted.MESSAGES, Counted.RECIPIENTS, Counted.OCTETS})


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the rules of one phase say together.

    ``action`` is ADMIT, REFUSE, DEFER, REQUIRE_AUTH or None (nobody decided); ``rule_id`` the rule
    that decided. ``profiles`` are the limit profiles that apply from now on. ``noted`` are the
    rules that bit without deciding, ``shadows`` those that would have bitten. ``cut`` are the
    rules whose patterns were given up at their match limit (see ``conditions``).
    """

    action: Action | None = None
    rule_id: str = ""
    reply: str = ""
    starttls: TlsTreatment | None = None
    skip: frozenset[EngineClass] = frozenset()
    sanctions: tuple[Sanction, ...] = ()
    profiles: tuple[str, ...] = ()
    relay_unread: bool = False
    noted: tuple[str, ...] = ()
    shadows: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()
