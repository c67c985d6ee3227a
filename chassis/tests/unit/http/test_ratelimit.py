"""Each caller has its own bucket; what it refuses was never processed."""

from typing import Any

import pytest

from didflow_chassis.http.limits import PRUNE_AT, Buckets, Rate


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_then_the_rate() -> None:
    """200 at once, then 50 each second."""
    clock = Clock()
    buckets = Buckets(Rate(), clock)
    assert sum(not buckets.take("a").refused for _ in range(300)) == 200
    clock.now = 1.0
    assert sum(not buckets.take("a").refused for _ in range(300)) == 50


def test_callers_do_not_share() -> None:
    """One caller's haste is not another's."""
    buckets = Buckets(Rate(per_second=1, burst=1), Clock())
    assert not buckets.take("a").refused
    assert buckets.take("a").refused
    assert not buckets.take("b").refused


def test_the_wait_that_is_told_suffices() -> None:
    """A caller that waits as told is let in."""
    clock = Clock()
    buckets = Buckets(Rate(per_second=3, burst=2), clock)
    buckets.take("a"), buckets.take("a")
    refused = buckets.take("a")
    assert refused.refused
    clock.now += refused.wait
    assert not buckets.take("a").refused


def test_remaining_counts_down() -> None:
    """Callers see how many requests are left."""
    buckets = Buckets(Rate(per_second=1, burst=3), Clock())
    assert [buckets.take("a").remaining for _ in range(4)] == [2, 1, 0, 0]


def test_full_buckets_are_forgotten() -> None:
    """Memory holds only callers of the last seconds."""
    clock = Clock()
    buckets = Buckets(Rate(), clock)
    for i in range(3 * PRUNE_AT):
        clock.now += 1
        buckets.take(i)
    assert len(buckets._full_at) < PRUNE_AT + 1


async def test_a_429_was_never_processed(world: Any) -> None:
    """Among 1,000 calls beyond the limit not one has an effect (H8), and each says when to come again."""
    client = world.serve(rate=Rate(per_second=0.001, burst=5))
    answers = [await client.delete("/v1/things/1") for _ in range(1_005)]
    refused = [a for a in answers if a.status_code == 429]
    assert len(refused) == 1_000
    assert len(world.stage.calls) == 5
    assert refused[0].json()["code"] == "rate_exceeded"
    assert int(refused[0].headers["retry-after"]) >= 1


@pytest.mark.parametrize("path", ["/v1/nowhere", "/v1/secret", "/v1/things"])
async def test_answers_tell_what_is_left(world: Any, path: str) -> None:
    """RateLimit headers are on every answer to a known caller, errors included."""
    answer = await world.serve(rate=Rate()).get(path)
    assert answer.headers["ratelimit-policy"] == '"caller";q=200;w=4'
    assert answer.headers["ratelimit"].startswith('"caller";r=199')
