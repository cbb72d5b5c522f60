"""The columns of the matrix: real servers, as Debian 12 and npm have them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from tests.support.exim import Exim
from tests.support.far_side import FarSide
from tests.support.haraka import Haraka
from tests.support.opensmtpd import OpenSmtpd
from tests.support.postfix import Postfix


@dataclass(frozen=True, slots=True)
class Kind:
    """``about`` is for a reader of the page."""

    new: Callable[[], FarSide]
    about: str


FAR_SIDES: Final[Mapping[str, Kind]] = {
    "Postfix, lenient": Kind(
        partial(Postfix, "no"),
        "Postfix 3.7 with `smtpd_forbid_bare_newline = no`, as it behaved for twenty years",
    ),
    "Postfix, normalizing": Kind(
        partial(Postfix, "normalize"),
        "the same with `normalize`: only CRLF `.` CRLF ends content, and a bare LF becomes CRLF",
    ),
    "Postfix, strict": Kind(
        partial(Postfix, "reject"), "the same with `reject`: content with a bare LF is refused"
    ),
    "Exim": Kind(Exim, "Exim 4.96 with the repairs of CVE-2023-51766"),
    "OpenSMTPD": Kind(OpenSmtpd, "OpenSMTPD 6.8; it does not offer PIPELINING"),
    "Haraka": Kind(Haraka, "Haraka 3.1"),
}
