"""Every value of the contracts, as hypothesis strategies, within what the wire can carry."""

from hypothesis import strategies as st

from smtpgated_contracts.values.asked import DataAsked, MailAsked, SessionAsked
from smtpgated_contracts.values.mail import EdgeId, Endpoint, Envelope, SessionId, SessionRef
from smtpgated_contracts.values.policy import (
    AskedLock,
    AskedPenalty,
    Decision,
    DecisionKind,
    Disposition,
    Lock,
    Penalty,
    SessionProgress,
    SpfResult,
    Stage,
    StageUntil,
    TransactionOutcome,
)
from smtpgated_contracts.values.reported import Rejections, RulingFacts, RulingReport, Tunnelled
from smtpgated_contracts.values.scan import EngineClass, Finding, Missing, Verdict, VerdictKind

uint32 = st.integers(0, 2**32 - 1)
uint64 = st.integers(0, 2**64 - 1)
texts = st.text(max_size=20)
octets = st.binary(max_size=20)
identities = st.text(max_size=20).filter(str.isprintable)

endpoints = st.builds(Endpoint, texts, st.integers(0, 65535))
sessions = st.builds(
    SessionRef,
    st.text(min_size=1, max_size=20).map(SessionId),
    texts.map(EdgeId),
    endpoints,
    endpoints,
    identities,
)
envelopes = st.builds(
    Envelope, octets, octets, st.lists(octets, max_size=4).map(tuple), st.booleans(), octets
)
names = st.lists(texts, max_size=3).map(tuple)
replies = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)

findings = st.builds(
    Finding,
    texts,
    st.sampled_from(EngineClass),
    st.sampled_from(VerdictKind),
    texts,
    st.floats(allow_nan=False, allow_infinity=False),
    uint32,
    texts,
    st.booleans(),
)
verdicts = st.builds(
    Verdict,
    st.sampled_from(VerdictKind),
    st.lists(findings, max_size=3).map(tuple),
    st.lists(st.builds(Missing, st.sampled_from(EngineClass), texts), max_size=2).map(tuple),
    uint32,
)

results = st.none() | st.sampled_from(SpfResult)
decisions = st.builds(
    Decision,
    st.sampled_from(DecisionKind),
    texts,
    identities,
    replies,
    results,
    names,
    st.none() | uint64,
    names,
    texts,
)
subjects = st.text(min_size=1, max_size=20)
stages = st.builds(StageUntil, st.sampled_from(Stage), uint64)
locks = st.builds(
    Lock,
    subjects,
    texts,
    uint64,
    uint64,
    texts,
    texts,
    st.lists(stages, max_size=4).map(tuple),
)
penalties = st.builds(Penalty, subjects, st.floats(0, 1e9), texts)
asked_locks = st.builds(AskedLock, sessions, locks)
asked_penalties = st.builds(AskedPenalty, sessions, penalties)
sessions_asked = st.builds(SessionAsked, sessions, names)
mails_asked = st.builds(MailAsked, sessions, uint32, envelopes, names, st.booleans(), texts, uint64)
data_asked = st.builds(DataAsked, sessions, uint32, envelopes, names, uint64)
rejections = st.builds(Rejections, sessions, envelopes, names, uint32, uint32, uint32)
tunnelled = st.builds(Tunnelled, sessions, envelopes, names, uint64, uint32)
rulings = st.builds(
    RulingReport,
    sessions,
    uint32,
    texts,
    texts,
    texts,
    names,
    names,
    uint64,
    uint32,
    uint64,
    st.builds(
        RulingFacts,
        envelopes,
        octets,
        results,
        names,
        st.none() | st.sampled_from(VerdictKind),
        st.floats(allow_nan=False, allow_infinity=False),
        uint64,
        st.booleans(),
        names,
        st.floats(allow_nan=False, allow_infinity=False),
    ),
)
progresses = st.builds(SessionProgress, sessions, texts, uint32, uint64, uint64, uint64, uint32)
outcomes = st.builds(
    TransactionOutcome,
    sessions,
    uint32,
    envelopes,
    st.none() | verdicts,
    st.sampled_from(Disposition),
    uint32,
    uint64,
    texts,
    uint64,
    uint64,
    st.lists(locks, max_size=2).map(tuple),
    st.lists(penalties, max_size=2).map(tuple),
    st.booleans(),
    names,
)
