"""Sockets: the listener, the two links of a session, and what flows between them unread."""
