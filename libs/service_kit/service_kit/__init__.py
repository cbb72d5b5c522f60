"""What every service is started, configured, watched and stopped with.

Theory of operation, in the order of a process's life:

1. ``command_line`` reads the verb, ``config`` reads the file and the environment into one
   frozen ``Settings``, ``logs`` begins to write. What is wrong so far is a ``ConfigError``.
2. The service's ``run(settings)`` builds its parts on one event loop: ``lifecycle`` listens
   to signals, ``tasks`` keeps background work, ``grpc_server`` and ``metrics.serve_http``
   listen, ``grpc_channels`` reach the other services (``tls`` if configured). What cannot be
   had now is a ``StartError``.
3. While it runs, ``health`` says whether it is ready and why not, ``metrics`` counts, and
   ``failures`` translates every library's errors into ``Unavailable``.
4. SIGTERM sets ``lifecycle.draining``; ``run`` stops what it started and returns.

Nothing here knows a service. Floor 3: cores never import it.
"""

import os

# gRPC's C core writes lines of its own on stderr, past every format; it reads this when it is
# imported, so this is the last moment. To see why a handshake fails: GRPC_VERBOSITY=ERROR.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
