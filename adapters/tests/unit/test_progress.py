"""The order of commands, and the offsets that can be committed."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import permutations

from structlog.testing import capture_logs

from didflow_adapters.kit.progress import NumberQueues, PendingOffsets


async def test_jobs_of_one_number_run_in_order_and_numbers_run_concurrently() -> None:
    """The second job of a number starts after the first one ended. Another number does not wait."""
    queues, log, gate = NumberQueues(), list[str](), asyncio.Event()

    async def slow() -> None:
        await gate.wait()
        log.append("slow")

    def job(name: str) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            log.append(name)

        return run

    queues.start("a", slow)
    queues.start("a", job("second"))
    await queues.start("b", job("other number"))
    assert log == ["other number"]
    gate.set()
    await queues.drain(5)
    assert log == ["other number", "slow", "second"]
    assert queues.busy == 0


async def test_the_next_job_runs_after_one_that_raised() -> None:
    """An exception ends its own job only, and is logged."""
    queues, finished = NumberQueues(), list[bool]()

    async def broken() -> None:
        raise RuntimeError

    async def following() -> None:
        finished.append(True)

    queues.start("a", broken)
    queues.start("a", following)
    with capture_logs() as lines:
        await queues.drain(5)
    assert finished == [True]
    assert [line["event"] for line in lines] == ["a job failed"]


async def test_a_job_does_not_overtake_a_running_one_when_those_in_between_are_canceled() -> None:
    """After a rebalance, a command is read again while its first call still runs. It waits for the end of that."""
    queues, log, gate = NumberQueues(), list[str](), asyncio.Event()

    async def slow() -> None:
        await gate.wait()
        log.append("slow")

    async def following() -> None:
        log.append("following")

    queues.start("a", slow)
    queued = [queues.start("a", following) for _ in range(2)]
    await asyncio.sleep(0)
    for task in queued:
        task.cancel()
    await asyncio.wait(queued)
    queues.start("a", following)
    await asyncio.sleep(0.01)
    assert log == []
    gate.set()
    await queues.drain(5)
    assert log == ["slow", "following"]
    assert queues.busy == 0


async def test_a_drain_cancels_jobs_that_take_too_long() -> None:
    """The jobs that are queued behind them are canceled, too."""
    queues = NumberQueues()

    async def endless() -> None:
        await asyncio.Event().wait()

    first, second = queues.start("a", endless), queues.start("a", endless)
    await queues.drain(0.01)
    assert first.cancelled()
    assert second.cancelled()
    assert queues.busy == 0


def pending_offsets() -> PendingOffsets[str]:
    """Return offsets with the partition `p` open."""
    offsets: PendingOffsets[str] = PendingOffsets()
    offsets.open(["p"])
    return offsets


def test_nothing_is_committed_past_a_record_without_a_result() -> None:
    """In whatever order six records finish, the offset stays before the first unfinished one. All orders are tried."""
    for order in permutations(range(6)):
        finish_in(order)


def finish_in(order: Sequence[int]) -> None:
    offsets = pending_offsets()
    records = [offsets.add("p", 100 + n) for n in range(6)]
    finished: set[int] = set()
    for n in order:
        record = records[n]
        assert record is not None
        record.is_finished = True
        finished.add(n)
        first_unfinished = next((n for n in range(6) if n not in finished), 6)
        expected = {"p": 100 + first_unfinished} if first_unfinished else {}
        assert offsets.committable() == expected


def test_an_offset_is_committed_once() -> None:
    """An offset that the broker did not accept is offered again."""
    offsets = pending_offsets()
    record = offsets.add("p", 5)
    assert record is not None
    record.is_finished = True
    assert offsets.committable() == offsets.committable() == {"p": 6}
    offsets.committed({"p": 6})
    assert offsets.committable() == {}


def test_a_late_result_of_a_revoked_partition_commits_nothing() -> None:
    """Even if the partition was assigned again, only the records of the new assignment count."""
    offsets = pending_offsets()
    late = offsets.add("p", 5)
    offsets.close(["p"])
    assert offsets.add("p", 6) is None
    offsets.forget(["p"])
    offsets.open(["p"])
    again = offsets.add("p", 5)
    assert late is not None
    assert again is not None
    late.is_finished = True
    assert offsets.committable() == {}
    again.is_finished = True
    assert offsets.committable() == {"p": 6}
