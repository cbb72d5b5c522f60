"""The rulebook as one value, and what has to be known before its rules can be asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from rulebook.conditions import AnyOf
from rulebook.dns import Dnsbl, Spf
from rulebook.facts import Need, Phase
from rulebook.farm import Limits, Scanning, TlsTreatment
from rulebook.index import PhaseIndex
from rulebook.networks import NetworkSet
from rulebook.rates import Counted, Penalty, Rate
from rulebook.rules import Offence, Rule, Sanction

_NEEDS: Final = frozenset(Need)
_FROM_MAIL_ON: Final = (Phase.MAIL, Phase.RCPT, Phase.AUTH, Phase.DATA, Phase.CONTENT)
_REJECTIONS: Final = frozenset(
    {Counted.MAIL_REJECTIONS, Counted.RCPT_REJECTIONS, Counted.AUTH_REJECTIONS}
)
_KNOWN_AT_MAIL: Final = _REJECTIONS | {Counted.RECIPIENTS}
_SPENT_BY_CONTENT: Final = frozenset({Counted.MESSAGES, Counted.RECIPIENTS, Counted.OCTETS})


@dataclass(frozen=True)
class Rulebook:
    """Everything the farm enforces, as one value. ``rules`` keep the order of the document.

    ``needs`` and ``counted`` say what has to be asked of policy before the rules can be: what
    nothing depends on is not asked.
    """

    rules: Mapping[Phase, tuple[Rule, ...]] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    scanning: Scanning = field(default_factory=Scanning)
    exempt: NetworkSet = field(default_factory=NetworkSet)
    starttls: TlsTreatment = TlsTreatment.TUNNEL
    rates: tuple[Rate, ...] = ()
    penalty: Penalty = field(default_factory=Penalty)
    spf: Spf = field(default_factory=Spf)
    dnsbl: tuple[Dnsbl, ...] = ()
    sanctions: Mapping[Offence, Sanction] = field(default_factory=dict)

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
