"""How one SMTP session is relayed, held, refused or tunnelled: a pure state machine.

Theory of operation
===================

There are two conversations, downstream with the client and upstream with the server it chose,
and one ``RelaySession`` between them. Whatever happens is told to it through a method (an
*input*: octets arrived, a verdict came, a deadline passed); what it wants done comes back as a
list of values (*actions*: send these octets, begin a scan, close). It does no input and output,
knows no clock and no chance: the same inputs always give the same actions. ``docs/
driving-the-core.md`` shows how to drive it.

The *phase* says what the next downstream octets are: a command, a line of an AUTH exchange,
content, nothing yet. A phase without a reader is a *barrier*: the octets stay in the inbox until
the server, the scanner or policy has spoken. After DATA, for example, only the server's answer
tells whether content or another command follows. ``phases`` holds every phase and transition as
a table; nothing else changes the phase.

Upstream answers commands in order (RFC 2920), and so must we, although some answers are our
own. The *ledger* is the list of what is still owed downstream: an own answer waits there behind
every reply that upstream still owes.

Content is sent upstream slice by slice as it arrives, and the same octets, unstuffed, go to the
scanner. Only the end, the line with the single dot, is held until the verdict. A server that
never sees that line throws the message away (RFC 5321 §4.1.1.10), so refusing means closing the
upstream connection; then we *take over* and answer the client alone, briefly.

Content in chunks (BDAT, RFC 3030) has no such line: the last chunk goes upstream as if it were
not the last, and ``BDAT 0 LAST`` is what is held. RSET takes chunks back, so after a refusal the
session goes on. DATA can be sent on as chunks, where the server takes them, for the same reason.

What rules say of a MAIL or RCPT rides on the answer to it, and what a *transaction* is, is what
the server has accepted. A message of which a chunk was lost is never ended.

Read: phases, actions, ledger, transaction, conversation (the state), then what acts on it:
downstream (commands), content and chunks, message and verdict (what both have in common),
upstream (replies), loss, judgement, and session, where the inputs arrive. introduction (XCLIENT)
and ehlo (what is offered) stand beside.
"""
