"""Messages that wait for a DID that never comes. They are bounded, and they slow down nobody."""

import asyncio
import os
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import uuid4

import pytest
from harness.outside_records import ATTACKER, numbers, record

from attacks.target import Place, Target
from didflow_chassis.records import Record

LONG = bool(os.environ.get("DIDFLOW_FAULT_MINUTES"))
LARGE = 1_000 if LONG else 60
SMALL = 25_000 if LONG else 3_000
LARGE_BYTES = 900_000
LARGE_S = 60.0 + 5 * LARGE
"""A service reads one or two large records of a partition at once, so that reading all takes a while."""
PER_ENTITY = 1_000
PER_ENTITY_BYTES = 5_000_000
PER_ACCOUNT = 20_000
"""Source: spec events, Parked."""
pytestmark = pytest.mark.faults
NUMBERS = numbers("+12123")


def assigned(number: str, did_id: str, **more: Any) -> Record:
    """Return an assignment of end-user details. Verification and inventory let it wait until the DID is known."""
    data = {
        "did_id": did_id,
        "number": number,
        "account": ATTACKER,
        "identity_id": str(uuid4()),
        "address_id": None,
        "document_ids": [],
        **more,
    }
    return record("enduser.assigned", data, source="/portals/acme")


def unknown(count: int) -> Iterator[Record]:
    """Yield one assignment for each of many unknown DIDs."""
    for _ in range(count):
        yield assigned(next(NUMBERS), str(uuid4()))


async def test_large_messages_for_an_unknown_did_slow_nobody_down(target: Target) -> None:
    """They wait up to the bytes of an entity, the others are dead letters, and later messages of the DID are quick."""
    number, did_id = next(NUMBERS), str(uuid4())
    async with target.beside_bystanders(f"{LARGE} messages of 900 kB for an unknown DID"):
        padded = {"padding": "x" * LARGE_BYTES}
        places = []
        for _ in range(LARGE // 10):
            places += await target.publish([assigned(number, did_id, **padded) for _ in range(10)])
        few = [place for _ in range(20) for place in await target.publish([assigned(number, did_id)])]
        for of_service in (await target.fates(places, within=LARGE_S)).values():
            waiting = of_service.pop("parked early")
            assert of_service == {"dead parked_full": LARGE - waiting}, of_service
            assert 0 < waiting * LARGE_BYTES <= PER_ENTITY_BYTES
        await target.fates(few)


async def test_thousands_of_messages_for_one_unknown_did_slow_nobody_down(target: Target) -> None:
    """They wait up to the count of an entity, and the others are dead letters."""
    number, did_id = next(NUMBERS), str(uuid4())
    async with target.beside_bystanders(f"{SMALL} messages for one unknown DID"):
        places = await steadily(target, [assigned(number, did_id) for _ in range(SMALL)])
        for of_service in (await target.fates(places)).values():
            assert of_service == {"parked early": PER_ENTITY, "dead parked_full": SMALL - PER_ENTITY}


async def test_thousands_of_messages_for_unknown_dids_of_one_account_slow_nobody_down(target: Target) -> None:
    """They wait up to the count of an account, and the others are dead letters."""
    async with target.beside_bystanders(f"messages for {SMALL} unknown DIDs"):
        places = await steadily(target, list(unknown(SMALL)))
        for name, of_service in (await target.fates(places)).items():
            assert set(of_service) <= {"parked early", "dead parked_full"}, of_service
            parked = await target.databases[name].fetchval(
                "SELECT count(*) FROM parked WHERE reason = 'early'"
            )
            assert of_service["parked early"] <= parked <= PER_ACCOUNT


async def steadily(target: Target, records: Sequence[Record]) -> list[Place]:
    """Publish a thousand records a second, so that the bystanders wait behind what waits and not behind a backlog."""
    places = []
    for first in range(0, len(records), 100):
        places += await target.publish(records[first : first + 100])
        await asyncio.sleep(0.1)
    return places
