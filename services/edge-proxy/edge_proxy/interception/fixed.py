"""Every connection goes to one configured server: a smart host, or a laboratory."""

from dataclasses import dataclass

from edge_proxy.ports import AcceptedSocket
from smtpgated_contracts.values.mail import Endpoint


@dataclass(frozen=True, slots=True)
class Fixed:
    server: Endpoint

    def original_destination(self, connection: AcceptedSocket) -> Endpoint:
        return self.server
