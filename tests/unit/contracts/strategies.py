"""Every value of the contracts, as hypothesis strategies, within what the wire can carry."""

from hypothesis import strategies as st

from smtpgated_contracts.values.mail import EdgeId, Endpoint, Envelope, SessionId, SessionRef
from smtpgated_contracts.values.policy import (
    Decision,
    DecisionKind,
    Disposition,
    Lock,
    SessionProgress,
    TransactionOutcome,
)
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
    Envelope, octets, octets, st.lists(octets, max_size=4).map(tuple), st.booleans()
)

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

decisions = st.builds(Decision, st.sampled_from(DecisionKind), texts, identities)
locks = st.builds(Lock, st.text(min_size=1, max_size=20), texts, uint64, uint64, texts, texts)
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
)
