"""The programs people send mail with: smtplib, swaks, curl. Each sends one message, as it likes.

``said`` of a Delivery is what the program showed of the conversation.
"""

import asyncio
import os
import smtplib
import ssl
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lab.messages import Sample
from service_kit.addresses import HostPort
from tests.support.needs import need_program

PATIENCE_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """``accepted``: the program believes that its message was taken over."""

    accepted: bool
    said: str


@dataclass(frozen=True, slots=True)
class Account:
    user: str
    password: str


Send = Callable[[HostPort, Sample, Account | None], Awaitable[Delivery]]


async def with_smtplib(to: HostPort, sample: Sample, account: Account | None = None) -> Delivery:
    """EHLO, AUTH if there is an account, one command at a time."""
    return await asyncio.to_thread(_smtplib, to, sample, account, None)


async def with_smtplib_tls(to: HostPort, sample: Sample, trust: ssl.SSLContext) -> Delivery:
    """The same under STARTTLS, with the certificate checked."""
    return await asyncio.to_thread(_smtplib, to, sample, None, trust)


async def with_swaks(to: HostPort, sample: Sample, account: Account | None = None) -> Delivery:
    """Pipelined; AUTH LOGIN if there is an account."""
    # swaks puts a line end of its own behind the last line.
    with _file(sample.content.removesuffix(b"\r\n")) as content:
        return await _run(
            (
                *(need_program("swaks", "swaks"), "--server", to.host, "--port", str(to.port)),
                *("--from", sample.sender, "--to", sample.recipient, "--ehlo", "swaks.example"),
                *("--data", f"@{content}", "--pipeline"),
                *(() if account is None else _swaks_credentials(account)),
            )
        )


async def with_curl(to: HostPort, sample: Sample, account: Account | None = None) -> Delivery:
    """SIZE in MAIL; AUTH PLAIN if there is an account."""
    return await _curl(to, sample, () if account is None else _curl_credentials(account))


async def with_curl_tls(to: HostPort, sample: Sample, authority: Path) -> Delivery:
    """The same under STARTTLS, with the certificate checked."""
    return await _curl(to, sample, ("--ssl-reqd", "--cacert", str(authority)))


PROGRAMS: Final[Mapping[str, Send]] = {
    "smtplib": with_smtplib,
    "swaks": with_swaks,
    "curl": with_curl,
}


def _smtplib(
    to: HostPort, sample: Sample, account: Account | None, trust: ssl.SSLContext | None
) -> Delivery:
    try:
        with smtplib.SMTP(to.host, to.port, "smtplib.example", PATIENCE_S) as client:
            if trust is not None:
                client.starttls(context=trust)
            if account is not None:
                client.login(account.user, account.password)
            client.sendmail(sample.sender, [sample.recipient], sample.content)
    except smtplib.SMTPResponseException as refused:
        text = refused.smtp_error
        said = text.decode(errors="replace") if isinstance(text, bytes) else text
        return Delivery(accepted=False, said=f"{refused.smtp_code} {said}")
    return Delivery(accepted=True, said="")


def _curl_credentials(account: Account) -> tuple[str, ...]:
    return ("--user", f"{account.user}:{account.password}", "--login-options", "AUTH=PLAIN")


def _swaks_credentials(account: Account) -> tuple[str, ...]:
    return (
        *("--auth", "LOGIN", "--auth-user", account.user),
        *("--auth-password", account.password),
    )


@contextmanager
def _file(octets: bytes) -> Iterator[str]:
    with tempfile.NamedTemporaryFile() as file:
        file.write(octets)
        file.flush()
        yield file.name


async def _curl(to: HostPort, sample: Sample, more: Sequence[str]) -> Delivery:
    with _file(sample.content) as content:
        return await _run(
            (
                *(need_program("curl", "curl"), "-v", "-sS", f"smtp://{to}/curl.example"),
                *("--mail-from", sample.sender, "--mail-rcpt", sample.recipient),
                *("--upload-file", content, *more),
            )
        )


async def _run(command: Sequence[str]) -> Delivery:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "LC_ALL": "C"},
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            said, _ = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    return Delivery(process.returncode == 0, said.decode("utf-8", "backslashreplace"))
