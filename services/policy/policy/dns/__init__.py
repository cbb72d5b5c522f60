"""What names say about a sender: SPF (RFC 7208) and DNS blocklists (RFC 5782).

``records`` are the values; ``exchange`` is one question over the network, ``answers`` reads what
comes back, ``cache`` keeps it, ``resolver`` is all three for many askers at once. ``spf`` and
``dnsbl`` ask the resolver; neither ever raises: what cannot be found out has a result of its own.

Only recursive resolvers are asked, never the world's name servers: caching for many, DNSSEC and
the chase of delegations are theirs. Yet what they pass on is written by strangers, so every
answer is bounded in octets, and every lookup in time.
"""
