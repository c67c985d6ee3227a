"""What the processes of one carrier know of each other: former outcomes, and the rate of the carrier."""

import asyncio
import urllib.request
from pathlib import Path
from typing import Any

from harness.carrier_topics import SECONDS, RecordingCarrier, Topics, running
from harness.processes import Processes, until

from didflow.embedded.ports import free_port
from didflow_adapters.kit import CommandReference, Failed, Later, Outcome, Succeeded
from didflow_contracts.events import CarrierCommandIssued

CARRIER = """
import os, sys
from didflow_adapters.kit import AdapterSettings, Succeeded, run

class Carrier:
    name = "simulator"

    async def activate(self, command, parameters):
        with open(sys.argv[1], "a") as log:
            print(command.command_id, file=log)
        if "die" in sys.argv:
            os.kill(os.getpid(), 9)
        return Succeeded(carrier_reference="REF")

run([Carrier()], AdapterSettings())
"""


def again(new_command: Any, command: Any) -> Any:
    """Return the next attempt at a command."""
    return new_command(command_id=command.data.command_id, number=command.data.number, attempt=2)


async def test_what_a_process_answered_is_answered_by_the_next_one_without_a_call(
    kafka_topics: Topics, new_command: Any
) -> None:
    """Successes with their reference and final failures. What failed retryably is tried again."""

    async def by_number(command: CarrierCommandIssued) -> Outcome:
        if command.number.endswith("2"):
            return Failed(code="rejected", message="no")
        if command.number.endswith("3") and command.attempt == 1:
            return Failed(code="busy", retryable=True)
        return Succeeded(carrier_reference="REF")

    first, second = RecordingCarrier(by_number), RecordingCarrier(by_number)
    commands = [new_command(number=f"+3531960900{n}") for n in (1, 2, 3)]
    async with running(kafka_topics, first):
        await kafka_topics.publish(*commands)
        await kafka_topics.receive(3)
    async with running(kafka_topics, second):
        await kafka_topics.publish(*(again(new_command, command) for command in commands))
        results = await kafka_topics.receive(6)
    found = {data.number[-1]: data for data in results[3:]}
    assert [call.number[-1] for call in second.calls] == ["3"]
    assert {data.attempt for data in found.values()} == {2}
    assert (found["1"].outcome, found["1"].carrier_reference) == ("succeeded", "REF")
    assert (found["2"].outcome, found["2"].code, found["2"].retryable) == ("failed", "rejected", False)
    assert found["3"].outcome == "succeeded"


async def test_outcomes_go_with_their_partitions_to_another_process(
    kafka_topics: Topics, new_command: Any
) -> None:
    """A second process joins and later stays alone. No command is executed twice."""
    first, second = RecordingCarrier(), RecordingCarrier()
    commands = [new_command(number=f"+35319609{n:03d}") for n in range(60)]
    repeats = [again(new_command, command) for command in commands]
    async with running(kafka_topics, second):
        async with running(kafka_topics, first):
            await kafka_topics.publish(*commands)
            await kafka_topics.receive(60)
            await kafka_topics.publish(*repeats)
            await kafka_topics.receive(120)
        await kafka_topics.publish(*repeats)
        await kafka_topics.receive(180)
    executed = [call.command_id for call in (*first.calls, *second.calls)]
    assert sorted(executed) == sorted(command.data.command_id for command in commands)


async def test_a_process_that_dies_before_its_result_is_published_asks_again_with_the_same_command_id(
    kafka_topics: Topics, new_command: Any, processes: Processes, tmp_path: Path
) -> None:
    """The carrier gets the same idempotency key twice. After the published result it is not asked again."""
    log, command = tmp_path / "calls", new_command()
    env = {"DIDFLOW_KAFKA": kafka_topics.kafka, "DIDFLOW_TOPIC_PREFIX": kafka_topics.prefix}
    env["DIDFLOW_MEMBER_ID"] = "adapter-0"
    await kafka_topics.publish(command)
    dying = processes.python("dying", "-c", CARRIER, str(log), "die", env=env)
    await until(lambda: dying.exit_code is not None, within=SECONDS, what="the kill")
    assert log.read_text().split() == [str(command.data.command_id)]
    living = processes.python("living", "-c", CARRIER, str(log), env=env)
    await kafka_topics.receive(1)
    await kafka_topics.publish(again(new_command, command))
    await kafka_topics.receive(2)
    assert await living.stop() == 0
    assert log.read_text().split() == [str(command.data.command_id)] * 2


