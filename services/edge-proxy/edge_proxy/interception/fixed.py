"""Every connection goes to one configured server: a smart host, or a laboratory."""

from dataclasses import dataclass

from edge_proxy.ports import Arrived, Found
from smtpgated_contracts.values.mail import Endpoint


@dataclass(frozen=True, slots=True)
class Fixed:
    server: Endpoint

    async def find(self, arrived: Arrived) -> Found:
        return Found(arrived.peer, self.server)
