"""PolicyService over gRPC: what edges speak to.

``servicer`` is the contract's three calls; ``watching`` keeps the edges that watch,
``answering`` the streams of questions, ``reporting`` takes outcomes; ``questions`` and
``updates`` are the two ways over the wire.
"""
