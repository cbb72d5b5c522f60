"""SMTP-Gated on one machine: to see it (demo), to use it (run), to test and to measure it.

* ``far_server``  a strict SMTP server that keeps what it was given, byte for byte
* ``messages``    sample messages, harmless and such as have to be refused
* ``raw_client``  a client that sends exactly the octets it is told
* ``farm``        Valkey, policy, scanner and edge as processes, from a ``farm_plan``
* ``run``         ``make run``; ``run_plan`` says what was asked for and whether it can be
* ``demo``        ``make demo``

The product does not know this package; it knows the product by its commands, its TOML and its
REST API only.
"""