async def test_two_processes_together_do_not_exceed_the_rate_of_the_carrier(
    kafka_topics: Topics, new_command: Any
) -> None:
    """Each has the part of the rate that its partitions are. Within any second at most 20 calls begin."""
    began: list[float] = []

    async def note(command: CarrierCommandIssued) -> Outcome:
        began.append(asyncio.get_running_loop().time())
        return Succeeded()

    first, second = RecordingCarrier(note), RecordingCarrier(note)
    limits = {"rate_per_s": 20, "concurrency": 20}
    sent = 0

    async def second_has_worked() -> bool:
        nonlocal sent
        sent += 1
        await kafka_topics.publish(new_command(number=f"+3531960{sent:04d}"))
        await asyncio.sleep(0.1)
        return bool(second.calls)

    async with running(kafka_topics, first, **limits), running(kafka_topics, second, **limits):
        await until(second_has_worked, within=SECONDS, what="a call of the second process")
        await kafka_topics.publish(*(new_command(number=f"+3531961{n:04d}") for n in range(60)))
        await kafka_topics.receive(sent + 60)
    assert len(second.calls) > 10
    began.sort()
    assert max(sum(at <= one < at + 1 for one in began) for at in began) <= 20


async def test_commands_that_wait_for_the_rate_go_to_the_process_that_gets_their_partition(
    kafka_topics: Topics, new_command: Any
) -> None:
    """A process that gave a partition up does not call the carrier for what it had read of it."""
    first, second = RecordingCarrier(), RecordingCarrier()
    commands = [new_command(number=f"+3531960{n:04d}") for n in range(100)]
    limits = {"rate_per_s": 20, "stop_within_s": 0.5}
    async with running(kafka_topics, first, **limits):
        await kafka_topics.publish(*commands)
        await kafka_topics.receive(1)
        async with running(kafka_topics, second, **limits):
            await until(lambda: kafka_topics.has_results(*commands), within=SECONDS, what="all results")
    assert second.calls
    executed = [call.command_id for call in (*first.calls, *second.calls)]
    assert len(executed) == len(set(executed)) == 100


async def test_health_and_metrics_have_a_port(
    kafka_topics: Topics, new_command: Any, processes: Processes, tmp_path: Path
) -> None:
    """The process is ready when former results are read. The metrics have the call and the result."""
    port = free_port()
    env = {
        "DIDFLOW_KAFKA": kafka_topics.kafka,
        "DIDFLOW_TOPIC_PREFIX": kafka_topics.prefix,
        "DIDFLOW_HEALTH_PORT": str(port),
        "DIDFLOW_HEALTH_HOST": "127.0.0.1",
    }
    process = processes.python("adapter", "-c", CARRIER, str(tmp_path / "calls"), env=env)
    await kafka_topics.publish(new_command())
    await kafka_topics.receive(1)

    def page(path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return str(answer.read().decode())

    assert await asyncio.to_thread(page, "/healthz/live") == '{"wrong": []}'
    assert await asyncio.to_thread(page, "/healthz/ready") == '{"wrong": []}'
    metrics = await asyncio.to_thread(page, "/metrics")
    labels = 'action="activate",carrier="simulator",outcome="succeeded"'
    assert f"didflow_adapter_call_seconds_count{{{labels}}} 1.0" in metrics
    assert 'didflow_adapter_results_total{carrier="simulator"} 1.0' in metrics
    assert 'didflow_adapter_waiting{carrier="simulator"} 0.0' in metrics
    assert await process.stop() == 0


async def test_what_a_carrier_reports_later_is_answered_again_without_a_call(
    kafka_topics: Topics, new_command: Any
) -> None:
    """The method returned without a result, and a webhook brought it. The command comes again."""

    async def later(command: CarrierCommandIssued) -> Outcome:
        return Later()

    carrier, command = RecordingCarrier(later), new_command()
    async with running(kafka_topics, carrier) as adapter:
        await kafka_topics.publish(command)
        await until(lambda: bool(carrier.calls), within=SECONDS, what="the call")
        await adapter.report(CommandReference.of(command), Succeeded(carrier_reference="REF"))
        await kafka_topics.publish(again(new_command, command))
        results = await kafka_topics.receive(2)
    assert [(data.attempt, data.carrier_reference) for data in results] == [(1, "REF"), (2, "REF")]
    assert len(carrier.calls) == 1
