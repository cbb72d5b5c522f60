"""The grammar of SMTP: octets to values and back, for whoever reads or writes them.

RFCs spoken: 5321 (SMTP), 2034/3463 (enhanced status), 2920 (PIPELINING), 3030 (BDAT),
3207 (STARTTLS), 4954 (AUTH). Five nouns: a *line* ends in CRLF and nothing else; a *command*
is a line from a client; a *reply* one or more lines from a server; *content* is what follows
DATA, unstuffed; a *violation* is what a peer may not send.

Nothing here knows whether it serves a client's or a server's side (no roles), keeps state
about a session, or does input and output. Start with ``lines``, then ``commands`` and
``replies``; ``content`` holds the reader the farm stands on.
"""
