"""The rulebook a farm has until somebody writes another: sane for an access provider."""

from typing import Final

DEFAULT_DOCUMENT: Final = """\
# SMTP-Gated rulebook. Taken whole or not at all; unknown keys are errors.
schema = 1

# What becomes of STARTTLS unless a rule says otherwise:
#   tunnel  relay TLS unread, but keep counting the session
#   mask    do not offer it          refuse  answer 502 to the command
starttls = "tunnel"

[limits]
# SMTP sessions at the same time: in the whole farm, per source address, and per identity (a
# subscriber, from whichever addresses he comes). 0: no limit.
concurrent_sessions = 20000
concurrent_sessions_per_source = 50
concurrent_sessions_per_identity = 100

[exempt]
# Sources that no lock and no per-source limit touches. Loopback is here so that a first
# try and a local benchmark do not lock their own machine out.
sources = ["127.0.0.0/8", "::1/128"]

[scanning]
# Content above this many octets is not scanned as a whole; what happens then:
#   refuse  552 at the end       release  let it pass unscanned
#   head    scan as much as the limit allows and let that decide
limit_octets = 67108864
oversize = "refuse"
# How scanners look at it: a [profiles.NAME] of their configuration; "" for their default.
profile = ""

# When no engine of a class can judge: closed (451, the sender tries again) or open (released).
stances = { virus = "closed", spam = "open" }

# Rules are asked in order. The first that admits, refuses or defers ends its phase.

# A virus: the message is refused and the source locked for an hour.
[[rules]]
id = "infected"
phase = "content"
when = { verdict = "infected" }
action = "refuse"
reply = "Message refused: malicious content found"
lock_s = 3600

# Spam: refused; the source is not locked.
[[rules]]
id = "suspect"
phase = "content"
when = { verdict = "suspect" }
action = "refuse"
reply = "Message refused: it looks like spam"
"""
