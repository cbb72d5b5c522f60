"""The life of signatures: how old they are, and how new ones come into force without a gap.

``knowledge`` whether what an engine knows is stale, or newer was refused.
"""
