"""Points over REST: seen, and forgiven together with the lock they amount to."""

from dataclasses import replace

import httpx

from policy.core.audit import Area
from smtpgated_contracts.values.policy import Penalty
from tests.contract.policy.samples import outcome
from tests.integration.policy.farm import Replica
from tests.integration.policy.test_admin_changes import put
from tests.support.eventually import eventually

PATH = "/api/v1/penalties"
SUBJECT = "address:192.0.2.1"
BOOK = """
schema = 1
[penalty]
half_life_s = 3600
stages = { watch = 10, refuse = 100 }
"""


async def test_points_are_seen_and_forgiven_with_their_lock(
    http: httpx.AsyncClient, replica: Replica
) -> None:
    assert (await put(http, BOOK)).status_code == 200
    spammed = replace(outcome(), penalties=(Penalty(SUBJECT, 150.0, "spam"),))
    async with replica.edge() as edge:
        await edge.report(spammed)
    (item,) = (await http.get(PATH)).json()["items"]
    assert (item["subject"], item["stage"]) == (SUBJECT, "refuse")
    assert 149 < item["points"] <= 150
    assert (await http.get(PATH, params={"stage": "watch"})).json()["total"] == 0
    assert (await http.get(f"{PATH}/{SUBJECT}")).json()["stage"] == "refuse"
    await eventually(lambda: replica.app.farm.locks.get(SUBJECT))
    gone = await http.delete(f"{PATH}/{SUBJECT}", params={"reason": "his machine is clean"})
    assert gone.status_code == 204
    assert replica.app.farm.locks.get(SUBJECT) is None
    assert (await http.get(f"{PATH}/{SUBJECT}")).status_code == 404
    assert (await http.delete(f"{PATH}/{SUBJECT}")).status_code == 404
    audit = (await http.get("/api/v1/audit")).json()["items"]
    assert [each["area"] for each in audit[:2]] == [Area.LOCK, Area.PENALTY]
    assert {each["reason"] for each in audit[:2]} == {"his machine is clean"}


async def test_a_lock_by_hand_stays_when_points_are_forgiven(
    http: httpx.AsyncClient, replica: Replica
) -> None:
    assert (await put(http, BOOK)).status_code == 200
    await http.post("/api/v1/locks", json={"subject": SUBJECT, "reason": "abuse desk"})
    async with replica.edge() as edge:
        await edge.report(replace(outcome(), penalties=(Penalty(SUBJECT, 15.0, "spam"),)))
    assert (await http.delete(f"{PATH}/{SUBJECT}")).status_code == 204
    assert (await http.get(f"/api/v1/locks/{SUBJECT}")).json()["reason"] == "abuse desk"
