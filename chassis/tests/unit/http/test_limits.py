"""Each caller has its own rate limit. A refused request was never processed."""

from typing import Any

import pytest

from didflow_chassis.http import Problem
from didflow_chassis.http.limits import ACCOUNT_FACTOR, MOST_BUCKETS, PRUNE_AT, Buckets, Limits, Rate


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_then_the_rate() -> None:
    """200 requests are allowed at once, then 50 in each second."""
    clock = Clock()
    buckets = Buckets(Rate(), clock)
    assert sum(not buckets.take("a").refused for _ in range(300)) == 200
    clock.now = 1.0
    assert sum(not buckets.take("a").refused for _ in range(300)) == 50


def test_callers_do_not_share_a_limit() -> None:
    """A fast caller does not slow another one down."""
    buckets = Buckets(Rate(per_second=1, burst=1), Clock())
    assert not buckets.take("a").refused
    assert buckets.take("a").refused
    assert not buckets.take("b").refused


def test_a_caller_that_waits_as_told_is_accepted() -> None:
    """The returned wait is long enough."""
    clock = Clock()
    buckets = Buckets(Rate(per_second=3, burst=2), clock)
    buckets.take("a"), buckets.take("a")
    refused = buckets.take("a")
    assert refused.refused
    clock.now += refused.wait
    assert not buckets.take("a").refused


def test_remaining_counts_down() -> None:
    """A caller sees how many requests are left."""
    buckets = Buckets(Rate(per_second=1, burst=3), Clock())
    assert [buckets.take("a").remaining for _ in range(4)] == [2, 1, 0, 0]


def test_full_buckets_are_forgotten() -> None:
    """Only callers of the last seconds are in memory."""
    clock = Clock()
    buckets = Buckets(Rate(), clock)
    for i in range(3 * PRUNE_AT):
        clock.now += 1
        buckets.take(i)
    assert len(buckets._full_at) < PRUNE_AT + 1


async def test_a_request_over_the_limit_is_never_processed(world: Any) -> None:
    """None of 1,000 calls over the limit has an effect (H8), and each answer has a Retry-After header."""
    client = world.serve(rate=Rate(per_second=0.001, burst=5))
    answers = [await client.delete("/v1/things/1") for _ in range(1_005)]
    refused = [a for a in answers if a.status_code == 429]
    assert len(refused) == 1_000
    assert len(world.stage.calls) == 5
    assert refused[0].json()["code"] == "rate_exceeded"
    assert int(refused[0].headers["retry-after"]) >= 1


@pytest.mark.parametrize("path", ["/v1/nowhere", "/v1/secret", "/v1/things"])
async def test_answers_have_rate_limit_headers(world: Any, path: str) -> None:
    """Every answer to a known caller has them, error answers too."""
    answer = await world.serve(rate=Rate()).get(path)
    assert answer.headers["ratelimit-policy"] == '"caller";q=200;w=4, "account";q=800;w=4'
    assert answer.headers["ratelimit"].startswith('"caller";r=199;t=1, "account";r=799')


def test_the_fullest_buckets_are_forgotten_when_there_are_too_many() -> None:
    """Memory is bounded, whatever the number of keys. Whoever sent most is still known."""
    buckets = Buckets(Rate(per_second=0.001, burst=5), Clock())
    for _ in range(5):
        buckets.take("noisy")
    for i in range(2 * MOST_BUCKETS):
        buckets.take(i)
    assert len(buckets._full_at) <= MOST_BUCKETS
    assert buckets.look("noisy").refused


def accepted(limits: Limits, account: str, subject: str, calls: int) -> int:
    """Return how many calls of a caller are accepted."""
    count = 0
    for _ in range(calls):
        try:
            limits.take(account, subject, {})
        except Problem:
            continue
        count += 1
    return count


def test_fifty_subjects_of_one_account_leave_another_account_alone() -> None:
    """However many subjects an account has, its calls have one limit, and another account has all of its own."""
    clock = Clock()
    limits = Limits(Rate(), clock=clock)
    noisy = sum(accepted(limits, "master/noisy", f"subject-{n}", 200) for n in range(50))
    assert noisy == 200 * ACCOUNT_FACTOR
    assert accepted(limits, "master/quiet", "ann", 300) == 200
    clock.now = 1.0
    assert sum(accepted(limits, "master/noisy", f"subject-{n}", 50) for n in range(50)) == 50 * ACCOUNT_FACTOR
    assert accepted(limits, "master/quiet", "ann", 300) == 50


def test_what_an_account_refuses_takes_nothing_from_its_callers() -> None:
    """After the account has waited, each of its callers has all that it had."""
    clock = Clock()
    limits = Limits(Rate(per_second=1, burst=2), clock=clock)
    assert [accepted(limits, "master", subject, 2) for subject in "abcde"] == [2, 2, 2, 2, 0]
    clock.now = 1.0
    assert accepted(limits, "master", "e", 3) == 2


@pytest.mark.parametrize(
    ("subjects", "refusing"), [(["ann"], "caller"), (["ann", "bob", "eve", "joe", "zoe"], "account")]
)
async def test_the_headers_show_both_limits_and_when_to_try_again(
    world: Any, subjects: list[str], refusing: str
) -> None:
    """`RateLimit` lists what is left of each limit, and `Retry-After` is that of the limit that refused."""
    client = world.serve(rate=Rate(per_second=0.25, burst=2))
    answers = [
        await client.get("/v1/me", headers=world.bearer(sub=subject))
        for subject in subjects
        for _ in range(3)
    ]
    last = answers[-1]
    assert last.status_code == 429
    left = dict(item.split(";t=")[0].split(";r=") for item in last.headers["ratelimit"].split(", "))
    assert left['"caller"'] == ("0" if refusing == "caller" else "2")
    assert int(last.headers["retry-after"]) == (4 if refusing == "caller" else 1)
