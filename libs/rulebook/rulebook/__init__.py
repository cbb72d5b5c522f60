"""Rules as pure values and a pure evaluator.

A *rulebook* is an ordered list of rules beside the farm-wide rates, limits, stances and
exemptions. The edge enforces with this code, policy validates, limits and simulates with the
same code; nothing here knows a clock, a socket or a database.

``document.parse`` turns a TOML or JSON document into a ``Rulebook`` (``values``) or says what is
wrong and where; ``reading`` has a file for each part of it. ``evaluate.evaluate`` asks the rules
of one phase about the ``Facts`` known so far and answers with a ``Ruling``: rules are asked in
order, the first one that admits, refuses, defers or requires AUTH ends the phase, the others (skip
a scan, treat STARTTLS, lay a sanction on somebody) add up on the way. ``explain.explain`` says
why.

Asking is fast because few rules are asked: ``index`` files them by what they are about
(``filing``, ``networks``) and looks for their patterns together (``bundles``). It is safe because
no pattern runs without a limit (``patterns``).
"""
