"""PolicyStore over Redis or Valkey (7 or newer).

``keys`` names every key; ``scripts/*.lua`` is what must happen at once; ``link`` sends a
pipeline within a deadline and puts lost scripts back; ``leases``, ``shared_state``,
``identities`` and ``journal`` are the parts of the port, ``store`` joins them.
"""
