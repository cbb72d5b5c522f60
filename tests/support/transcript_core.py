"""Play a transcript against the sans-IO core: its inputs in, the core's actions as outputs.

``played`` gives the transcript as it should have been written; a test compares, ACCEPT=1 keeps.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from edge_proxy.relay import actions
from edge_proxy.relay.actions import Action, Loss, ScanId
from edge_proxy.relay.facts import (
    Denied,
    Fact,
    Rejected,
    RulesSpoke,
    SanctionAsked,
    TransactionEnded,
    ViolationSeen,
)
from edge_proxy.relay.session import RelaySession
from edge_proxy.relay.settings import CoreSettings, EarlyTalker
from rulebook.defaults import DEFAULT_DOCUMENT
from rulebook.document import parse
from rulebook.values import On, Rulebook, Sanction
from smtpgated_contracts.values.policy import Decision, DecisionKind, SpfResult, Stage
from smtpgated_contracts.values.scan import (
    EngineClass,
    Finding,
    Verdict,
    VerdictKind,
    unscanned,
)
from tests.support.relay_samples import SESSION
from tests.support.transcript import Step, Transcript, TranscriptError, lines_of, marked

_DEFAULT_RULES: Final = DEFAULT_DOCUMENT[
    DEFAULT_DOCUMENT.index("[[rules]]") : DEFAULT_DOCUMENT.index("[[rates]]")
]

_ACCEPTED: Final = (("D", "(connects)"), ("U", "(connected)"), ("P", "(admit)"))
_GREETED: Final = (*_ACCEPTED, ("U", "220 mx.example ESMTP"))
_OFFER: Final = (
    "250-mx.example",
    "250-PIPELINING",
    "250-SIZE 10000000",
    "250-ENHANCEDSTATUSCODES",
    "250-AUTH PLAIN LOGIN",
    "250 STARTTLS",
)
_PAST_EHLO: Final = (*_GREETED, ("D", "EHLO client.example"), ("U", *_OFFER))
_CHUNKS: Final = (*_OFFER[:-1], "250-CHUNKING", "250-BINARYMIME", _OFFER[-1])
_CHUNKS_OFFERED: Final = (*_GREETED, ("D", "EHLO client.example"), ("U", *_CHUNKS))
_ENVELOPE: Final = ("MAIL FROM:<a@src.example>", "RCPT TO:<b@dst.example>", "DATA")
_ANSWERS: Final = ("250 2.1.0 ok", "250 2.1.5 ok", "354 go ahead")
_ADDRESSED: Final = (*_CHUNKS_OFFERED, ("D", *_ENVELOPE[:2]), ("U", *_ANSWERS[:2]))
_CHUNK_SENT: Final = (*_ADDRESSED, ("D", "BDAT 16", "Subject: hello", "BDAT 6 LAST", "text"))
_IN_CONTENT: Final = (*_PAST_EHLO, ("D", *_ENVELOPE), ("U", *_ANSWERS))

PROLOGUES: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "an accepted session": _ACCEPTED,
    "a greeted session": _GREETED,
    "a session past EHLO": _PAST_EHLO,
    "a session with chunks": _CHUNKS_OFFERED,
    "an envelope for chunks": _ADDRESSED,
    "chunks up to the held end": (*_CHUNK_SENT, ("U", "250 2.0.0 ok", "250 2.0.0 ok")),
    "a message under way": _IN_CONTENT,
    "a held end": (*_IN_CONTENT, ("D", "Subject: hello", "", "text", ".")),
}
"""What may stand behind ``given``: steps that are played and not shown."""

_WORDS: Final = {"on": True, "off": False, **{each.value: each for each in EarlyTalker}}
_LOSSES: Final = {loss.name.lower(): loss for loss in Loss}


def played(transcript: Transcript) -> Transcript:
    """The same transcript with the outputs the core really has."""
    stage = _Stage(transcript.givens)
    return Transcript(
        [part if isinstance(part, str) else stage.step(part) for part in transcript.parts]
    )


class _Stage:
    def __init__(self, givens: Sequence[str]) -> None:
        document: list[str] = []
        settings: dict[str, object] = {}
        prologue: tuple[tuple[str, ...], ...] = ()
        self._waiting = False
        for given in givens:
            kind, _, rest = given.partition(" ")
            if given in PROLOGUES:
                prologue = PROLOGUES[given]
            elif kind == "rulebook":
                document.append(rest)
            elif kind == "setting":
                key, _, value = rest.partition(" = ")
                octets = value.encode() if key == "spoofed_header" else value
                settings[key] = _WORDS.get(value, int(value) if value.isdigit() else octets)
            elif given == "octets waiting in the kernel":
                self._waiting = True
            else:
                raise TranscriptError(f"nothing is given by {given!r}")
        self._core = RelaySession(
            CoreSettings(**settings),  # type: ignore[arg-type]  # a transcript's own affair
            SESSION,
            _rulebook("\n".join(document)),
        )
        self._phase = self._core.phase
        self._scan = ScanId(0)
        for side, *lines in prologue:
            self.step(Step(side, lines))

    def step(self, step: Step) -> Step:
        told = self._told(step)
        outputs = self._outputs(told)
        if self._core.phase is not self._phase:
            self._phase = self._core.phase
            outputs.append(f"= {self._phase.value}")
        return Step(step.side, step.lines, outputs)

    def _told(self, step: Step) -> Sequence[Action]:
        core, happening = self._core, step.happening
        if happening is None:
            take = {"D": core.downstream_octets, "U": core.upstream_octets}[step.side]
            return take(step.octets)
        word, _, rest = happening.partition(" ")
        inputs: Mapping[str, Callable[[], Sequence[Action]]] = {
            "D connects": lambda: core.start(locked=rest == "locked"),
            "D ends": core.downstream_ended,
            "D lost": core.downstream_lost,
            "U connected": core.upstream_connected,
            "U lost": lambda: core.upstream_lost(_LOSSES[rest or "closed"]),
            "P admit": lambda: core.decided(_decision(DecisionKind.ADMIT, rest)),
            "P defer": lambda: core.decided(_decision(DecisionKind.DEFER, rest)),
            "P refuse": lambda: core.decided(_decision(DecisionKind.REFUSE, rest)),
            "P identify": lambda: core.identify(rest),
            "T deadline": core.deadline_passed,
            "O trace": lambda: core.trace(f"{rest}\r\n".encode()),
            "O lock": lambda: core.held(Stage(rest) if rest else Stage.REFUSE),
            "O unlock": lambda: core.held(None),
            "O load": lambda: core.loaded(float(rest)),
            "O drain": core.drain,
            "O shut-down": core.shut_down,
        }
        if step.side == "S":
            return core.scanned(self._scan, _verdict(word, rest))
        return inputs[f"{step.side} {word}"]()

    def _outputs(self, told: Sequence[Action]) -> list[str]:
        lines = [line for action in told for line in self._written(action)]
        if any(isinstance(action, actions.LookDownstream) for action in told):
            lines += self._outputs(self._core.looked(waiting=self._waiting))
        return lines

    def _written(self, action: Action) -> list[str]:
        if isinstance(action, actions.BeginScan):
            self._scan = action.scan
        match action:
            case actions.SendDownstream(octets):
                return marked("D", lines_of(octets))
            case actions.SendUpstream(octets):
                return marked("U", lines_of(octets))
            case actions.FeedScan(content):
                return marked("S", lines_of(content))
            case actions.LookDownstream():
                return [f"D< (look: {'octets wait' if self._waiting else 'nothing waits'})"]
            case actions.Note(fact):
                return [f"note {line}" for line in _lines_about(fact)]
            case _:
                side, words = _CONTROL[type(action)]
                return [f"{side}< ({words(action)})"]


def _rulebook(document: str) -> Rulebook:
    rules = "" if "[[rules]]" in document else _DEFAULT_RULES
    return parse(f"schema = 1\n{document}\n{rules}")


def _decision(kind: DecisionKind, words: str) -> Decision:
    """``CAUSE, spf fail, room 2, listed zone, saying words``: each part where it is wanted."""
    fields: dict[str, Any] = {}
    for part in filter(None, words.split(", ")):
        word, _, rest = part.partition(" ")
        match word:
            case "spf":
                fields["spf"] = SpfResult(rest)
            case "room":
                fields["recipients_left"] = int(rest)
            case "listed":
                fields["listed_in"] = tuple(rest.split())
            case "saying":
                fields["reply"] = rest
            case _:
                fields["cause"] = part
    return Decision(kind, **fields)


def _verdict(word: str, rest: str) -> Verdict:
    if word == "unscanned":
        return unscanned("engine away", *(EngineClass(name) for name in rest.split()))
    kind = VerdictKind(word)
    engine = EngineClass.SPAM if kind is VerdictKind.SUSPECT else EngineClass.VIRUS
    return Verdict(kind, (Finding("engine", engine, kind, rest),) if rest else ())


def _listed(word: str, about: str, names: Sequence[str]) -> str:
    return f"{word}, {about} {' '.join(names)}" if names else word


def _finished(finish: actions.FinishScan) -> str:
    sender = lines_of(finish.envelope.reverse_path + b"\r\n")[0] or "<>"
    recipients = ", ".join(lines_of(each + b"\r\n")[0] for each in finish.envelope.recipients)
    head = ", head only" if finish.head_only else ""
    return f"finish: {sender} to {recipients or 'nobody'}{head}"


def _lines_about(fact: Fact) -> list[str]:
    match fact:
        case TransactionEnded():
            parts = [
                f"transaction {fact.transaction}: {fact.disposition}",
                f"told {fact.reply_code}" if fact.reply_code else "nobody told",
                fact.verdict.kind.value if fact.verdict else "no verdict",
                f"{fact.content_octets} octets",
                *([f"rule {fact.rule_id}"] if fact.rule_id else []),
                *map(_sanction, fact.sanctions),
                *(["spent"] if fact.spent else []),
            ]
            return [", ".join(parts)]
        case RulesSpoke(phase, ruling):
            fired = (ruling.rule_id, *ruling.noted)
            return [
                *(f"rule {each} fired in {phase}" for each in fired if each),
                *(f"rule {each} would have fired in {phase}" for each in ruling.shadows),
            ]
        case SanctionAsked(sanction, user):
            return [f"{_sanction(sanction)} asked{f', user {_name(user)}' if user else ''}"]
        case Denied(verb, cause, code):
            return [f"{verb} denied by {cause or 'nobody'}, told {code}"]
        case Rejected(verb):
            return [f"{verb} counts as refused by the server"]
        case ViolationSeen(upstream, what):
            return [f"{'server' if upstream else 'client'} broke the protocol: {what}"]


def _sanction(sanction: Sanction) -> str:
    penance = [f"lock by {sanction.cause} for {sanction.lock_s} s"] if sanction.lock_s else []
    points = [f"{sanction.points:g} points by {sanction.cause}"] if sanction.points else []
    on = [] if sanction.on is On.SOURCE else [f"on {sanction.on}"]
    return ", ".join((*penance, *points, *on))


def _name(octets: bytes) -> str:
    return lines_of(octets + b"\r\n")[0]


def _asked(word: str, ask: actions.AskMail | actions.AskData) -> str:
    envelope = ask.envelope
    sender = _name(envelope.reverse_path)
    parts = [
        f"may this {word} be? {ask.transaction}",
        f"from {sender or '<>'}",
        *([f"{len(envelope.recipients)} recipients"] if envelope.recipients else []),
        *([f"user {_name(envelope.auth_user)}"] if envelope.auth_user else []),
        *([f"{ask.declared_octets} octets"] if ask.declared_octets else []),
        *(f"profile {each}" for each in ask.profiles),
        *(["SPF"] if isinstance(ask, actions.AskMail) and ask.wants_spf else []),
    ]
    return ", ".join(parts)


_CONTROL: Final[Mapping[type[Action], tuple[str, Callable[[Any], str]]]] = {
    actions.ConnectUpstream: ("U", lambda _: "connect"),
    actions.AskPolicy: (
        "P",
        lambda ask: ", ".join(("may this session be?", *(f"profile {x}" for x in ask.profiles))),
    ),
    actions.AskMail: ("P", lambda ask: _asked("MAIL", ask)),
    actions.AskData: ("P", lambda ask: _asked("content", ask)),
    actions.KnowUser: ("P", lambda know: f"the user is {_name(know.user)}"),
    actions.BeginScan: ("S", lambda begin: _listed("begin", "skip", sorted(begin.skip))),
    actions.FinishScan: ("S", _finished),
    actions.AbandonScan: ("S", lambda _: "abandon"),
    actions.CloseUpstream: ("U", lambda _: "close"),
    actions.AbortUpstream: ("U", lambda abort: f"abort: {abort.why}"),
    actions.CloseDownstream: ("D", lambda _: "close"),
    actions.BecomeTunnel: (
        "D",
        lambda tunnel: "become a tunnel" if tunnel.is_tls else "left unread",
    ),
}
