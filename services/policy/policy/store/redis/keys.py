"""Every key policy keeps: one page. ``docs/redis-keys.md`` says the same for operators.

All keys of a farm carry the same hash tag, ``{farm}``, so that the keys of one decision lie in
one slot of a cluster; several farms may share a Redis.
"""

from dataclasses import dataclass
from typing import Final

from policy.core.rates import Count
from policy.core.subjects import counted_source
from smtpgated_contracts.values.mail import SessionRef

MOST_CHANGES: Final = 10_000
"""Entries kept of the change feed, about; a replica that is further behind asks for a picture."""

MOST_CHANGES_AFTER_MANY: Final = 1000
"""Entries kept when one that holds many identities is added: such an entry has some 40 KiB."""

MOST_OUTCOMES: Final = 10_000
"""Entries kept of the outcome journal, about."""

MOST_SHADOWING: Final = 2000
"""Rules and limits counted by name of one day's shadows."""

MOST_SHADOWED: Final = 10_000
"""Subjects counted by name of one rule and day."""

SHADOWS_KEPT_MS: Final = 31 * 24 * 3600 * 1000
"""How long a day's counts stay after its last one."""

MOST_AUDITED: Final = 10_000
"""Entries kept of the audit, about."""

MOST_VERSIONS: Final = 50
"""Rulebooks kept with their text."""


@dataclass(frozen=True, slots=True)
class Keys:
    """``farm``: letters, digits, ``-`` and ``_`` (the settings see to it)."""

    farm: str

    @property
    def leases(self) -> str:
        """ZSET session id -> expiry, Unix ms. Written by open, renew, release."""
        return self._key("leases")

    @property
    def opened(self) -> str:
        """ZSET session id -> beginning, Unix ms: the order in which sessions are listed."""
        return self._key("sessions:opened")

    @property
    def sessions(self) -> str:
        """HASH session id -> JSON: the session as its edge last described it."""
        return self._key("sessions")

    @property
    def source_prefix(self) -> str:
        """Begins the key of every source's leases."""
        return self._key("leases:source:")

    def source(self, address: str) -> str:
        """ZSET session id -> expiry, Unix ms: the leases counted as this source."""
        return self.source_prefix + counted_source(address)

    @property
    def identity_prefix(self) -> str:
        """Begins the key of every identity's leases."""
        return self._key("leases:identity:")

    @property
    def destination_prefix(self) -> str:
        """Begins the key of every destination's leases."""
        return self._key("leases:destination:")

    @property
    def counting_prefixes(self) -> tuple[str, str, str]:
        """In the order in which release.lua takes them."""
        return self.source_prefix, self.destination_prefix, self.identity_prefix

    def counting(self, session: SessionRef) -> list[str]:
        """ZSETs session id -> expiry, Unix ms: where this session is counted besides in total."""
        destination = self.destination_prefix + session.original_destination.address
        keys = [self.source(session.source.address), destination]
        return [*keys, self.identity_prefix + session.identity] if session.identity else keys

    def rate(self, count: Count) -> str:
        """HASH part of the window -> amount; ZSET name -> Unix ms where names are counted."""
        kind = "names" if count.member else "rate"
        return self._key(f"{kind}:{count.rate_id}:{count.window_ms}:{count.subject}")

    def points(self, subject: str) -> str:
        """HASH points -> number, at -> Unix ms: penalty points as they were at that moment."""
        return self._key(f"points:{subject}")

    @property
    def punished(self) -> str:
        """ZSET subject -> Unix ms when nothing will be left of its points."""
        return self._key("points")

    @property
    def revision(self) -> str:
        """STRING integer: how many changes of everything but leases and outcomes there were."""
        return self._key("revision")

    @property
    def changes(self) -> str:
        """STREAM, id ``<revision>-0``, fields kind and body: the change feed."""
        return self._key("changes")

    @property
    def locks(self) -> str:
        """HASH subject -> JSON."""
        return self._key("locks")

    @property
    def lock_expiry(self) -> str:
        """ZSET subject -> expiry, Unix ms, of the locks that have one."""
        return self._key("locks:expiry")

    @property
    def exemptions(self) -> str:
        """HASH subject -> JSON."""
        return self._key("exemptions")

    @property
    def overrides(self) -> str:
        """HASH subject -> JSON: its own limits."""
        return self._key("overrides")

    @property
    def override_expiry(self) -> str:
        """ZSET subject -> expiry, Unix ms, of the overrides that have one."""
        return self._key("overrides:expiry")

    @property
    def identities(self) -> str:
        """HASH network -> JSON: who has it."""
        return self._key("identities")

    @property
    def identity_expiry(self) -> str:
        """ZSET network -> expiry, Unix ms, of those that have one."""
        return self._key("identities:expiry")

    @property
    def rulebook(self) -> str:
        """HASH version, document."""
        return self._key("rulebook")

    @property
    def rulebook_documents(self) -> str:
        """HASH version -> document: those that were in force."""
        return self._key("rulebook:documents")

    @property
    def rulebook_versions(self) -> str:
        """HASH version -> JSON: who put it in force, when and why."""
        return self._key("rulebook:versions")

    @property
    def tokens(self) -> str:
        """HASH token id -> JSON, with the SHA-256 of the secret and never the secret."""
        return self._key("tokens")

    @property
    def tokens_used(self) -> str:
        """HASH token id -> Unix ms: about when it was last used."""
        return self._key("tokens:used")

    @property
    def audit(self) -> str:
        """STREAM, fields area, subject, by, before, after: one entry a change by a person."""
        return self._key("audit")

    @property
    def outcomes(self) -> str:
        """STREAM, field entry: JSON of one transaction's outcome."""
        return self._key("outcomes")

    @property
    def decisions(self) -> str:
        """STREAM, fields id and entry: JSON of one decision."""
        return self._key("decisions")

    def shadows(self, day: str) -> str:
        """HASH rule -> how often it would have bitten on that day."""
        return self._key(f"shadows:{day}")

    def shadowed(self, day: str, rule: str) -> str:
        """HASH subject -> how often the rule would have bitten it on that day."""
        return self._key(f"shadows:{day}:{rule}")

    @property
    def totals(self) -> str:
        """HASH name -> integer: messages, octets, verdicts, dispositions."""
        return self._key("totals")

    @property
    def edges(self) -> str:
        """ZSET edge id -> last contact, Unix ms."""
        return self._key("edges")

    def _key(self, name: str) -> str:
        return f"smtpgated:{{{self.farm}}}:{name}"
