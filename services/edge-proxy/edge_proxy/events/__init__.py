"""Events: what an operator's own script is run for.

Facts of a session (``relay.facts``) become *occurrences*. ``names`` is the one table from our
facts to the names that scripts written for smtp-gated know; ``occurrence`` is what one script is
told, as arguments and environment; ``of_session`` builds it from a session's facts; ``script``
runs the script (``process``: one run): so many at a time, so many waiting, never in the way of
a session.
"""
