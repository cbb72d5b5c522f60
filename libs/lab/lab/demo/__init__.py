"""The demonstration: a whole farm, real messages through it from real clients, one table.

* ``cases``    which messages, and what must become of each
* ``clients``  smtplib, a pipelining client, a client that asks for TLS
* ``verdicts`` what the farm itself says about them (REST API)
* ``table``    what was seen beside what must be
* ``show``     the whole of it
"""
