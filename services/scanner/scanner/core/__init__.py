"""What the scanner decides and speaks, without a socket or a clock.

``content`` what is looked at · ``plan`` who is asked · ``verdict`` what their statements mean
together · ``clamd_wire``, ``mksd_wire``, ``spamd_wire``, ``rspamd_wire``, ``yara_wire`` the
octets of each engine · ``clamd_database`` what is in its files ·
``budget`` the bounds of looking inside a message · ``readings``,
``mime_parts``, ``zip_members`` looking inside · ``essence``, ``cache_key``, ``cache_life``,
``cached_statements`` what is remembered of a scan, by what, for how long, and as what.

Every reader here has one shape: ``feed(octets)`` returns the reply once it is complete and
None until then; what came after it is ``trailing``; nonsense raises ``ReplyMalformed``.
"""
