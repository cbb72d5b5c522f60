"""The configured way to find original destinations."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from edge_proxy.destination_settings import DestinationSettings, Mode
from edge_proxy.interception.conntrack import Conntrack
from edge_proxy.interception.fixed import Fixed
from edge_proxy.interception.no_loop import NoLoop
from edge_proxy.interception.pre_nat import PreNat
from edge_proxy.interception.redirect import Redirect
from edge_proxy.interception.tproxy import Tproxy
from edge_proxy.ports import Interception
from service_kit.addresses import HostPort
from service_kit.errors import StartError
from smtpgated_contracts.values.mail import Endpoint


def choose_interception(
    settings: DestinationSettings, listening: Sequence[HostPort]
) -> Interception:
    """``listening``: where we do. Raises StartError: the machine has not what the mode needs."""
    way = _WAYS.get(settings.mode)
    if way is None:
        raise StartError(f"[destination] mode = {settings.mode}: not in this version")
    chosen = way(settings)
    if settings.pre_nat:
        chosen = PreNat(chosen, Conntrack())
    return NoLoop(chosen, listening, settings.outgoing_mark, may_be_source=settings.mode == "fixed")


def _fixed(settings: DestinationSettings) -> Interception:
    assert settings.server is not None, "validated"
    return Fixed(Endpoint(settings.server.host, settings.server.port))


def _redirect(_settings: DestinationSettings) -> Interception:
    return Redirect()


def _tproxy(settings: DestinationSettings) -> Interception:
    return Tproxy(settings.private_networks if settings.private == "redirect" else ())


_WAYS: Final[Mapping[Mode, Callable[[DestinationSettings], Interception]]] = {
    "fixed": _fixed,
    "redirect": _redirect,
    "tproxy": _tproxy,
}
