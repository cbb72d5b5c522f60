"""One question to a service on this machine: are you ready? What its container's health check asks.

No answer takes longer than ``PATIENCE_S``. No errors leave but the sentence that is returned.
"""

import http.client
from typing import Final

from service_kit.addresses import HostPort

PATIENCE_S: Final = 3.0
_MOST_OCTETS: Final = 4096
_OWN: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound
"""Where one asks who listens everywhere."""


def why_not_ready(status: HostPort) -> str:
    """What /readyz says against it, empty when it is ready. ``status``: where it serves /readyz."""
    host = _OWN.get(status.host, status.host)
    connection = http.client.HTTPConnection(host, status.port, timeout=PATIENCE_S)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        reasons = answer.read(_MOST_OCTETS).decode("utf-8", "backslashreplace").strip()
    except (OSError, http.client.HTTPException) as wrong:
        return f"/readyz does not answer: {wrong}"
    finally:
        connection.close()
    return "" if answer.status == http.HTTPStatus.OK else ", ".join(reasons.splitlines())
