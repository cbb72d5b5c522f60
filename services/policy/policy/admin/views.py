"""The faces of our values towards people and scripts: typed, bounded, times as UTC.

``*View`` goes out, ``New*`` and ``*Query`` come in; what comes in has no unknown fields.
"""

from datetime import UTC, datetime
from typing import Annotated, Final, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from policy.core.exemptions import Exemption
from policy.core.journal import OutcomeEntry
from policy.core.leases import Lease
from smtpgated_contracts.values.policy import Lock, Stage

LONGEST_S: Final = 10 * 366 * 24 * 3600
MOST_CHARACTERS: Final = 300

Text = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        min_length=1,
        max_length=MOST_CHARACTERS,
        pattern=r"^[^\x00-\x1f\x7f]*$",
    ),
]
"""One line that a person wrote."""

SubjectText = Annotated[
    str,
    Field(
        max_length=MOST_CHARACTERS,
        examples=["address:192.0.2.1", "prefix:2001:db8::/48", "identity:subscriber-17"],
        description="address:…, prefix:…, identity:… or auth:…",
    ),
]


class Incoming(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PageQuery(Incoming):
    limit: int = Field(default=100, ge=1, le=500)
    offset: int = Field(default=0, ge=0, le=10_000_000)


class SessionQuery(PageQuery):
    source: str = Field(
        default="",
        max_length=64,
        description="Only sessions that count for this address (IPv6: for its /64).",
    )


class LockQuery(PageQuery):
    contains: str = Field(
        default="", max_length=MOST_CHARACTERS, description="Only subjects with this text in them."
    )
    cause: str = Field(default="", max_length=MOST_CHARACTERS)
    stage: Stage | None = Field(default=None, description="Only locks in this stage now.")


class ExemptionQuery(PageQuery):
    contains: str = Field(
        default="", max_length=MOST_CHARACTERS, description="Only subjects with this text in them."
    )


class OutcomeQuery(Incoming):
    limit: int = Field(default=50, ge=1, le=500)


class Ending(Incoming):
    """What may have an end."""

    duration_s: int | None = Field(default=None, ge=1, le=LONGEST_S)
    expires_at: AwareDatetime | None = None

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if self.duration_s is not None and self.expires_at is not None:
            raise ValueError("give duration_s or expires_at; neither: until it is removed")
        return self

    def expires_at_ms(self, now_ms: int) -> int:
        """0: until it is removed. Raises ValueError for an end that is over, or very far."""
        if self.duration_s is not None:
            return now_ms + 1000 * self.duration_s
        if self.expires_at is None:
            return 0
        expires_at_ms = round(self.expires_at.timestamp() * 1000)
        if not 0 < expires_at_ms - now_ms <= 1000 * LONGEST_S:
            raise ValueError("expires_at: is over already, or further away than ten years")
        return expires_at_ms


class NewLock(Ending):
    subject: SubjectText
    reason: Text = Field(description="For the next person: why.")
    cause: str = Field(default="manual", pattern=r"^[A-Za-z0-9_.:-]{1,64}$")


class NewExemption(Incoming):
    subject: SubjectText
    reason: Text


class StageView(BaseModel):
    stage: Stage
    until: datetime | None = Field(description="null: until the lock is removed")


class LockView(BaseModel):
    subject: str
    cause: str
    reason: str
    author: str
    created_at: datetime | None
    expires_at: datetime | None = Field(description="null: until it is removed")
    stages: list[StageView] = Field(description="Strictest first; none: refused all the time.")

    @classmethod
    def of(cls, lock: Lock) -> Self:
        return cls(
            subject=lock.subject,
            cause=lock.cause,
            reason=lock.reason,
            author=lock.author,
            created_at=moment(lock.created_at_ms),
            expires_at=moment(lock.expires_at_ms),
            stages=[
                StageView(stage=each.stage, until=moment(each.until_ms)) for each in lock.stages
            ],
        )


class LockPage(BaseModel):
    total: int
    items: list[LockView]


class ExemptionView(BaseModel):
    subject: str
    reason: str
    author: str
    created_at: datetime | None

    @classmethod
    def of(cls, exemption: Exemption) -> Self:
        return cls(
            subject=exemption.subject,
            reason=exemption.reason,
            author=exemption.author,
            created_at=moment(exemption.created_at_ms),
        )


class ExemptionPage(BaseModel):
    total: int
    items: list[ExemptionView]
    networks: list[str] = Field(description="Those of the rulebook, always in force besides.")


class SessionView(BaseModel):
    session_id: str
    edge_id: str
    source: str
    source_port: int
    destination: str
    destination_port: int
    identity: str
    phase: str
    transactions: int
    estimated_messages: int = Field(description="In a TLS tunnel: how many it seems to carry.")
    octets_up: int
    octets_down: int
    opened_at: datetime | None

    @classmethod
    def of(cls, lease: Lease) -> Self:
        progress, session = lease.session, lease.session.session
        return cls(
            session_id=session.session_id,
            edge_id=session.edge_id,
            source=session.source.address,
            source_port=session.source.port,
            destination=session.original_destination.address,
            destination_port=session.original_destination.port,
            identity=session.identity,
            phase=progress.phase,
            transactions=progress.transactions,
            estimated_messages=progress.estimated_messages,
            octets_up=progress.octets_up,
            octets_down=progress.octets_down,
            opened_at=moment(progress.opened_at_ms),
        )


class SessionPage(BaseModel):
    total: int
    items: list[SessionView]


class OutcomeView(BaseModel):
    ended_at: datetime | None
    session_id: str
    transaction: int
    edge_id: str
    source: str
    identity: str
    destination: str
    helo: str
    reverse_path: str
    recipients: list[str] = Field(description="The first twenty.")
    recipient_count: int
    authenticated: bool
    verdict: str = Field(description="clean, suspect, infected, unscanned; none: no scan")
    findings: list[str]
    score: float
    disposition: str
    reply_code: int = Field(description="0: nobody was left to tell")
    content_octets: int
    rule_id: str
    rulebook_version: int
    explained: list[str] = Field(
        description="Each finding: engine, version, names, score, milliseconds, cached or not; "
        "then the classes nobody judged, and why."
    )

    @classmethod
    def of(cls, entry: OutcomeEntry) -> Self:
        same = {name: getattr(entry, name) for name in cls.model_fields if name != "ended_at"}
        same["recipients"] = list(entry.recipients)
        same["findings"] = list(entry.findings)
        same["explained"] = list(entry.explained)
        return cls(ended_at=moment(entry.ended_at_ms), **same)


class OutcomePage(BaseModel):
    items: list[OutcomeView]


class StoreView(BaseModel):
    there: bool
    since: datetime | None
    why: str = Field(description="Empty while it is there.")


class EdgeView(BaseModel):
    edge_id: str
    last_contact_at: datetime | None
    watching_here: bool


class StatusView(BaseModel):
    farm: str
    version: str
    now: datetime
    started_at: datetime | None
    ready: bool
    store: StoreView
    whole_farm: bool = Field(
        description="false: the store is away, sessions are this replica's own, totals unknown"
    )
    sessions: int
    locks: int
    exemptions: int
    identities: int = Field(description="Networks whose subscriber is known.")
    rulebook_version: int
    messages: int
    content_octets: int
    verdicts: dict[str, int]
    dispositions: dict[str, int]
    edges: list[EdgeView]


def moment(unix_ms: int) -> datetime | None:
    """None for 0: not said, or never."""
    return datetime.fromtimestamp(unix_ms / 1000, UTC) if unix_ms else None
