"""One account's flood: thousands of purchases at once, and many jobs.

Order within a partition means that a purchase waits for those before it on its partition, whoever they are from. Client
quotas of Kafka users keep backlogs short (docs/fair-shares.md); here there are none.
"""

import os
from uuid import uuid4

import pytest
from harness.outside_records import ATTACKER, numbers, purchase, record

from attacks.target import Target

LONG = bool(os.environ.get("DIDFLOW_FAULT_MINUTES"))
PURCHASES = 20_000 if LONG else 2_000
JOBS = 200 if LONG else 60
pytestmark = pytest.mark.faults
NUMBERS = numbers("+12128", partition=None)
DECIDED = "SELECT count(*) FROM terms WHERE number = ANY($1)"
ACTIVE = "SELECT count(*) FROM dids WHERE number = ANY($1) AND status = 'active'"
FINISHED = "SELECT count(*) FROM jobs WHERE state = 'done' AND job_id::text = ANY($1)"


async def test_a_flood_of_purchases_of_one_account_loses_nobody_anything(target: Target) -> None:
    """All become active. The bystanders wait no longer than the flood lasts, and none of them is lost."""
    bought = [purchase(next(NUMBERS)) for _ in range(PURCHASES)]
    flood = [record("did.purchased", data) for data in bought]
    async with target.beside_bystanders(f"{PURCHASES} purchases of one account", may_wait=True):
        places = await target.publish(flood)
        for of_service in (await target.fates(places, within=PURCHASES / 10)).values():
            assert of_service == {"decided": PURCHASES}, of_service
        held = [data["number"] for data in bought]
        await target.becomes("billing", DECIDED, held, expected=PURCHASES)
        await target.becomes("inventory", ACTIVE, held, expected=PURCHASES, within=PURCHASES / 10)


async def test_many_small_jobs_of_one_account_slow_nobody_down(target: Target) -> None:
    """All jobs are done."""
    async with target.beside_bystanders(f"{JOBS} jobs of one account"):
        trunks = [await trunk(target, f"trunk {n} {uuid4()}") for n in range(2)]
        jobs = []
        for n in range(JOBS):
            path = f"/v1/voice-trunks/{trunks[n % 2]}/replace"
            body = {"by": trunks[(n + 1) % 2]}
            answer = await target.call("provisioning", "POST", path, body, key=str(uuid4()))
            assert answer.status_code == 202, answer.text
            jobs.append(answer.json()["job_id"])
        await target.becomes("provisioning", FINISHED, jobs, expected=JOBS)


async def trunk(target: Target, name: str) -> str:
    """Create a voice trunk of the attacker."""
    body = {"account": ATTACKER, "name": name, "sip": {"uri": "sip:attack.example.com"}}
    answer = await target.call("provisioning", "POST", "/v1/voice-trunks", body, key=str(uuid4()))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["voice_trunk_id"])
