"""Where the farm's shared state lives: ``redis`` for real, ``memory`` as its twin.

The same contract tests run over both. ``records`` is how values are written as text.
"""
