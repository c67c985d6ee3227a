"""Jobs side by side, each lane in its order."""

import asyncio

from didflow_adapters.kit.lanes import Lanes


async def test_jobs_of_a_lane_run_one_after_another_and_lanes_side_by_side() -> None:
    """The second job of a lane starts when the first has ended; another lane does not wait for it."""
    lanes, log, gate = Lanes(10), [], asyncio.Event()

    async def slow() -> None:
        await gate.wait()
        log.append("slow")

    def job(name: str) -> object:
        async def run() -> None:
            log.append(name)

        return run

    lanes.start("a", slow)
    lanes.start("a", job("after"))  # type: ignore[arg-type]
    other = lanes.start("b", job("beside"))  # type: ignore[arg-type]
    await other
    assert log == ["beside"]
    gate.set()
    await lanes.drain(5)
    assert log == ["beside", "slow", "after"]
    assert lanes.busy == 0


async def test_no_more_than_the_width_is_at_work() -> None:
    """Of ten lanes three run at once."""
    lanes, now, most = Lanes(3), 0, 0

    async def job() -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0)
        now -= 1

    for lane in range(10):
        lanes.start(str(lane), job)
    await lanes.drain(5)
    assert most == 3


async def test_a_job_that_raises_ends_alone() -> None:
    """The next of its lane runs all the same."""
    lanes, ran = Lanes(1), []

    async def broken() -> None:
        raise RuntimeError

    async def next_one() -> None:
        ran.append(True)

    lanes.start("a", broken)
    lanes.start("a", next_one)
    await lanes.drain(5)
    assert ran == [True]


async def test_draining_cuts_off_what_takes_too_long() -> None:
    """What is not done in time is cancelled, and what waits behind it with it."""
    lanes = Lanes(2)

    async def endless() -> None:
        await asyncio.Event().wait()

    first, second = lanes.start("a", endless), lanes.start("a", endless)
    await lanes.drain(0.01)
    assert first.cancelled()
    assert second.cancelled()
    assert lanes.busy == 0
