"""What a server offers in its answer to EHLO (RFC 5321 §4.1.1.1), and another answer from it."""

from collections.abc import Sequence

from edge_proxy.smtp.replies import Reply, render_reply


def keyword_of(line: bytes) -> bytes:
    """``b"AUTH"`` for ``AUTH PLAIN LOGIN`` and for the old ``AUTH=PLAIN``; upper-cased."""
    return line.replace(b"=", b" ", 1).partition(b" ")[0].upper()


def offered(reply: Reply) -> frozenset[bytes]:
    """The keywords of an answer to EHLO; its first line is a greeting, not a keyword."""
    return frozenset(keyword_of(line) for line in reply.lines[1:])


def offering(reply: Reply, lines: Sequence[bytes]) -> bytes:
    """The answer with these lines below its greeting; as it was sent when they are the same.

    The last one is marked as last again, so that the list is well-formed.
    """
    if tuple(lines) == reply.lines[1:]:
        return reply.octets
    return render_reply(reply.code, (reply.lines[0], *lines))


def arguments_of(reply: Reply, keyword: bytes) -> tuple[bytes, ...]:
    """The words behind ``keyword`` in an answer to EHLO; empty when it is not offered."""
    for line in reply.lines[1:]:
        if keyword_of(line) == keyword:
            return tuple(line.split()[1:])
    return ()
