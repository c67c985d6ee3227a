"""What is known of former outcomes, while partitions come and go."""

import asyncio
from collections.abc import AsyncIterator, Collection
from uuid import UUID, uuid4

import pytest

from didflow_adapters.kit import Failed, Outcome, Succeeded
from didflow_adapters.kit.outcomes import FinalOutcomes, KnownOutcomes

DONE = Succeeded(carrier_reference="REF")
REJECTED = Failed(code="rejected")


class Stored:
    """Former results that can be read when `gate` is open. The first `failures` attempts fail."""

    def __init__(self, *results: tuple[int, UUID, Outcome], failures: int = 0) -> None:
        self._results, self.failures, self.gate = results, failures, asyncio.Event()

    async def read(self, partitions: Collection[int]) -> AsyncIterator[tuple[int, UUID, Outcome]]:
        await self.gate.wait()
        if self.failures:
            self.failures -= 1
            raise OSError
        for result in self._results:
            if result[0] in partitions:
                yield result


async def test_a_command_waits_until_former_outcomes_are_known() -> None:
    """Its outcome is then found. A command of another partition has none."""
    command = uuid4()
    stored = Stored((1, command, DONE))
    known = KnownOutcomes(stored.read, 10)
    known.open([1, 2])
    asked = asyncio.create_task(known.get(1, command))
    await asyncio.sleep(0)
    assert known.is_loading
    assert not asked.done()
    stored.gate.set()
    assert await asked == DONE
    assert await known.get(2, command) is None
    assert not known.is_loading


async def test_reading_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever fails, no command is executed before former outcomes are known."""
    monkeypatch.setattr("didflow_adapters.kit.outcomes.RETRY_S", 0.01)
    command = uuid4()
    stored = Stored((1, command, DONE), failures=2)
    stored.gate.set()
    known = KnownOutcomes(stored.read, 10)
    known.open([1])
    assert await known.get(1, command) == DONE
    assert stored.failures == 0


async def test_a_command_of_a_revoked_partition_is_not_executed() -> None:
    """It is canceled while it waits, and when its turn comes later."""
    known = KnownOutcomes(Stored().read, 10)
    known.open([1])
    asked = asyncio.create_task(known.get(1, uuid4()))
    await asyncio.sleep(0)
    known.stop_loading([1])
    with pytest.raises(asyncio.CancelledError):
        await asked
    known.forget([1])
    with pytest.raises(asyncio.CancelledError):
        await known.get(1, uuid4())
    await known.stop()


async def test_a_partition_that_comes_back_is_read_again() -> None:
    """Another process has executed commands in between."""
    first, second = uuid4(), uuid4()
    stored = Stored((1, second, DONE))
    stored.gate.set()
    known = KnownOutcomes(stored.read, 10)
    known.open([1])
    await known.get(1, first)
    known.add(1, first, DONE)
    known.stop_loading([1])
    known.forget([1])
    known.add(1, first, DONE)
    known.open([1])
    assert await known.get(1, second) == DONE
    assert await known.get(1, first) is None


def test_a_failure_that_is_reported_after_a_success_is_not_remembered() -> None:
    """Webhooks come in any order. What was done is done; a late success counts."""
    outcomes, command, other = FinalOutcomes(10), uuid4(), uuid4()
    for outcome in (DONE, REJECTED):
        outcomes.add(command, outcome)
    for outcome in (REJECTED, DONE):
        outcomes.add(other, outcome)
    assert (outcomes.get(command), outcomes.get(other)) == (DONE, DONE)
