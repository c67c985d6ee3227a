"""Commands leave at the pace of their carrier, over any number of workers, also after an outage."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

from harness.statements import statements_of

from didflow_provisioning.domain.number_queue import NumberQueue
from didflow_provisioning.settings import CarrierTiming

SECOND = timedelta(seconds=1)
RATE = 10
COUNT = 60


async def times(provisioning: Any) -> list[datetime]:
    """Return when each attempt left, by the service's time."""
    return [event.time for event in await provisioning.published("provisioning.commands")]


def most_in_a_second(left: list[datetime]) -> int:
    """Return the most attempts that left within a second."""
    return max(sum(start <= each < start + SECOND for each in left) for start in left)


async def ticks(provisioning: Any, count: int, workers: int = 1) -> None:
    """Let half a second pass, and let the timers of the workers run at the same time."""
    for _ in range(count):
        await provisioning.set_time(await provisioning.now() + SECOND / 2)
        await asyncio.gather(*(provisioning.timers.run_due() for _ in range(workers)))


async def test_commands_of_three_workers_leave_at_the_rate(
    with_carriers: Any, messages: Any, numbers_of: Any, issued: Any
) -> None:
    """60 numbers at once take six seconds at ten a second. All become active."""
    provisioning = await with_carriers(simulator=CarrierTiming(rate_per_s=RATE))
    await provisioning.receive(*numbers_of(COUNT))
    assert await times(provisioning) == []
    await ticks(provisioning, 20, workers=3)
    left = await times(provisioning)
    assert len(left) == COUNT
    assert most_in_a_second(left) <= RATE
    commands = [event.data for event in await provisioning.published("provisioning.commands")]
    await provisioning.receive(*(messages.result(command) for command in commands))
    assert await provisioning.count("routings", "carrier_state = 'active'") == COUNT


async def test_after_an_outage_of_ten_minutes_all_go_on_at_the_rate(
    with_carriers: Any, messages: Any, numbers_of: Any
) -> None:
    """The carrier answers nothing, and no worker runs for ten minutes. Then nothing leaves in a burst."""
    provisioning = await with_carriers(simulator=CarrierTiming(rate_per_s=RATE))
    await provisioning.receive(*numbers_of(COUNT))
    await ticks(provisioning, 6)
    before = len(await times(provisioning))
    assert 0 < before < COUNT
    await provisioning.set_time(await provisioning.now() + timedelta(minutes=10))
    await ticks(provisioning, 30)
    published = await provisioning.published("provisioning.commands")
    assert most_in_a_second([event.time for event in published]) <= RATE
    assert {event.data.attempt for event in published} == {1, 2}
    assert all(event.data.deadline > event.time for event in published)
    await provisioning.receive(*(messages.result(each.data) for each in published[before:]))
    assert await provisioning.count("routings", "carrier_state = 'active'") == COUNT
    assert await provisioning.count("number_queues", "due_at IS NOT NULL") == 0


async def test_a_carrier_that_is_down_for_ten_minutes_gets_all_commands_again_at_its_rate(
    with_carriers: Any, messages: Any, numbers_of: Any
) -> None:
    """The workers run all the time, and try each command again and again. What it answers then is active."""
    provisioning = await with_carriers(simulator=CarrierTiming(rate_per_s=2))
    await provisioning.receive(*numbers_of(12))
    await provisioning.advance(timedelta(minutes=10))
    published = await provisioning.published("provisioning.commands")
    assert len(published) > 3 * 12
    back_at = await provisioning.now()
    await provisioning.advance(timedelta(minutes=3))
    published = await provisioning.published("provisioning.commands")
    assert most_in_a_second([event.time for event in published]) <= 2
    tried = {event.data.command_id: event.data for event in published if event.time >= back_at}
    assert len(tried) == 12
    await provisioning.receive(*(messages.result(command) for command in tried.values()))
    assert await provisioning.count("routings", "carrier_state = 'active'") == 12


async def test_no_more_commands_are_out_than_the_concurrency(
    with_carriers: Any, messages: Any, numbers_of: Any
) -> None:
    """Of 20 numbers, four are out at a time, while answers come beside two workers. Each makes room for another one."""
    provisioning = await with_carriers(simulator=CarrierTiming(concurrency=4))
    await provisioning.receive(*numbers_of(20))
    answered: set[Any] = set()

    async def answer() -> None:
        commands = [event.data for event in await provisioning.published("provisioning.commands")]
        out = [each for each in commands if each.command_id not in answered][:3]
        answered.update(each.command_id for each in out)
        if out:
            await provisioning.receive(*(messages.result(each) for each in out))

    for _ in range(40):
        await asyncio.gather(ticks(provisioning, 1, workers=2), answer())
        assert await provisioning.count("carrier_commands", "state = 'out'") <= 4
    assert await provisioning.count("routings", "carrier_state = 'active'") == 20


async def test_a_carrier_without_limits_takes_no_turns(
    with_carriers: Any, messages: Any, numbers_of: Any, issued: Any
) -> None:
    """Its numbers cost as many statements as if no carrier had limits, and leave at once."""
    counts = []
    for carriers in ({}, {"other": CarrierTiming(rate_per_s=1)}):
        provisioning = await with_carriers(**carriers)
        async with statements_of(provisioning.database) as found:
            await provisioning.receive(*numbers_of(20))
        assert len(await times(provisioning)) == 20
        counts.append(len(found))
        async with statements_of(provisioning.database) as later:
            await provisioning.advance(timedelta(minutes=3))
        assert len(await times(provisioning)) == 40
        assert not [each for each in (*found, *later) if "carrier_turns" in each or "carrier_loads" in each]
    assert counts[0] == counts[1]


async def test_a_number_that_has_nothing_to_send_any_more_leaves_the_line(
    with_carriers: Any, messages: Any
) -> None:
    """It is blocked before its turn comes. Its timer ends."""
    provisioning = await with_carriers(simulator=CarrierTiming(rate_per_s=1))
    await provisioning.receive(messages.purchased(), messages.did_changed(), messages.registration())
    await provisioning.receive(messages.did_changed("blocked", 2))
    await ticks(provisioning, 3)
    queue = await provisioning.state(NumberQueue, messages.number)
    assert (await times(provisioning), queue.due_at, queue.turn_at) == ([], None, None)
