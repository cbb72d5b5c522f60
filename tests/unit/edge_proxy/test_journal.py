import asyncio
import logging
from typing import Any

import pytest

from edge_proxy import journal as journal_module
from edge_proxy.address_privacy import PLAIN, AddressPrivacy, Wording
from edge_proxy.events.script import NoScript
from edge_proxy.journal import Journal, Reporting
from edge_proxy.ports import Report
from edge_proxy.relay.facts import CloseCause, RefusedAddress, SessionRecord, TransactionEnded
from edge_proxy.smtp.verbs import Verb
from service_kit.clock import ManualClock
from smtpgated_contracts.values.mail import Envelope
from smtpgated_contracts.values.policy import Disposition
from tests.support.relay_samples import INFECTED, RULEBOOK, SESSION

_NOTHING = Wording(bytes, accepted=False, rejected=False)
_ENDED = TransactionEnded(
    1,
    Envelope(b"pc", b"a@x", (b"b@x",)),
    INFECTED,
    Disposition.REFUSE,
    550,
    99,
    refused=(RefusedAddress(Verb.MAIL, b"no@x", 550), RefusedAddress(Verb.RCPT, b"c@x", 451)),
)


class _Outcomes:
    def __init__(self) -> None:
        self.reported: list[Report] = []

    def report(self, report: Report) -> None:
        self.reported.append(report)


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = []

    def keep(_log: logging.Logger, _level: int, name: str, /, **fields: Any) -> None:
        said.append({"event": name, **fields})

    monkeypatch.setattr(journal_module, "event", keep)
    return said


def _journal(
    record: SessionRecord, outcomes: _Outcomes, privacy: AddressPrivacy = PLAIN
) -> Journal:
    reporting = Reporting(ManualClock(), outcomes, NoScript(), privacy, lambda _session: 1)
    return Journal(reporting, SESSION, RULEBOOK, 1, record)


async def test_policy_is_told_at_once_and_the_log_when_the_loop_has_come_round(
    lines: list[dict[str, Any]],
) -> None:
    outcomes = _Outcomes()
    _journal(SessionRecord(), outcomes).note(_ENDED)
    assert len(outcomes.reported) == 1
    assert lines == []
    await asyncio.sleep(0)
    (line,) = lines
    assert (line["event"], line["sender"], line["recipients"]) == ("transaction", b"a@x", [b"b@x"])
    assert [(each["verb"], each["code"], each["address"]) for each in line["refused"]] == [
        ("MAIL", 550, b"no@x"),
        ("RCPT", 451, b"c@x"),
    ]


async def test_the_log_says_nothing_of_what_it_is_not_to_say(lines: list[dict[str, Any]]) -> None:
    record = SessionRecord(helo=b"pc", closed_by=CloseCause.QUIT)
    record.refuse(Verb.MAIL, b"no@x", 550)
    journal = _journal(record, _Outcomes(), AddressPrivacy(_NOTHING, _NOTHING, _NOTHING))
    journal.note(_ENDED)
    journal.session_ended(record)
    await asyncio.sleep(0)
    transaction, session = lines
    assert (transaction["sender"], transaction["recipients"]) == (None, [])
    assert transaction["recipient_count"] == 1
    assert (session["helo"], session["refused"], transaction["refused"]) == (None, [], [])
