from edge_proxy.smtp import limits


def test_limits_are_not_below_what_the_rfcs_demand() -> None:
    assert limits.COMMAND_LINE >= 512  # RFC 5321 §4.5.3.1.4
    assert limits.REPLY_LINE >= 512  # RFC 5321 §4.5.3.1.5
    assert limits.AUTH_LINE >= 12_288  # RFC 4954 §4.6


def test_a_reply_has_room_for_many_lines() -> None:
    assert limits.REPLY >= 16 * limits.REPLY_LINE
