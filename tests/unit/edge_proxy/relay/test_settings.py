from edge_proxy.relay.phases import PATIENCE
from edge_proxy.relay.settings import CoreSettings
from edge_proxy.smtp.limits import AUTH_LINE


def test_an_inbox_holds_at_least_one_line_of_any_kind() -> None:
    assert CoreSettings().max_inbox > AUTH_LINE


def test_patience_is_that_of_the_rfcs_unless_said_otherwise() -> None:
    assert CoreSettings().patience == PATIENCE


def test_an_envelope_has_room_for_the_recipients_every_server_must_take() -> None:
    assert CoreSettings().max_recipients_kept >= 100  # RFC 5321 §4.5.3.1.8
