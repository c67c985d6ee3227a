"""The kit on a real Kafka: results, order, repeats, and what happens when a process stops or dies."""

import asyncio
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from harness.broker import Broker
from harness.carrier_topics import SECONDS, RecordingCarrier, Topics, running
from harness.processes import Processes, until
from structlog.testing import capture_logs

from didflow_adapters.kit import Failed, Outcome, Succeeded
from didflow_adapters.kit import kafka as kit_kafka
from didflow_contracts.events import CarrierCommandIssued


async def test_a_command_is_executed_and_its_result_is_published(
    kafka_topics: Topics, new_command: Any
) -> None:
    """The result has the carrier as its source and the command as its cause."""
    carrier, command = RecordingCarrier(), new_command()
    async with running(kafka_topics, carrier):
        await kafka_topics.publish(command)
        (data,) = await kafka_topics.receive(1)
    assert (data.command_id, data.outcome) == (command.data.command_id, "succeeded")
    (result,) = kafka_topics.results
    assert (result.source, result.causationid) == ("/carriers/simulator", command.id)


async def test_commands_to_other_carriers_and_bad_records_are_skipped(
    kafka_topics: Topics, new_command: Any
) -> None:
    """Only commands to this carrier are executed. A bad record holds nothing back."""
    carrier, command = RecordingCarrier(), new_command()
    async with running(kafka_topics, carrier):
        await kafka_topics.publish(new_command(carrier="another"))
        for bad in (b"{", b"null", None, b'{"specversion":"1.0"}'):
            await kafka_topics.publish_value(bad, command.subject.encode())
        await kafka_topics.publish(command)
        await kafka_topics.receive(1)
        await kafka_topics.all_committed()
    assert [call.command_id for call in carrier.calls] == [command.data.command_id]


async def test_a_command_that_succeeded_is_answered_again_and_not_executed_again(
    kafka_topics: Topics, new_command: Any
) -> None:
    """Each attempt has a result. The carrier is called once."""
    carrier, command = RecordingCarrier(), new_command()
    again = new_command(command_id=command.data.command_id, attempt=2)
    async with running(kafka_topics, carrier):
        await kafka_topics.publish(command, command, again)
        results = await kafka_topics.receive(3)
    assert len(carrier.calls) == 1
    assert [data.attempt for data in results] == [1, 1, 2]
    assert {data.outcome for data in results} == {"succeeded"}


async def test_a_command_that_failed_retryably_is_executed_again(
    kafka_topics: Topics, new_command: Any
) -> None:
    """The next attempt calls the carrier."""

    async def busy_once(command: CarrierCommandIssued) -> Outcome:
        return Failed(code="busy", retryable=True) if command.attempt == 1 else Succeeded()

    carrier, command = RecordingCarrier(busy_once), new_command()
    async with running(kafka_topics, carrier):
        await kafka_topics.publish(command, new_command(command_id=command.data.command_id, attempt=2))
        results = await kafka_topics.receive(2)
    assert [data.outcome for data in results] == ["failed", "succeeded"]
    assert len(carrier.calls) == 2


async def test_numbers_run_concurrently_and_each_in_order(kafka_topics: Topics, new_command: Any) -> None:
    """Of twenty numbers with two commands each, all first commands run at once. Each second one follows."""
    together = asyncio.Barrier(20)

    async def wait_for_all(command: CarrierCommandIssued) -> Outcome:
        if command.action == "activate":
            await together.wait()
        return Succeeded()

    carrier = RecordingCarrier(wait_for_all)
    numbers = [f"+353196090{n:02d}" for n in range(20)]
    actions = ("activate", "set_capacity")
    async with running(kafka_topics, carrier):
        await kafka_topics.publish(*(new_command(action, n) for n in numbers for action in actions))
        await kafka_topics.receive(40)
    for number in numbers:
        assert tuple(c.action for c in carrier.calls if c.number == number) == actions


