"""Sizes the grammar accepts, in octets with the line end counted, and where each comes from."""

from typing import Final

COMMAND_LINE: Final = 2048
"""RFC 5321 §4.5.3.1.4 says 512, more with extensions; Postfix takes 2048."""

AUTH_LINE: Final = 12_288
"""RFC 4954 §4.6: the longest line of an AUTH exchange, initial answer included."""

XCLIENT_LINE: Final = 512
"""XCLIENT_README: commands beyond have to be split."""

REPLY_LINE: Final = 2048
"""RFC 5321 §4.5.3.1.5 says 512; real servers put long links into refusals."""

REPLY: Final = 65_536
"""All lines of one reply. No RFC bound; a longest EHLO answer seen in the field is below 2 KiB."""
