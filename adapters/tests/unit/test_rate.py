"""The rate of a carrier holds in every second as the carrier counts it, over all processes and rebalances.

Time is virtual, so the tests are exact and take no time.
"""

import asyncio
import random
from collections import deque
from collections.abc import Sequence

import pytest
from harness.limited_calls import starts
from harness.virtual_time import run_virtually

from didflow_adapters.kit.call_limits import HEADROOM_S, CallLimits, before_request

PARTITIONS = 12


class Counting:
    """A carrier that notes when each request arrives: at any instant between its start and its reply."""

    def __init__(self, seed: int, longest_s: float) -> None:
        self._random = random.Random(seed)
        self._longest_s = longest_s
        self.arrived: list[float] = []

    async def request(self) -> None:
        """Send a request and wait for its reply. It arrives within the headroom."""
        loop = asyncio.get_running_loop()
        latency = self._random.choice((0.001, self._random.uniform(0, self._longest_s)))
        travel = self._random.choice((0.0, self._random.uniform(0, min(latency, HEADROOM_S))))
        loop.call_later(travel, lambda: self.arrived.append(loop.time()))
        await asyncio.sleep(latency)

    def most_in(self, seconds: float) -> int:
        """Return the most requests that arrived in any period of this length."""
        window, most = deque[float](), 0
        for at in sorted(self.arrived):
            window.append(at)
            while window[0] <= at - seconds + 1e-6:
                window.popleft()
            most = max(most, len(window))
        return most


async def work(limits: CallLimits, carrier: Counting, until: float, workers: int = 25) -> None:
    """Call the carrier as often as the limits allow."""

    async def one() -> None:
        while asyncio.get_running_loop().time() < until:
            async with limits.call():
                await carrier.request()

    tasks = [asyncio.create_task(one()) for _ in range(workers)]
    try:
        await asyncio.sleep(until - asyncio.get_running_loop().time())
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


ONE, TWO, FIVE, TWELVE = (12,), (6, 6), (3, 3, 2, 2, 2), (1,) * 12


@pytest.mark.parametrize(
    ("rate", "shares"),
    [
        (0.5, ONE),
        (2.5, ONE),
        (20, ONE),
        (2.5, TWO),
        (20, TWO),
        (40, TWO),
        (5, FIVE),
        (7, FIVE),
        (20, TWELVE),
    ],
)
def test_the_carrier_counts_no_more_than_its_rate_in_any_second(rate: float, shares: Sequence[int]) -> None:
    """Whatever the delays are. With a rate that is no whole number, a longer period holds a whole number."""
    whole = -int(-rate // 1)

    async def run() -> Counting:
        carrier = Counting(seed=int(rate * 10), longest_s=0.7)
        processes = [CallLimits(100, rate) for _ in shares]
        for limits, share in zip(processes, shares, strict=True):
            limits.set_part(share, PARTITIONS)
        await asyncio.gather(*(work(limits, carrier, until=30) for limits in processes))
        return carrier

    carrier: Counting = run_virtually(run())
    assert carrier.most_in(whole / rate) <= whole
    assert len(carrier.arrived) > 0.25 * 30 * rate


def test_a_carrier_that_replies_at_once_gets_nearly_its_whole_rate() -> None:
    """One process, replies after a millisecond: 20 in a second."""

    async def run() -> int:
        carrier = Counting(seed=1, longest_s=0.001)
        limits = CallLimits(100, 20)
        limits.set_part(12, PARTITIONS)
        await work(limits, carrier, until=61.5)
        return len(carrier.arrived)

    assert 0.97 * 20 * 60 <= run_virtually(run()) <= 20 * 60


@pytest.mark.parametrize("seed", range(8))
def test_the_rate_holds_while_processes_join_leave_and_die(seed: int) -> None:
    """Partitions move at random instants. Their former owners stop just before, or die in the middle of a call."""
    chosen = random.Random(seed)
    rate = chosen.choice((10, 20, 33))

    async def run() -> Counting:
        carrier = Counting(seed, longest_s=2.0)
        running: dict[CallLimits, asyncio.Task[None]] = {}
        for _ in range(15):
            for task in running.values():
                task.cancel()
            await asyncio.gather(*running.values(), return_exceptions=True)
            kept = [limits for limits in running if chosen.random() < 0.7]
            processes = kept + [CallLimits(100, rate) for _ in range(chosen.randint(0 if kept else 1, 2))]
            processes = processes[: chosen.randint(1, 5)]
            chosen.shuffle(processes)
            running = {}
            for position, limits in enumerate(processes):
                limits.set_part(len(range(position, PARTITIONS, len(processes))), PARTITIONS)
                running[limits] = asyncio.create_task(work(limits, carrier, until=1_000))
            await asyncio.sleep(chosen.choice((0.1, 1.0, 4.0)))
        for task in running.values():
            task.cancel()
        await asyncio.gather(*running.values(), return_exceptions=True)
        return carrier

    carrier: Counting = run_virtually(run())
    assert carrier.most_in(1) <= rate
    assert len(carrier.arrived) > rate


def test_each_request_of_a_call_counts() -> None:
    """A call that sends five requests takes five places of the rate."""

    async def run() -> Counting:
        carrier = Counting(seed=3, longest_s=0.1)
        limits = CallLimits(10, 10)
        limits.set_part(12, PARTITIONS)

        async def call() -> None:
            async with limits.call():
                for _ in range(5):
                    await before_request()
                    await carrier.request()

        await asyncio.gather(*(call() for _ in range(10)))
        return carrier

    carrier: Counting = run_virtually(run())
    assert (len(carrier.arrived), carrier.most_in(1)) == (50, 10)


def test_a_request_that_was_given_up_may_still_arrive() -> None:
    """It counts for the headroom and a second, although its call ended early."""

    async def run() -> float:
        limits = CallLimits(10, 1)
        limits.set_part(12, PARTITIONS)
        await asyncio.sleep(60)
        began = asyncio.get_running_loop().time()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1), limits.call():
                await asyncio.sleep(60)
        return (await starts(limits, 1))[0] - began

    assert run_virtually(run()) == pytest.approx(1 + HEADROOM_S)


