"""A DNS message -> Answer, bounded: what is too large or makes no sense is no answer.

Errors: ``Unavailable``: the server failed (SERVFAIL, REFUSED …), or sent nonsense.
RFC 1035 §4.1, RFC 2308 (how long a "no" may be believed).
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype

from policy.dns.records import Answer, Kind, Value
from service_kit.failures import FailureKind, Unavailable

MOST_VALUES: Final = 500
"""Of one name. Beyond what anybody means: more are nonsense."""

LONGEST_S: Final = 3600.0
"""An answer is believed for an hour at most: whoever corrects his records waits no longer."""

LONGEST_NOTHING_S: Final = 300.0
"""That there is nothing is believed for less (RFC 2308 §5 allows hours)."""

_SHORTEST_S: Final = 1.0
_KNOWN: Final = (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)


def read_answer(message: dns.message.Message, kind: Kind) -> Answer:
    """What ``message`` says to a question of ``kind``. CNAMEs in it are followed, 16 at most."""
    if message.rcode() not in _KNOWN:
        raise broken(f"the server says {dns.rcode.to_text(message.rcode())}")
    try:
        chain = message.resolve_chaining()  # type: ignore[attr-defined]  # of a QueryMessage
    except dns.exception.DNSException as error:
        raise broken(f"nonsense in an answer: {error}") from None
    longest_s = LONGEST_S if chain.answer else LONGEST_NOTHING_S
    keeps_s = min(longest_s, max(_SHORTEST_S, float(chain.minimum_ttl)))
    if not chain.answer:
        return Answer((), keeps_s)
    if len(chain.answer) > MOST_VALUES:
        raise broken(f"{len(chain.answer)} values")
    return Answer(tuple(map(_VALUES[kind], chain.answer)), keeps_s)


def broken(detail: str) -> Unavailable:
    return Unavailable("dns", FailureKind.BROKEN, retryable=True, detail=detail)


def _name(name: Any) -> str:
    """Empty for the root: an MX that says "no mail" (RFC 7505)."""
    text: str = name.to_text(omit_final_dot=True)
    return text.lower().removesuffix(".")


_VALUES: Final[Mapping[Kind, Callable[[Any], Value]]] = {
    Kind.A: lambda found: str(found.address),
    Kind.AAAA: lambda found: str(found.address),
    Kind.MX: lambda found: (int(found.preference), _name(found.exchange)),
    Kind.PTR: lambda found: _name(found.target),
    Kind.TXT: lambda found: b"".join(found.strings),
}
