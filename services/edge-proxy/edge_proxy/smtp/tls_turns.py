"""How many messages went through a TLS tunnel, guessed from who spoke when and how much.

SMTP takes turns, and TLS hides neither turns nor sizes. A *turn* is what the client says until the
server answers, and that answer. The content of a message is a turn like no other: it is large, and
answered in one short line. Commands are small; a long group of them (RFC 2920) is answered line by
line, so its answer is long as well; a client's certificate is answered by EHLO's lines and tickets.

Counted wrong: a message below ``CONTENT_OCTETS`` (none), a token of AUTH above it (one), a group of
many RCPT with long addresses and short answers (one), BDAT chunks sent one by one (one each).
docs/tunnels.md has what was measured. Refused messages count: it is attempts that limits are about.
"""

from typing import Final

CONTENT_OCTETS: Final = 256
"""As announced in record headers, so cipher overhead included: 17 to 40 octets a record. A MAIL
with many parameters stays below 200; what a mail program writes as a header alone is 300."""

ANSWER_SHARE: Final = 4
"""A turn is content if it is at least so many times as long as its answer."""


class Turns:
    """Told of application data as it passes, in its order."""

    __slots__ = ("_answered", "_counted", "_said")

    def __init__(self) -> None:
        self._said = 0
        self._answered = 0
        self._counted = 0

    @property
    def messages(self) -> int:
        """So many were answered until now."""
        return self._counted + self._is_content()

    def client_said(self, octets: int) -> None:
        if self._answered:
            self._counted += self._is_content()
            self._said = self._answered = 0
        self._said += octets

    def server_said(self, octets: int) -> None:
        self._answered += octets

    def _is_content(self) -> bool:
        answered = self._answered
        return self._said >= CONTENT_OCTETS and 0 < answered * ANSWER_SHARE <= self._said
