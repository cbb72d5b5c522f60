"""``edge-proxy import-legacy``: a smtp-gated.conf becomes our configuration and rulebook.

``syntax`` cuts the file into directives, ``kinds`` reads values as the old program did,
``directives`` is the table of all it knew. ``way_in``, ``demands``, ``rates``, ``judging`` and
``telling`` each translate a part into a ``Draft``; ``left_out`` names what has no counterpart, and
why. ``documents`` writes the files, ``verb`` is the command.

What the old program did by default is carried over, too: whoever never set ``max_per_host`` had
a limit of eight all the same.
"""
