"""The REST API and the status page: FastAPI over the same ports as the gRPC service.

``app`` assembles it from a ``context``; ``routes_*`` are one resource each, ``views`` their
typed faces; ``auth`` knows tokens, ``problems`` says errors (RFC 9457), ``guards`` bounds what
comes in and heads what goes out; ``server`` runs it on the process's own loop.
"""
