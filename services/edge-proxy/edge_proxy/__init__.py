"""The edge: takes SMTP sessions, relays them, and withholds the end of a message.

From the bottom up: ``smtp`` is the grammar, without roles; ``relay`` the decisions, without
input or output; ``interception``, ``links`` and ``clients`` the world; ``conductor`` lets one
session's core and the world meet; ``app`` builds it all. Read ``relay`` first.
"""