def test_requests_without_a_turn_do_not_wait() -> None:
    """A carrier's class that is used without the kit."""
    run_virtually(before_request())


def test_more_processes_than_calls_in_a_second_keep_the_average() -> None:
    """Twelve processes at five in a second: in a period, each begins one call at most."""

    async def run() -> Counting:
        carrier = Counting(seed=5, longest_s=0.1)
        processes = [CallLimits(100, 5) for _ in range(12)]
        for limits in processes:
            limits.set_part(1, PARTITIONS)
        await asyncio.gather(*(work(limits, carrier, until=100, workers=3) for limits in processes))
        return carrier

    carrier: Counting = run_virtually(run())
    assert len(carrier.arrived) <= 5 * 100
    assert carrier.most_in(1) <= 12


def test_calls_begin_at_equal_intervals() -> None:
    """No burst, also after a time without calls. A process has the part of the rate that its partitions are."""

    async def run() -> None:
        limits = CallLimits(20, 100)
        limits.set_part(3, PARTITIONS)
        await asyncio.sleep(60)
        began = await starts(limits, 25)
        assert began == pytest.approx([60 + n / 25 for n in range(25)])

    run_virtually(run())


def test_a_process_waits_until_the_requests_of_the_former_owner_count_no_more() -> None:
    """It begins a second and the headroom after it got its first partitions. It gives partitions up at once."""

    async def run() -> None:
        limits = CallLimits(20, 100)
        limits.set_part(12, PARTITIONS)
        assert (await starts(limits, 1))[0] == pytest.approx(1 + HEADROOM_S)
        limits.set_part(3, PARTITIONS)
        began = await starts(limits, 3)
        assert began[2] - began[1] == pytest.approx(1 / 25)
        limits.set_part(6, PARTITIONS)
        began = await starts(limits, 3)
        assert began[2] - began[1] == pytest.approx(1 / 25)
        await asyncio.sleep(1 + HEADROOM_S)
        began = await starts(limits, 3)
        assert began[2] - began[1] == pytest.approx(1 / 50)

    run_virtually(run())
