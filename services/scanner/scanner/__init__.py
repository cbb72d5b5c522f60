"""The scanner: content in, one verdict out. Stateless; owns the engines and nothing else.

    gRPC ── grpc_service ── admission ── panel ──┬── engines/clamd ──── clamd
            parts, limits   slots,       plan,   ├── engines/spamd ──── spamd
                            octets       one     └── engines/yara ───── worker processes
                                         verdict

Five nouns. *Content* is one message, unstuffed, held once. An *engine* judges it for one or
more *classes* (virus, spam) and makes *statements*; the *panel* asks the engines of a *plan*
at the same time, under one absolute deadline, and makes one *verdict* of what they state.

Whatever happens to an engine is part of the verdict: its class is *missing*, with a reason.
RPC errors mean transport or overload, nothing else. What a missing class means for the
message is not decided here: that is the edge's stance.

Read first: ``core/verdict.py`` (what is said when), ``ports.py`` (what an engine is),
``panel.py`` (how they are asked). Then any file of ``engines/``.
"""
