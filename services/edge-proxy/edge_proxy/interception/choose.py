"""The configured way to find original destinations."""

from collections.abc import Callable, Mapping
from typing import Final

from edge_proxy.destination_settings import DestinationSettings, Mode
from edge_proxy.interception.fixed import Fixed
from edge_proxy.interception.redirect import Redirect
from edge_proxy.ports import Interception
from service_kit.errors import StartError
from smtpgated_contracts.values.mail import Endpoint


def choose_interception(settings: DestinationSettings) -> Interception:
    """Raises StartError: this machine has not what the mode needs."""
    way = _WAYS.get(settings.mode)
    if way is None:
        raise StartError(f"[destination] mode = {settings.mode}: not in this version")
    return way(settings)


def _fixed(settings: DestinationSettings) -> Interception:
    assert settings.server is not None, "validated"
    return Fixed(Endpoint(settings.server.host, settings.server.port))


def _redirect(_settings: DestinationSettings) -> Interception:
    return Redirect()


_WAYS: Final[Mapping[Mode, Callable[[DestinationSettings], Interception]]] = {
    "fixed": _fixed,
    "redirect": _redirect,
}
