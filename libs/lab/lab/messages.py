"""Sample messages, made when they are asked for, each with a Message-ID of its own.

``content`` is what a client hands to DATA before stuffing: CRLF lines, CRLF at the end.
The test strings EICAR and GTUBE are put together here from pieces, so that no scanner
takes this file for what it makes.
"""

import io
import secrets
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final

EICAR: Final = "".join(
    ("X5O!P%@AP[4\\PZX54(P^)7CC)7}$", "EICAR-STANDARD-", "ANTIVIRUS-TEST-FILE!", "$H+H*")
).encode()
GTUBE: Final = "-".join(
    ("XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE", "STANDARD", "ANTI", "UBE", "TEST", "EMAIL*C.34X")
)

_LINE: Final = "The quick brown fox jumps over the lazy dog and comes back the same way.\r\n"
# RFC 2045 §6.8: 57 octets make a line of 76.
_OCTETS_A_LINE: Final = 57


@dataclass(frozen=True, slots=True)
class Sample:
    """One message. ``sender`` is unique, so that it can be found again wherever it went."""

    name: str
    sender: str
    recipient: str
    message_id: str
    content: bytes


def clean() -> Sample:
    """A few lines, among them some that begin with dots."""
    return _sample("clean", lambda mail: mail.set_content("Hello,\n\n.\n..two dots\nbye\n"))


def eicar_attached() -> Sample:
    """EICAR as an attachment, base64."""
    return _sample("EICAR in an attachment", lambda mail: _attach(mail, EICAR, "eicar.com"))


def eicar_zipped() -> Sample:
    """EICAR in a zip archive that is an attachment."""

    def fill(mail: EmailMessage) -> None:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr("documents/eicar.com", EICAR)
        _attach(mail, archive.getvalue(), "documents.zip")

    return _sample("EICAR inside a zip", fill)


def gtube() -> Sample:
    """The test string of spam filters, in the text."""
    return _sample("GTUBE", lambda mail: mail.set_content(f"Buy now!\n\n{GTUBE}\n"))


def text(size_octets: int = 5_000) -> Sample:
    """Plain text of about this size, headers included."""
    sample = _sample("text", lambda mail: mail.set_content("text\n"))
    lines = max(0, size_octets - len(sample.content)) // len(_LINE)
    return Sample(
        sample.name,
        sample.sender,
        sample.recipient,
        sample.message_id,
        sample.content + _LINE.encode() * lines,
    )


def large(mebibytes: int) -> Sample:
    """An attachment of random octets that makes so many MiB of base64."""
    octets = secrets.token_bytes(_OCTETS_A_LINE * 1024)
    times = mebibytes * 1024 * 1024 // (78 * 1024)  # 78: a line of base64 with its CRLF
    return _sample(f"{mebibytes} MiB", lambda mail: _attach(mail, octets * times, "large.bin"))


def _sample(name: str, fill: Callable[[EmailMessage], None]) -> Sample:
    token = secrets.token_hex(6)
    mail = EmailMessage(policy=SMTP)
    mail["From"] = f"Sender <sender-{token}@customer.example>"
    mail["To"] = "recipient@far.example"
    mail["Subject"] = f"Sample: {name}"
    mail["Message-ID"] = f"<{token}@customer.example>"
    fill(mail)
    return Sample(
        name,
        f"sender-{token}@customer.example",
        "recipient@far.example",
        mail["Message-ID"],
        mail.as_bytes(),
    )


def _attach(mail: EmailMessage, octets: bytes, file_name: str) -> None:
    mail.set_content("See the attachment.\n")
    mail.add_attachment(octets, maintype="application", subtype="octet-stream", filename=file_name)
