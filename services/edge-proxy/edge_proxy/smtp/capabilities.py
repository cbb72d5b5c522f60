"""What a server offers in its answer to EHLO (RFC 5321 §4.1.1.1), and a shorter answer from it."""

from collections.abc import Container

from edge_proxy.smtp.replies import Reply, render_reply


def keyword_of(line: bytes) -> bytes:
    """``b"AUTH"`` for ``AUTH PLAIN LOGIN`` and for the old ``AUTH=PLAIN``; upper-cased."""
    return line.replace(b"=", b" ", 1).partition(b" ")[0].upper()


def offered(reply: Reply) -> frozenset[bytes]:
    """The keywords of an answer to EHLO; its first line is a greeting, not a keyword."""
    return frozenset(keyword_of(line) for line in reply.lines[1:])


def masked(reply: Reply, allowed: Container[bytes]) -> bytes:
    """The answer with only the allowed keywords; lines that stay, stay as they were sent.

    Whole lines go and the last one is marked as last again, so that the list is well-formed.
    """
    kept = [line for line in reply.lines[1:] if keyword_of(line) in allowed]
    if len(kept) == len(reply.lines) - 1:
        return reply.octets
    return render_reply(reply.code, (reply.lines[0], *kept))
