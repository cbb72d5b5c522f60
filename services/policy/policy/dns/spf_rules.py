"""pyspf's evaluation of SPF over answers that are already known; it never waits for anything.

An answer that is not known ends the evaluation with ``Wanted``. Who runs it finds the answer
out and evaluates anew: evaluating costs microseconds, asking milliseconds, and so no thread is
held by a slow name server. (A thread a check was tried on paper and refused: as many slow
domains as there are threads would stop all others, and the evaluation holds the interpreter
anyway.)

Bounds besides those of RFC 7208 §4.6.4, because records are written by strangers and some of
pyspf's expressions take quadratic time: a record, a term in it, and what is read in all. Beyond
them the result is permerror. Explanations (``exp=``, §6.2) are not looked up: nobody is told a
stranger's words.
"""

from collections.abc import Callable
from typing import Any, Final

import spf

from policy.dns.cache import Outcome
from policy.dns.records import Answer, Kind, Lookup
from service_kit.failures import Unavailable

MOST_RECORD_OCTETS: Final = 4096
"""Of one record. RFC 7208 §3.4 wants answers within 512."""

MOST_TERM_OCTETS: Final = 400
"""Of one mechanism or modifier; a domain name has 255 (RFC 1035 §2.3.4)."""

MOST_OCTETS: Final = 16 * 1024
"""Of all records of one evaluation."""

AT_ONCE_OCTETS: Final = 2048
"""Of all records of an evaluation that others wait for: about 1 ms."""

_MOST_LABEL_OCTETS: Final = 63

Known = Callable[[Lookup], Outcome | None]
"""What came of a lookup, if that is known."""


class Wanted(Exception):  # noqa: N818 - what is missing, not what is broken
    """The evaluation cannot go on without this."""

    def __init__(self, lookup: Lookup) -> None:
        super().__init__(lookup)
        self.lookup: Final = lookup


class Postponed(Exception):  # noqa: N818 - what is to be done, not what is broken
    """More is to be read than was allowed for now."""


class Evaluation(spf.query):  # type: ignore[misc]  # pyspf has no types
    """Use once: ``check()`` gives (result, code, text). ``octets``: of records, for now."""

    def __init__(
        self, address: str, sender: str, helo: str, known: Known, octets: int = MOST_OCTETS
    ) -> None:
        super().__init__(i=address, s=sender, h=helo)
        self._known = known
        self._octets = octets
        self._read = 0

    def dns(
        self,
        name: str,
        qtype: str,
        cnames: object = None,
        ignore_void: bool = False,  # noqa: FBT001, FBT002 - as pyspf calls it
    ) -> list[Any]:
        """In place of pyspf's own: values as it expects them, from what is known."""
        lookup = Lookup(name.removesuffix(".").lower(), Kind(qtype))
        if not all(0 < len(label) <= _MOST_LABEL_OCTETS for label in lookup.name.split(".")):
            return []
        answer = self._known(lookup)
        if answer is None:
            raise Wanted(lookup)
        if isinstance(answer, Unavailable):
            raise spf.TempError(f"DNS {answer.kind.value}")
        if not answer.values and not ignore_void:
            self.void_lookups += 1
            if self.void_lookups > spf.MAX_VOID_LOOKUPS:
                raise spf.PermError("Void lookup limit exceeded")
        if lookup.kind is Kind.TXT:
            return [(octets,) for octets in answer.values]
        return list(answer.values)

    def dns_spf(self, domain: str) -> str | None:
        record: str | None = super().dns_spf(domain)
        if record is None:
            return None
        self._read += len(record)
        if len(record) > MOST_RECORD_OCTETS or self._read > MOST_OCTETS:
            raise spf.PermError("Too long")
        if self._read > self._octets:
            raise Postponed
        if max(map(len, record.split(" "))) > MOST_TERM_OCTETS:
            raise spf.PermError("Term too long")
        return record

    def validated_ptrs(self) -> list[str]:
        """A name that cannot be looked up is passed over (§5.5); pyspf would give up."""
        try:
            names = self.dns_ptr(self.i)[: spf.MAX_PTR]
        except spf.TempError:
            return []
        return [name for name in names if self._leads_back(name)]

    def get_explanation(self, spec: str) -> None:
        """None is wanted."""

    def _leads_back(self, name: str) -> bool:
        try:
            return bool(self.cidrmatch(self.dns_a(name, self.A), self.cidrmax))
        except spf.TempError:
            return False


def addresses_of(lookup: Lookup, answer: Answer, kind: Kind) -> list[Lookup]:
    """What will be asked next of an MX or PTR answer: at once instead of one by one.

    ``kind``: of the addresses that matter.
    """
    if lookup.kind is Kind.MX and len(answer.values) <= spf.MAX_MX:
        names = [value[1] for value in answer.values if isinstance(value, tuple)]
        return [Lookup(name, kind) for name in names if name]
    if lookup.kind is Kind.PTR:
        return [Lookup(str(value), kind) for value in answer.values[: spf.MAX_PTR]]
    return []
