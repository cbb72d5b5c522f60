"""One running policy process: what it keeps in memory, and how it stays in step with the store.

``keeper`` follows the store and keeps the ``Farm``; ``presence`` says whether the store is
there; ``decider`` answers questions from both, or alone; ``disk_copy`` is what survives an
empty store; ``contacts`` remembers which edges were heard of; ``chores`` runs what is periodic.
"""
