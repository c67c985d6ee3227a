"""A revocation or a catalogue load misses no DID that is decided at the same time."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

from didflow_chassis.stage import Answer, HttpCall, IdempotencyKey
from didflow_contracts.ids import uuid7
from didflow_verification.catalogue.load_plan import OPERATOR, current_rules
from didflow_verification.domain.commands import LoadRules
from didflow_verification.service import service
from didflow_verification.settings import VerificationSettings

SERVICE = service(VerificationSettings.placeholder())

MANY = 40
HOUR = timedelta(hours=1)


async def others(running: Any, build: Any) -> list[Any]:
    """Return the messages of more numbers of the area, which are purchased."""
    made = []
    for n in range(MANY):
        one = type(build)()
        one.did, one.number = uuid4(), f"+3531960{n:04}"
        made.append(one)
    await running.receive(*(one.purchased() for one in made))
    return made


async def test_no_number_rests_on_a_review_that_is_revoked_at_the_same_time(
    running: Any, build: Any, rita: Any, bakery: Any, pending_id: str
) -> None:
    """Forty assignments and the revocation run at the same time. No number stays approved."""
    await rita.post(f"/v1/verifications/{pending_id}/approve")
    numbers = await others(running, build)
    assigned = [running.receive(one.assigned(bakery, bakery, build.zero + HOUR)) for one in numbers]
    revoked = rita.post(f"/v1/verifications/{pending_id}/revoke", json={})
    *_, answer = await asyncio.gather(*assigned[: MANY // 2], *assigned[MANY // 2 :], revoked)
    assert answer.json()["status"] == "revoked"
    await running.run_jobs()
    assert await running.count("registrations", "state = 'approved'") == 0
    ended = await running.count("registrations", "state = 'expired'")
    waiting = await running.count("registrations", "state = 'pending'")
    assert ended + waiting == MANY + 1


async def test_a_number_approved_during_a_catalogue_load_is_warned(
    running: Any, build: Any, rita: Any, bakery: Any, pending_id: str
) -> None:
    """Forty approvals and the load of a version with `reverify` run at the same time. Each number is warned once."""
    await rita.post(f"/v1/verifications/{pending_id}/approve")
    numbers = await others(running, build)
    ireland = (await current_rules(running.database))["IE"]
    row, tomorrow = ireland.requirements[0], (build.zero + timedelta(days=1)).date()
    later = replace(row, version=2, effective_from=tomorrow, reverify=True, grace_until=tomorrow)
    command = LoadRules(
        entity_id="IE",
        subject="",
        caller=OPERATOR,
        change_id=uuid7(),
        rules=replace(ireland, requirements=(row, later)),
    )
    key = IdempotencyKey(account="", subject="", route="catalogue", value=None, digest=b"")
    load = running.stage.command(
        [command], HttpCall(key=key, actor="a", answer=lambda _: Answer(status=200, body=b""))
    )
    assigned = [running.receive(one.assigned(bakery, bakery, build.zero + HOUR)) for one in numbers]
    await asyncio.gather(*assigned[: MANY // 2], load, *assigned[MANY // 2 :])
    await running.run_jobs()
    await running.run_due_timers()
    assert await running.count("registrations", "state = 'approved'") == MANY + 1
    warned = [
        event["subject"] for event in await running.outbox() if event["topic"] == "verification.expiring"
    ]
    assert len(warned) == len(set(warned)) == MANY + 1
