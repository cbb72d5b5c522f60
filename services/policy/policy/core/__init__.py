"""What policy decides, as pure values and functions: no clock, no socket, no database.

``subjects`` spells who is counted, locked or exempted; ``subject_index`` finds the entries that
touch a session. ``leases`` is the model of concurrent-session limits that the Lua scripts are
compared with. ``locks`` and ``exemptions`` say which lock wins; ``farm`` is all of it together
as one replica knows it; ``decide`` answers a question with it. ``local_limiter`` takes the
leases' place while the shared store is away.
"""
