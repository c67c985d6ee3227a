"""A flood: 1,000 numbers with the same new details in one batch are one decision of a reviewer."""

import time
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import uuid4

from harness.statements import statements_of

MANY = 1_000
HOUR = timedelta(hours=1)


async def test_a_thousand_numbers_with_the_same_new_details_are_approved_by_one_decision(
    running: Any, build: Any, rita: Any, bakery: Any, record_property: Any
) -> None:
    """The reviewer decides the first one. Ten chunks of a job approve the others, each with one event."""
    numbers = []
    for n in range(MANY):
        one = type(build)()
        one.did, one.number = uuid4(), f"+3531960{n:04}"
        numbers.append(one)
    await running.receive(*(one.purchased() for one in numbers))
    await running.receive(*(one.assigned(bakery, bakery, one.zero + HOUR) for one in numbers))
    await running.fetch("DELETE FROM outbox")
    (group,) = (await rita.get("/v1/verifications?group_by=details")).json()["items"]
    assert group["count"] == MANY
    began = time.perf_counter()
    async with statements_of(running.database) as deciding:
        answer = await rita.post(f"/v1/verifications/{group['first']}/approve")
    decided_s, deciding_count = time.perf_counter() - began, len(deciding)
    assert answer.json()["status"] == "approved"
    chunks = []
    while await running.count("jobs", "state <> 'done'"):
        async with statements_of(running.database) as statements:
            await running.run_job_chunk()
            chunks.append(len(statements))
    took = time.perf_counter() - began
    assert await running.count("registrations", "state = 'approved' AND NOT open") == MANY
    assert await running.count("verifications", f"automatic AND rests_on = '{group['first']}'") == MANY - 1
    events = await running.outbox()
    assert Counter(event["topic"] for event in events) == {"verification.approved": MANY}
    assert {event["data"]["did_id"] for event in events} == {str(one.did) for one in numbers}
    assert Counter(event["data"]["automatic"] for event in events) == {True: MANY - 1, False: 1}
    assert (await rita.get("/v1/verifications")).json()["items"] == []
    assert len(chunks) == 10
    assert deciding_count <= 20
    assert max(chunks) <= 25, chunks
    figures = {
        "events": len(events),
        "statements": deciding_count + sum(chunks),
        "of the decision": deciding_count,
        "of each chunk": chunks,
        "seconds of the decision": round(decided_s, 3),
        "seconds": round(took, 3),
    }
    record_property("1,000 numbers", str(figures))
    print(figures)  # noqa: T201 - shown by `pytest -s`
