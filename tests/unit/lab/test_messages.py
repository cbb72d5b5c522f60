"""The sample messages are what they say they are."""

import hashlib
import io
import re
import zipfile
from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest

from lab import messages
from lab.messages import Sample

MAKERS = [
    messages.clean,
    messages.eicar_attached,
    messages.eicar_zipped,
    messages.gtube,
    messages.text,
    lambda: messages.large(1),
]


def parsed(sample: Sample) -> EmailMessage:
    mail = message_from_bytes(sample.content, policy=default)
    assert isinstance(mail, EmailMessage)
    return mail


def attachment(sample: Sample) -> bytes:
    (part,) = parsed(sample).iter_attachments()
    content = part.get_content()
    assert isinstance(content, bytes)
    return content


@pytest.mark.parametrize("make", MAKERS)
def test_lines_end_with_crlf_and_the_message_id_is_its_own(make: Callable[[], Sample]) -> None:
    one, other = make(), make()
    assert one.message_id != other.message_id
    assert one.sender != other.sender
    assert parsed(one)["Message-ID"] == one.message_id
    assert one.content.endswith(b"\r\n")
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", one.content)
    assert max(map(len, one.content.split(b"\r\n"))) <= 998


def test_eicar_is_the_published_string() -> None:
    # The published SHA-256 of the 68 octets.
    assert hashlib.sha256(messages.EICAR).hexdigest() == (
        "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"
    )
    assert attachment(messages.eicar_attached()) == messages.EICAR


def test_eicar_lies_inside_the_zip() -> None:
    with zipfile.ZipFile(io.BytesIO(attachment(messages.eicar_zipped()))) as archive:
        assert archive.read(archive.namelist()[0]) == messages.EICAR


def test_gtube_stands_on_one_line_of_its_own() -> None:
    assert messages.GTUBE.encode() in messages.gtube().content.split(b"\r\n")
    assert len(messages.GTUBE) == 68


def test_clean_has_lines_that_need_stuffing() -> None:
    assert b"\r\n.\r\n" in messages.clean().content


def test_sizes_are_about_what_was_asked_for() -> None:
    assert 4_900 <= len(messages.text(5_000).content) <= 5_000
    assert 0.95 < len(messages.large(2).content) / (2 * 1024 * 1024) < 1.05
