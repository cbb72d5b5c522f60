"""Where a connection was going before it was intercepted: one file a way to find out.

Every way is an ``Interception`` (see ``edge_proxy.ports``); ``choose`` knows them all.
"""
