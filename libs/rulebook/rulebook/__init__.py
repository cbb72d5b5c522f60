"""Rules as pure values and a pure evaluator.

A *rulebook* is an ordered list of rules beside the farm-wide limits, stances and exemptions.
The edge enforces with this code, policy validates with the same code; nothing here knows a
clock, a socket or a database.

``document.parse`` turns a TOML document into a ``Rulebook`` or says what is wrong and where;
``evaluate.evaluate`` asks the rules of one phase about the ``Facts`` known so far and answers
with a ``Ruling``. Rules are asked in order: the first one that admits, refuses or defers ends
the phase; the others (skip a scan, treat STARTTLS, lock) add up on the way.
"""
