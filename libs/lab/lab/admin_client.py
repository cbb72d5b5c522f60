"""The REST API of a farm, as much of it as the lab needs.

    admin.get("/api/v1/locks")  admin.post("/api/v1/locks", {...})  admin.put(path, {...})
    admin.delete(path)

Errors: AdminError with status and text for every answer that is not 2xx; OSError when nobody
answers. Blocking, bounded by ``PATIENCE_S``.
"""

import http.client
import json
from collections.abc import Mapping
from typing import Any, Final

from service_kit.addresses import HostPort

PATIENCE_S: Final = 10.0
_GOOD: Final = range(200, 300)


class AdminError(Exception):
    """The API refused; ``status`` is HTTP's."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status


class AdminClient:
    """One farm's API, with its token ("" sends none)."""

    def __init__(self, address: HostPort, token: str) -> None:
        self._address: Final = address
        self._headers: Final = {"Authorization": f"Bearer {token}"} if token else {}

    def get(self, path: str) -> Any:
        """The JSON at ``path``."""
        return self._ask("GET", path, None)

    def post(self, path: str, content: Mapping[str, object]) -> Any:
        """The answer to ``content`` sent as JSON."""
        return self._ask("POST", path, content)

    def put(self, path: str, content: Mapping[str, object]) -> Any:
        """The answer to ``content`` put there as JSON."""
        return self._ask("PUT", path, content)

    def delete(self, path: str) -> None:
        """Nothing is expected back."""
        self._ask("DELETE", path, None)

    def _ask(self, method: str, path: str, content: Mapping[str, object] | None) -> Any:
        connection = http.client.HTTPConnection(
            self._address.host, self._address.port, timeout=PATIENCE_S
        )
        body = None if content is None else json.dumps(content)
        headers = {**self._headers, "Content-Type": "application/json"}
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "backslashreplace")
        finally:
            connection.close()
        if answer.status not in _GOOD:
            raise AdminError(answer.status, text)
        return json.loads(text) if text else None
