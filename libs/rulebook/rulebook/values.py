"""Everything a rulebook is made of and a ruling says, in one place to import it from."""

from rulebook.book import Rulebook
from rulebook.dns import Dnsbl, Spf, WithoutAnswer
from rulebook.facts import Facts, Need, Phase
from rulebook.farm import Limits, Oversize, Scanning, Stance, TlsTreatment
from rulebook.rates import Counted, Penalty, Per, Rate
from rulebook.rules import Action, Condition, Mode, Offence, On, Rule, Sanction
from rulebook.ruling import Ruling
from smtpgated_contracts.values.policy import SpfResult, Stage

__all__ = [
    "Action",
    "Condition",
    "Counted",
    "Dnsbl",
    "Facts",
    "Limits",
    "Mode",
    "Need",
    "Offence",
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
