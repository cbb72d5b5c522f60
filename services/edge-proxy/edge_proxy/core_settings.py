"""From the configuration to the bounds and choices of the relay core."""

from typing import Final

from edge_proxy.config import EdgeSettings
from edge_proxy.relay.phases import PATIENCE, Phase
from edge_proxy.relay.settings import CoreSettings

_BEYOND_SCAN_S: Final = 30.0


def core_settings(settings: EdgeSettings) -> CoreSettings:
    """Deadlines nest: the scan's own ends before the core's patience for a verdict does."""
    smtp, trace = settings.smtp, settings.trace
    removes = trace.spoofed == "remove"
    return CoreSettings(
        reply_name=settings.replies.name,
        chunking=smtp.chunking and not removes,
        content_as_chunks=smtp.content_as_chunks,
        spoofed_header=trace.header.encode("ascii") if removes else b"",
        size_limit_octets=smtp.message_octets,
        most_mails=smtp.messages_per_session,
        most_recipients=smtp.recipients_per_message,
        allows_bare_lf=smtp.bare_lf == "relay",
        early_talker=smtp.early_talker,
        xclient=settings.destination.introduce == "xclient",
        xclient_login=settings.destination.xclient_login,
        patience={
            **PATIENCE,
            Phase.VERDICT: settings.scanner.deadline_s + _BEYOND_SCAN_S,
            Phase.TUNNEL: settings.tunnel.idle_s,
        },
    )
