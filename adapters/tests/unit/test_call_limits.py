"""The limits of the calls to a carrier: how many at once, how many in a second, and pauses."""

import asyncio
from typing import Any

import pytest
from harness.limited_calls import starts

from didflow_adapters.kit import Failed, Succeeded
from didflow_adapters.kit.call_limits import LONGEST_PAUSE_S, CallLimits, CarrierPaused
from didflow_adapters.kit.execution import CommandExecutor


async def test_no_more_calls_run_at_once_than_the_concurrency_allows() -> None:
    """Of ten calls, three run at once."""
    limits, running, most = CallLimits(3), 0, 0

    async def call() -> None:
        nonlocal running, most
        async with limits.call():
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1

    await asyncio.gather(*(call() for _ in range(10)))
    assert most == 3


async def test_no_call_begins_during_a_pause() -> None:
    """A shorter pause does not end a longer one. No pause is longer than ten minutes."""
    limits = CallLimits(20)
    limits.pause(0.1)
    limits.pause(0.01)
    loop = asyncio.get_running_loop()
    before = loop.time()
    await starts(limits, 3)
    assert loop.time() - before >= 0.099
    limits.pause(1e9)
    assert LONGEST_PAUSE_S - 1 < limits.paused_s <= LONGEST_PAUSE_S
    with pytest.raises(CarrierPaused):
        await starts(limits, 1)


class Limited:
    """A carrier that asks to wait at its first call."""

    name = "simulator"

    def __init__(self, seconds: int) -> None:
        self.seconds, self.calls = seconds, list[float]()

    async def activate(self, command: Any, parameters: Any) -> Any:
        self.calls.append(asyncio.get_running_loop().time())
        if len(self.calls) == 1:
            return Failed(code="rate_limited", retryable=True, retry_after_s=self.seconds)
        return Succeeded()


async def test_a_carrier_that_asks_to_wait_is_not_called_for_another_number(new_command: Any) -> None:
    """The command waits for the end of the pause and then succeeds."""
    carrier: Any = Limited(1)
    executor = CommandExecutor(carrier, 1)
    first = await executor.execute(new_command().data)
    other = await executor.execute(new_command(number="+35319609037").data)
    assert isinstance(first, Failed)
    assert other == Succeeded()
    assert carrier.calls[1] - carrier.calls[0] >= 0.999


async def test_during_a_long_pause_commands_fail_as_rate_limited_without_a_call(new_command: Any) -> None:
    """Their owner then waits visibly, instead of a process that seems to be silent."""
    carrier: Any = Limited(120)
    executor = CommandExecutor(carrier, 1)
    await executor.execute(new_command().data)
    other = await executor.execute(new_command(number="+35319609037").data)
    assert isinstance(other, Failed)
    assert (other.code, other.retryable, other.retry_after_s) == ("rate_limited", True, 120)
    assert len(carrier.calls) == 1
