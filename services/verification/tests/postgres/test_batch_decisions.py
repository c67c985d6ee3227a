"""Reviewers claim, release, approve and reject up to 1,000 verifications in one call, verification by verification."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from harness.statements import statements_of

from didflow_verification.domain.axes.verification import verification_id

HOUR = timedelta(hours=1)
REASONS = [{"code": "mismatch", "field": "identity.company_name"}]
PATH = "/v1/verifications/batch"


async def pending(running: Any, build: Any, identity: Any, count: int) -> list[str]:
    """Return the ids of so many verifications of numbers with the same details."""
    made = []
    for n in range(count):
        one = type(build)()
        one.did, one.number = uuid4(), f"+3531960{n:04}"
        made.append(one)
    await running.receive(*(one.purchased() for one in made))
    await running.receive(*(one.assigned(identity, identity, one.zero + HOUR) for one in made))
    return [str(verification_id(one.did, 1)) for one in made]


def codes(answer: Any) -> list[str]:
    """Return the code of each result, or its outcome."""
    assert answer.status_code == 200, answer.text
    return [result["code"] or result["outcome"] for result in answer.json()["results"]]


async def test_each_verification_of_a_batch_has_its_own_result(
    running: Any, build: Any, rita: Any, bakery: Any
) -> None:
    """Claimed by a colleague, submitted by the reviewer, decided, superseded, unknown, or no id: only these fail."""
    ids = await pending(running, build, bakery, 5)
    claimed, own, decided, good, _ = ids
    async with running.as_caller("rob", "master", "reviewer") as rob:
        await rob.post(f"/v1/verifications/{claimed}/claim")
    await running.fetch("UPDATE verifications SET submitted_by = 'user:rita' WHERE verification_id = $1", own)
    await rita.post(f"/v1/verifications/{decided}/reject", json={"reasons": REASONS})
    named = [claimed, good, own, decided, "nonsense", str(uuid4()), good.upper()]
    answer = await rita.post(f"{PATH}/approve", json={"verifications": named})
    assert codes(answer) == [
        "claimed",
        "done",
        "own_submission",
        "already_decided",
        "not_found",
        "not_found",
        "unchanged",
    ]
    assert [result["verification"] for result in answer.json()["results"]] == named
    counts = {name: answer.json()[name] for name in ("done", "unchanged", "refused")}
    assert counts == {"done": 1, "unchanged": 1, "refused": 5}


async def test_a_batch_is_claimed_released_and_rejected(
    running: Any, build: Any, rita: Any, bakery: Any
) -> None:
    """A colleague gets `claimed` for each. The rejection has its reasons, and only names what it rejects."""
    ids = await pending(running, build, bakery, 4)
    named = {"verifications": ids[:3]}
    assert codes(await rita.post(f"{PATH}/claim", json=named)) == ["done"] * 3
    async with running.as_caller("rob", "master", "reviewer") as rob:
        assert codes(await rob.post(f"{PATH}/claim", json={"verifications": ids})) == [
            *["claimed"] * 3,
            "done",
        ]
        assert codes(await rob.post(f"{PATH}/release", json=named)) == ["claimed"] * 3
        assert codes(await rob.post(f"{PATH}/release", json={"verifications": ids[3:]})) == ["done"]
    assert codes(await rita.post(f"{PATH}/release", json=named)) == ["done"] * 3
    assert codes(await rita.post(f"{PATH}/release", json=named)) == ["unchanged"] * 3
    assert codes(await rita.post(f"{PATH}/reject", json=named | {"reasons": REASONS})) == ["done"] * 3
    events = [event for event in await running.outbox() if event["topic"] == "verification.rejected"]
    assert [event["data"]["reasons"][0]["code"] for event in events] == ["mismatch"] * 3
    assert await running.count("verifications", "status = 'pending'") == 1
    assert await running.count("jobs") == 0


@pytest.mark.parametrize(
    ("action", "body", "code", "field"),
    [
        ("approve", {"verifications": []}, "too_few", "verifications"),
        ("approve", {"verifications": ["x"] * 1_001}, "too_many", "verifications"),
        ("reject", {"verifications": ["x"], "reasons": []}, "input_invalid", "reasons"),
        ("reject", {"verifications": ["x"]}, "input_invalid", "reasons"),
        ("claim", {"verifications": ["x"], "reasons": REASONS}, "unknown_field", "reasons"),
        ("release", {"dids": ["x"]}, "unknown_field", "dids"),
    ],
)
async def test_a_wrong_batch_is_refused_as_a_whole(
    rita: Any, *, action: str, body: Any, code: str, field: str
) -> None:
    """With the code of the convention, and its field."""
    answer = await rita.post(f"{PATH}/{action}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["errors"][0]["field"] == field


@pytest.mark.parametrize(
    ("account", "role", "result"),
    [
        ("master/acme", "reviewer", "done"),
        ("master/globex", "reviewer", "not_found"),
        ("master/acme", "reseller", 403),
        ("elsewhere", "operator", 403),
    ],
)
async def test_role_and_reach_decide_who_decides_a_batch(
    running: Any, build: Any, bakery: Any, *, account: str, role: str, result: Any
) -> None:
    """Foreign verifications are not found, like unknown ones."""
    named = {"verifications": await pending(running, build, bakery, 1)}
    async with running.as_caller("rob", account, role) as rob:
        answer = await rob.post(f"{PATH}/approve", json=named)
    assert (answer.status_code if answer.status_code != 200 else codes(answer)[0]) == result


async def test_a_batch_with_the_same_idempotency_key_is_decided_once(
    running: Any, build: Any, rita: Any, bakery: Any
) -> None:
    """The first answer comes again."""
    named = {"verifications": await pending(running, build, bakery, 2)}
    first, again = [
        await rita.post(f"{PATH}/approve", json=named, headers={"Idempotency-Key": "k"}) for _ in range(2)
    ]
    assert (codes(first), again.content) == (["done"] * 2, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"


async def test_the_statements_of_a_batch_do_not_grow_and_a_batch_that_covers_itself_starts_one_job(
    running: Any, build: Any, rita: Any, bakery: Any
) -> None:
    """10 or 990 verifications with the same details: each table is read and written by one statement."""
    ids = await pending(running, build, bakery, 1_000)
    for action in ("claim", "approve"):
        counts = []
        for part in (ids[:10], ids[10:]):
            async with statements_of(running.database) as statements:
                answer = await rita.post(f"{PATH}/{action}", json={"verifications": part})
            counts.append(len(statements))
            assert codes(answer) == ["done"] * len(part)
        assert counts[0] - 1 <= counts[1] <= counts[0] <= 20, (action, counts)
    assert await running.count("jobs") == 2, "one for each call"
    await running.run_jobs()
    assert await running.count("registrations", "state = 'approved'") == 1_000
    assert await running.count("verifications", "automatic") == 0


async def test_a_thousand_verifications_with_a_thousand_different_details_are_approved_in_one_call(
    running: Any, build: Any, rita: Any, bakery: Any
) -> None:
    """Each has an approval of its own, with its lock. No job is started."""
    ids = await pending(running, build, bakery, 1_000)
    await running.fetch("UPDATE verifications SET account = account || '/' || right(number, 4)")
    answer = await rita.post(f"{PATH}/approve", json={"verifications": ids})
    assert answer.json().get("done") == 1_000, answer.text[:500]
    assert (await running.count("approvals"), await running.count("jobs")) == (1_000, 0)
