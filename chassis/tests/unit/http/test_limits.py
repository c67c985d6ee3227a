"""Each caller has its own rate limit. A refused request was never processed."""

from typing import Any

import pytest

from didflow_chassis.http.limits import PRUNE_AT, Buckets, Rate


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
    assert answer.headers["ratelimit-policy"] == '"caller";q=200;w=4'
    assert answer.headers["ratelimit"].startswith('"caller";r=199')