async def test_a_command_without_a_result_is_read_again_by_the_next_process(
    kafka_topics: Topics, new_command: Any
) -> None:
    """Results of later commands do not commit its offset."""
    gate = asyncio.Event()

    async def block_one(command: CarrierCommandIssued) -> Outcome:
        if command.number.endswith("1"):
            await gate.wait()
        return Succeeded()

    slow, quick = new_command(number="+35319609001"), new_command(number="+35319609002")
    first, second = RecordingCarrier(block_one), RecordingCarrier()
    async with running(kafka_topics, first, stop_within_s=0.1):
        await kafka_topics.publish(slow, quick)
        await kafka_topics.receive(1)
        await until(lambda: len(first.calls) == 2, within=SECONDS, what="both calls")
    async with running(kafka_topics, second):
        await until(
            lambda: slow.data.command_id in {call.command_id for call in second.calls},
            within=SECONDS,
            what="the slow command again",
        )
        await kafka_topics.all_committed()
    answered = {data.command_id for data in await kafka_topics.receive(2)}
    assert answered == {slow.data.command_id, quick.data.command_id}


async def test_a_stop_finishes_the_calls_that_have_begun_and_leaves_the_others_to_the_next_process(
    kafka_topics: Topics, new_command: Any
) -> None:
    """No call begins after the stop, and none is cut off. Each command is executed once."""
    gate = asyncio.Event()

    async def wait_for_gate(command: CarrierCommandIssued) -> Outcome:
        await gate.wait()
        return Succeeded()

    first, second = RecordingCarrier(wait_for_gate), RecordingCarrier()
    commands = [new_command(number=f"+3531960{n:04d}") for n in range(20)]
    async with running(kafka_topics, first, concurrency=2) as adapter:
        await kafka_topics.publish(*commands)
        await until(
            lambda: (adapter._queues.busy, len(first.calls)) == (20, 2),
            within=SECONDS,
            what="two calls, and commands that wait",
        )
        adapter.stop()
        asyncio.get_running_loop().call_later(0.2, gate.set)
    assert len(first.calls) == 2
    async with running(kafka_topics, second):
        await kafka_topics.receive(20)
        await kafka_topics.all_committed()
    executed = [call.command_id for call in (*first.calls, *second.calls)]
    assert sorted(executed) == sorted(command.data.command_id for command in commands)


async def test_reading_ahead_is_limited_and_continues(kafka_topics: Topics, new_command: Any) -> None:
    """With ten commands in progress at most, two hundred commands get their results."""
    carrier = RecordingCarrier()
    async with running(kafka_topics, carrier, read_ahead=10, concurrency=2):
        await kafka_topics.publish(*(new_command(number=f"+35319609{n:03d}") for n in range(200)))
        results = await kafka_topics.receive(200)
    assert len({data.command_id for data in results}) == 200


async def test_an_adapter_whose_carrier_hangs_still_polls(kafka_topics: Topics, new_command: Any) -> None:
    """A consumer that is not polled for 5 minutes leaves its group. No more than `read_ahead` commands are read."""
    gate = asyncio.Event()

    async def wait_for_gate(command: CarrierCommandIssued) -> Outcome:
        await gate.wait()
        return Succeeded()

    carrier = RecordingCarrier(wait_for_gate)
    commands = [new_command(number=f"+3531960{n:04d}") for n in range(30)]
    async with running(kafka_topics, carrier, read_ahead=10, concurrency=20) as adapter:
        await kafka_topics.publish(*commands)
        await until(lambda: len(carrier.calls) > 5, within=SECONDS, what="calls")
        await asyncio.sleep(1)
        consumer = adapter._subscriber.consumer
        assert len(carrier.calls) <= 10
        assert consumer.paused() == consumer.assignment()
        assert consumer._subscription.fetcher_idle_time < 0.5
        gate.set()
        await kafka_topics.receive(30)
        await kafka_topics.all_committed()


