"""The verdict cache: what an engine has stated about some octets is not asked again for a while.

    memory    what this replica knows: bounded, the least used goes first
    flights   who is asking the engine right now: others of this replica wait for him
    shared    what all replicas know, and who of them is asking: Redis, if there is one
    case      by what a question is remembered, and for how long
    recall    a question through all three, and at last to the engine

The octets that are digested are the octets that the engine is given (``core/essence``), so
nobody can put one content's verdict under another's. Failures are never kept: an engine that
did not judge is asked again. Redis is a help and never a need: slow, away or full of nonsense,
it costs a bounded moment and the engine is asked.
"""
