"""The configured way to find original destinations."""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from edge_proxy.destination_settings import DestinationSettings, Mode
from edge_proxy.interception.conntrack import Conntrack
from edge_proxy.interception.fixed import Fixed
from edge_proxy.interception.getsockname import Getsockname
from edge_proxy.interception.ident import Ident
from edge_proxy.interception.ipfilter import IpFilter
from edge_proxy.interception.no_loop import NoLoop
from edge_proxy.interception.pf import Pf
from edge_proxy.interception.pre_nat import PreNat
from edge_proxy.interception.proxy_helper import Asking, ProxyHelper
from edge_proxy.interception.proxy_helper_secret import secret_of
from edge_proxy.interception.proxy_protocol import ProxyProtocol
from edge_proxy.interception.redirect import Redirect
from edge_proxy.interception.tproxy import Tproxy
from edge_proxy.ports import Interception
from rulebook.networks import NetworkSet
from service_kit.addresses import HostPort
from smtpgated_contracts.values.mail import Endpoint


def choose_interception(
    settings: DestinationSettings, listening: Sequence[HostPort]
) -> Interception:
    """``listening``: where we do. Raises StartError: the machine has not what the mode needs;
    ConfigError: the file of a secret."""
    chosen = _WAYS[settings.mode](settings)
    if settings.pre_nat:
        chosen = PreNat(chosen, Conntrack())
    return NoLoop(chosen, listening, settings.outgoing_mark, may_be_source=settings.mode == "fixed")


def _fixed(settings: DestinationSettings) -> Interception:
    assert settings.server is not None, "validated"
    server = Endpoint(settings.server.host, settings.server.port)
    if settings.proxy_protocol is None:
        return Fixed(server)
    peers = NetworkSet.of(settings.proxy_protocol.peers)
    return ProxyProtocol(peers, settings.identity_tlv, server)


def _redirect(_settings: DestinationSettings) -> Interception:
    return Redirect()


def _tproxy(settings: DestinationSettings) -> Interception:
    return Tproxy(settings.private_networks if settings.private == "redirect" else ())


def _getsockname(_settings: DestinationSettings) -> Interception:
    return Getsockname()


def _pf(settings: DestinationSettings) -> Interception:
    return Pf.opened(settings.pf.device, sys.platform)


def _ipfilter(settings: DestinationSettings) -> Interception:
    return IpFilter.opened(settings.ipfilter.device, settings.ipfilter.version, sys.platform)


def _ident(settings: DestinationSettings) -> Interception:
    assert settings.ident is not None, "validated"
    return Ident(NetworkSet.of(settings.ident.peers), settings.ident.port)


def _proxy_helper(settings: DestinationSettings) -> Interception:
    asked = settings.proxy_helper
    assert asked is not None, "validated"
    asking = Asking(
        asked.port,
        asked.attempts,
        asked.attempt_timeout_s,
        secret_of(asked.secret_file, "destination.proxy_helper.secret_file"),
        asked.check_secret,
    )
    return ProxyHelper(NetworkSet.of(asked.peers), asking)


def _proxy_protocol(settings: DestinationSettings) -> Interception:
    assert settings.proxy_protocol is not None, "validated"
    return ProxyProtocol(NetworkSet.of(settings.proxy_protocol.peers), settings.identity_tlv)


_WAYS: Final[Mapping[Mode, Callable[[DestinationSettings], Interception]]] = {
    "fixed": _fixed,
    "redirect": _redirect,
    "tproxy": _tproxy,
    "getsockname": _getsockname,
    "pf": _pf,
    "ipfilter": _ipfilter,
    "ident": _ident,
    "proxy-helper": _proxy_helper,
    "proxy-protocol": _proxy_protocol,
}
