"""Policy: the farm's control plane, and the place of its shared counters.

Floors, bottom up. ``core``: what is decided, pure. ``ports``: what is needed of the shared
store. ``store``: Redis and its in-memory twin. ``dns``: what names say of senders. ``replica``: one
process's memory of the farm, in step with the store, and its decisions while the store is away.
``grpc_service``: edges. ``admin`` and ``web``: people. ``backing`` makes what the settings name,
``app`` puts them together.

A question's way: ``grpc_service.answering`` reads a batch, ``replica.decider`` looks for locks
in memory and asks the store for leases in one pipeline, the answers go back in one message.
A lock's way: a script writes it and adds it to the change feed; the ``keeper`` of every replica
applies it to its ``Farm`` and ``watching`` pushes it to every edge.
"""