async def test_no_command_is_lost_when_members_join_and_leave(kafka_topics: Topics, new_command: Any) -> None:
    """While commands are published, a second member joins and leaves. The order of each number is kept."""
    first, second = RecordingCarrier(), RecordingCarrier()
    numbers = [f"+35319609{n:03d}" for n in range(60)]
    commands: list[Any] = []

    async def publish_one() -> None:
        commands.append(new_command("set_capacity", numbers[len(commands) % 60]))
        await kafka_topics.publish(commands[-1])

    async def second_has_worked() -> bool:
        await publish_one()
        return bool(second.calls)

    async with running(kafka_topics, first):
        await publish_one()
        async with running(kafka_topics, second):
            await until(second_has_worked, within=SECONDS, what="a call of the second member")
        await publish_one()
        await until(lambda: kafka_topics.has_results(*commands), within=SECONDS, what="all results")
    for number in numbers:
        answered = [r.data.command_id for r in kafka_topics.results if r.data.number == number]
        published = [c.data.command_id for c in commands if c.data.number == number]
        assert list(dict.fromkeys(answered)) == published


async def test_members_that_join_under_load_commit_every_command(
    kafka_topics: Topics, new_command: Any
) -> None:
    """A full queue during a rebalance loses nothing: records of the former assignment are read again."""

    async def slowly(command: CarrierCommandIssued) -> Outcome:
        await asyncio.sleep(0.02)
        return Succeeded()

    first, second = RecordingCarrier(slowly), RecordingCarrier(slowly)
    limits = {"read_ahead": 5, "concurrency": 2}
    commands = [new_command(number=f"+3531960{n:04d}") for n in range(300)]
    async with running(kafka_topics, first, **limits):
        await kafka_topics.publish(*commands)
        await until(lambda: len(first.calls) > 20, within=SECONDS, what="calls of the first member")
        async with running(kafka_topics, second, **limits):
            await until(lambda: len(second.calls) > 5, within=SECONDS, what="calls of the second member")
        await kafka_topics.all_committed()
    executed = {call.command_id for call in [*first.calls, *second.calls]}
    assert executed == {command.data.command_id for command in commands}


async def test_an_adapter_continues_after_an_outage_of_the_broker(
    kafka_topics: Topics, new_command: Any, kafka_broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The outage is longer than the producer's timeout. The pending result and later ones are published."""
    monkeypatch.setattr(kit_kafka, "REQUEST_TIMEOUT_MS", 1_000)
    gate = asyncio.Event()

    async def wait_for_gate(command: CarrierCommandIssued) -> Outcome:
        await gate.wait()
        return Succeeded()

    carrier = RecordingCarrier(wait_for_gate)
    pending, later = new_command(), new_command("set_capacity")
    async with running(kafka_topics, carrier):
        await kafka_topics.publish(pending)
        await until(lambda: bool(carrier.calls), within=SECONDS, what="the call")
        await kafka_broker.stop()
        gate.set()
        with capture_logs() as lines:
            await until(
                lambda: any(line["event"].startswith("a result could not be published") for line in lines),
                within=SECONDS,
                what="a publication that fails",
            )
        await kafka_broker.start()
        await kafka_topics.publish(later)
        await until(
            lambda: kafka_topics.has_results(pending, later), within=SECONDS, what="results after the outage"
        )
        await kafka_topics.all_committed()


async def test_the_simulator_is_a_process_that_survives_a_kill_and_stops_in_order(
    kafka_topics: Topics, new_command: Any, processes: Processes
) -> None:
    """A second `didflow-simulator` takes over after a kill. It exits with 0 on SIGTERM."""
    env = {
        "DIDFLOW_KAFKA": kafka_topics.kafka,
        "DIDFLOW_TOPIC_PREFIX": kafka_topics.prefix,
        "DIDFLOW_MEMBER_ID": "simulator-0",
    }
    program = [str(Path(sysconfig.get_path("scripts")) / "didflow-simulator")]
    killed = processes.start("one", program, env=env)
    await kafka_topics.publish(new_command(), new_command(number="+35319609990"))
    outcomes = {data.number[-4:]: data.outcome for data in await kafka_topics.receive(2)}
    assert outcomes == {"9036": "succeeded", "9990": "failed"}
    await killed.kill()
    await kafka_topics.publish(new_command(number="+35319609037"))
    following = processes.start("two", program, env=env)
    await until(
        lambda: kafka_topics.has_result_for("+35319609037"),
        within=SECONDS,
        what="the result of the second process",
    )
    assert await following.stop() == 0
