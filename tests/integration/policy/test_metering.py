"""What passes in tunnels is charged to the limits, and over them has consequences."""

from collections.abc import Sequence

import httpx

from smtpgated.policy.v1 import policy_pb2
from smtpgated_contracts.marshalling.reported import tunnelled_to_wire
from smtpgated_contracts.values.mail import Envelope
from smtpgated_contracts.values.reported import Tunnelled
from tests.contract.policy.samples import session
from tests.integration.policy.farm import Replica
from tests.integration.policy.test_admin_changes import put
from tests.support.eventually import eventually

SUBJECT = "address:192.0.2.1"
BOOK = """
schema = 1
[[rates]]
id = "messages-an-hour"
count = "messages"
per = "source"
limit = 10
window_s = 3600
lock_s = 600
[[rates]]
id = "octets-a-day"
count = "octets"
per = "auth-user"
limit = 1000000
window_s = 86400
"""


async def report(replica: Replica, *told: Tunnelled) -> None:
    batch = policy_pb2.OutcomeBatch(edge_id="edge-1", tunnelled=map(tunnelled_to_wire, told))
    async with replica.edge() as edge:
        await edge.stub.Report(batch, timeout=20)


async def used(http: httpx.AsyncClient, subject: str) -> Sequence[int]:
    limits = (await http.get(f"/api/v1/limits/{subject}")).json()["limits"]
    return [each["used"] for each in limits]


async def test_a_tunnel_that_goes_over_a_limit_locks_its_source(
    http: httpx.AsyncClient, replica: Replica
) -> None:
    assert (await put(http, BOOK)).status_code == 200
    carried = Tunnelled(session("a"), octets=5000, messages=6)
    await report(replica, carried)
    assert await used(http, SUBJECT) == [6]
    assert replica.app.farm.locks.get(SUBJECT) is None
    await report(replica, carried)
    assert await used(http, SUBJECT) == [12]
    await eventually(lambda: replica.app.farm.locks.get(SUBJECT))
    lock = replica.app.farm.locks.get(SUBJECT)
    assert lock is not None
    assert lock.cause == "messages-an-hour"


async def test_octets_are_charged_to_who_has_authenticated_and_the_exempt_are_not_charged(
    http: httpx.AsyncClient, replica: Replica
) -> None:
    assert (await put(http, BOOK)).status_code == 200
    body = {"subject": "address:192.0.2.9", "reason": "our relay"}
    assert (await http.post("/api/v1/exemptions", json=body)).status_code == 201
    joe = Envelope(authenticated=True, auth_user=b"joe")
    await report(
        replica,
        Tunnelled(session("a"), joe, octets=700),
        Tunnelled(session("b"), joe, octets=800),
        Tunnelled(session("c", "192.0.2.9"), joe, octets=900, messages=50),
    )
    assert await used(http, "auth:joe") == [1500]
    assert await used(http, "address:192.0.2.9") == [0]


async def test_a_malformed_report_takes_nobody_along(
    http: httpx.AsyncClient, replica: Replica
) -> None:
    assert (await put(http, BOOK)).status_code == 200
    broken = tunnelled_to_wire(Tunnelled(session("a"), messages=1))
    broken.session.source.address = "nowhere"
    sound = tunnelled_to_wire(Tunnelled(session("b"), messages=2))
    batch = policy_pb2.OutcomeBatch(edge_id="edge-1", tunnelled=[broken, sound])
    async with replica.edge() as edge:
        await edge.stub.Report(batch, timeout=20)
    assert await used(http, SUBJECT) == [2]


async def test_an_override_holds_for_tunnels_too(http: httpx.AsyncClient, replica: Replica) -> None:
    assert (await put(http, BOOK)).status_code == 200
    body = {"subject": SUBJECT, "limits": {"messages-an-hour": None}, "reason": "r"}
    assert (await http.post("/api/v1/overrides", json=body)).status_code == 201
    await report(replica, Tunnelled(session("a"), messages=5000))
    await report(replica, Tunnelled(session("a"), messages=5000))
    assert await used(http, SUBJECT) == [10_000]
    assert replica.app.farm.locks.get(SUBJECT) is None
