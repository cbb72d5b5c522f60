"""The configured way to find original destinations."""

from edge_proxy.config import DestinationSettings
from edge_proxy.interception.fixed import Fixed
from edge_proxy.interception.redirect import Redirect
from edge_proxy.ports import Interception
from smtpgated_contracts.values.mail import Endpoint


def choose_interception(settings: DestinationSettings) -> Interception:
    """``settings`` are valid: ``fixed`` has a server."""
    if settings.server is not None:
        return Fixed(Endpoint(settings.server.host, settings.server.port))
    return Redirect()
