import pytest

from edge_proxy.config import EdgeSettings
from edge_proxy.core_settings import core_settings
from edge_proxy.relay.phases import PATIENCE, Phase
from edge_proxy.relay.settings import CoreSettings, EarlyTalker


def core(**tables: object) -> CoreSettings:
    destination = {"mode": "fixed", "server": "192.0.2.1:25"}
    return core_settings(EdgeSettings.model_validate({"destination": destination, **tables}))


def test_what_is_not_configured_is_as_the_core_has_it() -> None:
    usual, ours = CoreSettings(), core()
    assert (ours.chunking, ours.size_limit_octets, ours.early_talker) == (
        usual.chunking,
        usual.size_limit_octets,
        usual.early_talker,
    )
    assert not ours.xclient


def test_what_is_configured_reaches_the_core() -> None:
    smtp = {
        "chunking": False,
        "content_as_chunks": True,
        "early_talker": "refuse",
        "message_octets": 7,
        "messages_per_session": 8,
        "recipients_per_message": 9,
    }
    ours = core(smtp=smtp)
    assert not ours.chunking
    assert ours.content_as_chunks
    assert ours.early_talker is EarlyTalker.REFUSE
    assert (ours.size_limit_octets, ours.most_mails, ours.most_recipients) == (7, 8, 9)


def test_xclient_is_a_way_of_introduction() -> None:
    server = {"mode": "fixed", "server": "192.0.2.1:25"}
    ours = core(destination={**server, "introduce": "xclient", "xclient_login": True})
    assert ours.xclient
    assert ours.xclient_login


@pytest.mark.parametrize(("spoofed", "name"), [("keep", b""), ("remove", b"X-Trace")])
def test_spoofed_headers_are_removed_only_if_configured_and_never_from_chunks(
    spoofed: str, name: bytes
) -> None:
    ours = core(trace={"style": "generic", "header": "X-Trace", "spoofed": spoofed})
    assert ours.spoofed_header == name
    assert ours.chunking is not bool(name)


def test_patience_for_a_verdict_is_beyond_the_scans_own_deadline() -> None:
    patience = core(scanner={"deadline_s": 100}).patience
    assert patience[Phase.VERDICT] > 100
    assert patience[Phase.CONTENT] == PATIENCE[Phase.CONTENT]
