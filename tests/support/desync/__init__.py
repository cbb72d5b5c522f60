"""The desync matrix: what real servers make of ends of content that are none.

Theory of operation
===================

*Desynchronisation* is two readers of one stream that disagree about where a message ends. What
the second one takes for a new message the first one has taken for text, and has not looked at
(SMTP smuggling, CVE-2023-51764 and its kin). Between a client and a server the edge is a reader
more, and the only one who has the content scanned: nothing may end for the server where it did
not end for the edge.

``sequences`` are the rows of the matrix: everything that may stand round a lone dot, with a
whole second message behind it. ``far_sides`` are its columns: real servers. ``trial`` sends one
sequence in a session of its own and keeps what came of it, ``run`` does so with all of them,
directly and through an edge, ``judging`` says what is wrong with an outcome.
"""
