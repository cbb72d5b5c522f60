"""The rulebook a farm has until somebody writes another: sane for an access provider."""

from typing import Final

DEFAULT_DOCUMENT: Final = """\
# SMTP-Gated rulebook. Taken whole or not at all; unknown keys are errors. Every key, condition
# and action is explained in docs/rulebook.md.
schema = 1

# What becomes of STARTTLS unless a rule says otherwise:
#   tunnel  relay TLS unread, but keep counting the session
#   mask    do not offer it          refuse  answer 502 to the command
starttls = "tunnel"

[limits]
# SMTP sessions at the same time: in the whole farm, per source address, per identity (a
# subscriber, from whichever addresses he comes), and to one server's address. 0: no limit.
concurrent_sessions = 20000
concurrent_sessions_per_source = 50
concurrent_sessions_per_identity = 100
concurrent_sessions_per_destination = 0

[exempt]
# Sources that no lock, no points and no limit per source touches. Loopback is here so that a
# first try and a local benchmark do not lock their own machine out.
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
# mode = "shadow" makes a rule or a rate count and report what it would have done, and no more.

# A virus: the message is refused, the source locked for an hour and watched for longer.
[[rules]]
id = "infected"
phase = "content"
when = { verdict = "infected" }
action = "refuse"
reply = "Message refused: malicious content found"
lock_s = 3600
points = 25

# Spam: refused. One such message may be an error; points tell whether there are more.
[[rules]]
id = "suspect"
phase = "content"
when = { verdict = "suspect" }
action = "refuse"
reply = "Message refused: it looks like spam"
points = 5

# Rates: at most limit of count in any window_s seconds. These are far above what a household or
# a small office sends; a customer who runs a mailing list wants a limit of his own.
[[rates]]
id = "recipients-per-hour"
count = "recipients"
per = "source"
limit = 2000
window_s = 3600
# defer: 451, the rest goes out later. refuse: 550, it comes back to its sender.
action = "defer"
reply = "Too many recipients in an hour, try again later"

[[rates]]
id = "recipients-per-day"
count = "recipients"
per = "source"
limit = 20000
window_s = 86400
action = "defer"
reply = "Too many recipients in a day, try again later"

# Servers that know none of the recipients: somebody works through a list. Who goes on is locked
# step by step.
[[rates]]
id = "unknown-recipients"
count = "rcpt-rejections"
per = "source"
limit = 300
window_s = 3600
action = "defer"
reply = "Too many recipients were refused, try again later"
points = 1

# Servers that refuse the password: somebody guesses.
[[rates]]
id = "wrong-passwords"
count = "auth-rejections"
per = "source"
limit = 100
window_s = 3600
action = "defer"
reply = "Too many passwords were refused, try again later"
points = 1

[penalty]
# Points are halved every so many seconds, so whoever mends his ways is let go by himself.
half_life_s = 3600
# From how many points on a source is
#   watch         noted in log and metrics        throttle      given a part of its rates
#   require-auth  not served unauthenticated       refuse        locked
stages = { watch = 10, throttle = 25, require-auth = 50, refuse = 100 }
# That part.
throttle_share = 0.25

# Whose right to send SPF is asked about, if a rule asks: "client", the source itself; "egress",
# the address that servers see, which differs behind NAT; or a fixed address.
[spf]
address = "client"
"""
