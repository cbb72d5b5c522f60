"""One event as a script is told it: four arguments and an environment.

Names and order are smtp-gated's. Whatever a stranger can choose is cut and has no control
character: anything that is not printable is ``#``. It may still hold quotes, blanks and ``$``;
a shell script has to write ``"$HELO"``, as ever.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from edge_proxy.events.names import EventName
from smtpgated_contracts.values.mail import SessionRef

LONGEST_VALUE: Final = 256
"""Characters; RFC 5321 §4.5.3.1.3: a path has at most 256 octets."""
_SURROUNDINGS: Final[Mapping[str, str]] = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
}
"""All that a script has besides: nothing of the edge's own environment."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """``auth`` is smtp-gated's bitmap: 1 offered by the server, 2 accepted, 4 rejected.

    ``helo`` and ``mail_from`` are in the form in which the log says them. ``sessions`` are those
    of the same source now. ``transaction`` counts from 1; 0: the event is about no message.
    """

    name: EventName
    session: SessionRef
    began_at_s: int
    helo: bytes = b""
    mail_from: bytes = b""
    virus: str = ""
    score: float = 0.0
    sessions: int = 0
    recipients: int = 0
    size_octets: int = 0
    transaction: int = 0
    auth: int = 0
    lock_s: int = 0
    rule_id: str = ""
    disposition: str = ""
    reply_code: int = 0


def arguments(about: Occurrence) -> tuple[str, str, str, str]:
    """What follows the script's own name."""
    session = about.session
    return (
        about.name.value,
        session.source.address,
        safe(session.identity) or "-",
        session.original_destination.address,
    )


def environment(about: Occurrence, proxy_name: str, local: tuple[str, int]) -> dict[str, str]:
    """``local`` is where the edge listens."""
    session = about.session
    source, target = session.source, session.original_destination
    return {
        **_SURROUNDINGS,
        "PROXY_NAME": proxy_name,
        "FOUND": about.name.value,
        "VIRUS_NAME": safe(about.virus),
        "SPAM_SCORE": f"{about.score:.3f}",
        "SOURCE_IP": source.address,
        "SOURCE_PORT": str(source.port),
        "TARGET_IP": target.address,
        "TARGET_PORT": str(target.port),
        "LOCAL_IP": local[0],
        "LOCAL_PORT": str(local[1]),
        "IDENT": safe(session.identity),
        "IDENT_COUNT": str(about.sessions),
        "HELO": safe_octets(about.helo),
        "MAIL_FROM": safe_octets(about.mail_from),
        "RCPTS_TOTAL": str(about.recipients),
        "SIZE": str(about.size_octets),
        "TRANSACTION": str(about.transaction),
        "AUTH": str(about.auth),
        "SPOOL_NAME": "",
        "LOCK_FILE": "",
        "LOCK_DURATION": str(about.lock_s),
        "TIME": time.ctime(about.began_at_s),
        "UNIXTIME": str(about.began_at_s),
        "EDGE_ID": safe(session.edge_id),
        "SESSION_ID": safe(session.session_id),
        "RULE_ID": safe(about.rule_id),
        "DISPOSITION": about.disposition,
        "REPLY_CODE": str(about.reply_code),
    }


def safe(text: str) -> str:
    """Printable, of bounded length."""
    return "".join(each if each.isprintable() else "#" for each in text[:LONGEST_VALUE])


def safe_octets(octets: bytes) -> str:
    """The same of octets; what is not UTF-8 is ``#`` too."""
    return safe(octets[:LONGEST_VALUE].decode("utf-8", "replace").replace("�", "#"))
