"""The engines: one file each over ``ports.Engine``, and what they share.

``registry`` names them all: a new engine is one file here and one line there. ``link`` is one
connection, ``pool`` a bounded number of them; both know no protocol: that is ``core/*_wire``.

clamd and spamd are servers elsewhere. YARA-X is embedded, but in processes of its own: its
binding holds the interpreter's lock for as long as it scans, and decoding a hostile message is
the last thing to do in the process that serves. ``yara_worker`` is what runs in them,
``yara_process`` one of them as asyncio sees it, ``yara_workers`` all of them.
"""
