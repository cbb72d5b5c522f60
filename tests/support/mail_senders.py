"""Customers' mail programs that send one message after the other, whatever happens to the edge.

Each is Python's own smtplib in a thread of its own: a real client, that knows nothing of us.
Like a mail server it sends again what was put off; unlike one it keeps a record of how it went.
"""

import asyncio
import itertools
import smtplib
import threading
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from email.message import EmailMessage
from typing import Final

from service_kit.addresses import HostPort
from service_kit.tasks import Tasks

_PATIENCE_S: Final = 30.0
_BETWEEN_SESSIONS_S: Final = 0.05
"""Their pace: they are to be there all the time, not to keep the machine busy."""
SUBJECT: Final = b"Subject: "


class MailSenders:
    """``accepted``: subjects of the messages that were answered with 250.

    ``put_off``: how often the edge closed a session between two messages, which a client has
    to expect; ``failures``: everything that must not happen.
    """

    def __init__(self, address: HostPort, messages_a_session: Sequence[int] = (1, 2, 5)) -> None:
        self._address = address
        self._sizes = itertools.cycle(messages_a_session)
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._over = threading.Event()
        self.accepted: list[str] = []
        self.failures: Counter[str] = Counter()
        self.put_off = 0

    def send_until_over(self) -> None:
        """One mail program's life."""
        while not self._over.wait(_BETWEEN_SESSIONS_S):
            with self._lock:
                wanted = next(self._sizes)
                subjects = [f"message-{next(self._numbers)}" for _ in range(wanted)]
            while subjects:
                try:
                    subjects = self._session(subjects)
                except (OSError, smtplib.SMTPException) as failure:
                    with self._lock:
                        self.failures[f"{type(failure).__name__}: {failure}"] += 1
                    return

    def end(self) -> None:
        self._over.set()

    def _session(self, subjects: list[str]) -> list[str]:
        """Send these over one connection; what is left when the edge closes between two."""
        client = smtplib.SMTP(self._address.host, self._address.port, timeout=_PATIENCE_S)
        for sent, subject in enumerate(subjects):
            try:
                client.send_message(_message(subject))
            except (smtplib.SMTPSenderRefused, smtplib.SMTPServerDisconnected) as put_off:
                client.close()
                code = getattr(put_off, "smtp_code", 421)
                if sent == 0 or code != 421:
                    raise
                with self._lock:
                    self.put_off += 1
                return subjects[sent:]
            with self._lock:
                self.accepted.append(subject)
        try:
            client.quit()
        except smtplib.SMTPServerDisconnected:
            client.close()
        return []


def _message(subject: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = "a@customer.example", "b@far.example"
    message["Subject"] = subject
    message.set_content(f"This is {subject}.\n" + ".a line that is to be stuffed\n" * 40)
    return message


def subject_of(content: bytes) -> str:
    """Which message this is, as it arrived; empty when its end is missing."""
    start = content.index(SUBJECT) + len(SUBJECT)
    subject = content[start : content.index(b"\r\n", start)].decode()
    whole = content.count(b".a line that is to be stuffed\r\n") == 40
    return subject if whole else ""


@asynccontextmanager
async def mail_senders(address: HostPort, count: int) -> AsyncIterator[MailSenders]:
    """So many of them, until the end; then each has sent what it had begun to send."""
    senders = MailSenders(address)
    async with Tasks() as tasks:
        running = [
            tasks.spawn(asyncio.to_thread(senders.send_until_over), name=f"sender {number}")
            for number in range(count)
        ]
        try:
            yield senders
        finally:
            senders.end()
            await asyncio.gather(*running)
