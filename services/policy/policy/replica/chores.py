"""What a replica does from time to time: copies on disk, edges' contacts, what has expired."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from policy.core.farm import Farm
from policy.ports import PolicyStore
from policy.replica.contacts import EdgeContacts
from policy.replica.disk_copy import DiskCopy
from policy.replica.keeper import FarmKeeper
from policy.replica.presence import StorePresence
from service_kit.clock import Clock
from service_kit.failures import Unavailable

COPY_EVERY_S: Final = 2.0
IDENTITIES_EVERY_S: Final = 60.0
"""Networks named in the last minute are said again: RADIUS has interim updates, DHCP renewals."""
CONTACTS_EVERY_S: Final = 2.0
EXPIRY_EVERY_S: Final = 10.0


async def keep_copy(copy: DiskCopy, keeper: FarmKeeper, farm: Farm, clock: Clock) -> None:
    """Writes the farm down after it changed, at most every COPY_EVERY_S. For ever."""
    while True:
        await keeper.changed.wait()
        await write_copy(copy, keeper, farm, clock)
        await asyncio.sleep(COPY_EVERY_S)


async def write_copy(copy: DiskCopy, keeper: FarmKeeper, farm: Farm, clock: Clock) -> None:
    """Once, if something changed; what was never loaded is never written."""
    if not keeper.changed.is_set() or farm.stored is None:
        return
    keeper.changed.clear()
    if not await asyncio.to_thread(copy.write, farm.picture(clock.unix_ms())):
        keeper.changed.set()


async def keep_identities(copy: DiskCopy, farm: Farm, clock: Clock) -> None:
    """Writes the identity table down if it changed, every IDENTITIES_EVERY_S. For ever.

    A cancellation writes it once more.
    """
    known = 0
    try:
        while True:
            await asyncio.sleep(IDENTITIES_EVERY_S)
            known = await _write_identities(copy, farm, clock, known)
    finally:
        await _write_identities(copy, farm, clock, known)


async def _write_identities(copy: DiskCopy, farm: Farm, clock: Clock, known: int) -> int:
    changes = farm.identities.changes
    if changes == known:
        return known
    entries = farm.identities.in_force(clock.unix_ms())
    return changes if await asyncio.to_thread(copy.write_identities, entries) else known


async def tell_contacts(
    store: PolicyStore,
    contacts: EdgeContacts,
    watching: Callable[[], Iterable[str]],
    presence: StorePresence,
) -> None:
    """Hands over which edges were heard of; one that watches is, every time. For ever."""
    while True:
        await asyncio.sleep(CONTACTS_EVERY_S)
        for edge_id in watching():
            contacts.heard_of(edge_id)
        if not presence.away:
            try:
                await store.edges_seen(contacts.take())
            except Unavailable as error:
                presence.lost(error)


async def forget_expired(
    store: PolicyStore, farm: Farm, presence: StorePresence, clock: Clock
) -> None:
    """Locks and identities that no longer hold leave memory and store. For ever."""
    while True:
        await asyncio.sleep(EXPIRY_EVERY_S)
        farm.forget_expired(clock.unix_ms())
        if not presence.away:
            try:
                await store.forget_expired()
            except Unavailable as error:
                presence.lost(error)
