"""What the rules of one phase say together."""

from dataclasses import dataclass

from rulebook.farm import TlsTreatment
from rulebook.rules import Action, Sanction
from smtpgated_contracts.values.scan import EngineClass


@dataclass(frozen=True, slots=True)
class Ruling:
    """``action`` is ADMIT, REFUSE, DEFER, REQUIRE_AUTH or None: nobody decided.

    ``rule_id`` is the rule that decided. ``profiles`` are the limit profiles that apply from now
    on. ``noted`` are the rules that bit without deciding, ``shadows`` those that would have
    bitten. ``cut`` are the rules whose patterns were given up at their match limit.
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
