"""The kit on a real Kafka: answers, order, repeats, and what is left when it stops or dies."""

import asyncio
import sysconfig
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from harness.processes import Processes, until

from didflow_adapters.kit import Adapter, AdapterSettings, Failed, Outcome, Succeeded
from didflow_contracts.envelope import Event, decode, encode
from didflow_contracts.events import CarrierCommandIssued, ResultReported

KNOWN = {ResultReported.type(): ResultReported}
SECONDS = 30.0


class Noting:
    """A carrier that notes each call and does what the test says."""

    name = "simulator"

    def __init__(self, play: Callable[[CarrierCommandIssued], Any] | None = None) -> None:
        self.calls: list[CarrierCommandIssued] = []
        self._play = play

    async def _do(self, command: CarrierCommandIssued, asked: Any) -> Outcome:
        self.calls.append(command)
        if self._play is None:
            return Succeeded(carrier_reference="REF")
        outcome: Outcome = await self._play(command)
        return outcome

    activate = suspend = resume = release = set_voice = set_capacity = set_sms = _do


class Wire:
    """Publishes orders and collects results under one test's prefix."""

    def __init__(
        self, kafka: str, prefix: str, producer: AIOKafkaProducer, consumer: AIOKafkaConsumer
    ) -> None:
        self.kafka, self.prefix, self._producer, self._consumer = kafka, prefix, producer, consumer
        self.results: list[Event[Any]] = []

    async def order(self, *orders: Event[CarrierCommandIssued]) -> None:
        """Publish orders as provisioning does."""
        for order in orders:
            await self.raw(encode(order), order.subject.encode())

    async def raw(self, value: bytes | None, key: bytes) -> None:
        """Publish any value where orders lie."""
        await self._producer.send_and_wait(self.prefix + CarrierCommandIssued.topic, value, key=key)

    async def answers(self, count: int) -> list[ResultReported]:
        """Wait for so many results in all; give them in the order in which they came."""

        async def come() -> bool:
            for records in (await self._consumer.getmany(timeout_ms=50)).values():
                self.results += [decode(r.value, r.headers, types=KNOWN) for r in records]
            return len(self.results) >= count

        await until(come, within=SECONDS, what=f"{count} results")
        return [result.data for result in self.results]

    async def settled(self) -> None:
        """Wait until the adapter's group has committed all orders."""
        from aiokafka import TopicPartition
        from aiokafka.admin import AIOKafkaAdminClient

        admin = AIOKafkaAdminClient(bootstrap_servers=self.kafka)
        await admin.start()
        try:
            topic = self.prefix + CarrierCommandIssued.topic
            partitions = [TopicPartition(topic, p) for p in range(12)]
            ends = await self._consumer.end_offsets(partitions)

            async def committed() -> bool:
                found = await admin.list_consumer_group_offsets(f"{self.prefix}adapter-simulator")
                return all(not end or (p in found and found[p].offset == end) for p, end in ends.items())

            await until(committed, within=SECONDS, what="commits")
        finally:
            await admin.close()


@pytest.fixture
async def wire(kafka: str, topics: str) -> AsyncIterator[Wire]:
    """A wire on this test's own topics."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    consumer = AIOKafkaConsumer(
        topics + ResultReported.topic, bootstrap_servers=kafka, auto_offset_reset="earliest"
    )
    await producer.start()
    await consumer.start()
    yield Wire(kafka, topics, producer, consumer)
    await consumer.stop()
    await producer.stop()


@asynccontextmanager
async def running(wire: Wire, carrier: Any, **settings: Any) -> AsyncIterator[Adapter]:
    """An adapter at work, stopped in order afterwards."""
    adapter = Adapter(carrier, AdapterSettings(kafka=wire.kafka, topic_prefix=wire.prefix, **settings))
    task = asyncio.create_task(adapter.run())
    try:
        yield adapter
    finally:
        adapter.stop()
        await task


async def test_an_order_is_done_and_answered(wire: Wire, make_order: Any) -> None:
    """The result lies under the number, from the carrier's source, caused by the order."""
    carrier, order = Noting(), make_order()
    async with running(wire, carrier):
        await wire.order(order)
        (data,) = await wire.answers(1)
    assert (data.command_id, data.outcome) == (order.data.command_id, "succeeded")
    assert (wire.results[0].source, wire.results[0].causationid) == ("/carriers/simulator", order.id)


async def test_orders_to_other_carriers_and_nonsense_are_passed_over(wire: Wire, make_order: Any) -> None:
    """Only what names this carrier is done; what cannot be read holds nothing up."""
    carrier, own = Noting(), make_order()
    async with running(wire, carrier):
        await wire.order(make_order(carrier="another"))
        for nonsense in (b"{", b"null", None, b'{"specversion":"1.0"}'):
            await wire.raw(nonsense, own.subject.encode())
        await wire.order(own)
        await wire.answers(1)
        await wire.settled()
    assert [call.command_id for call in carrier.calls] == [own.data.command_id]


async def test_what_succeeded_is_answered_again_and_not_done_again(wire: Wire, make_order: Any) -> None:
    """A second attempt at a done order has the same outcome without a second call."""
    carrier, order = Noting(), make_order()
    again = make_order(command_id=order.data.command_id, attempt=2)
    async with running(wire, carrier):
        await wire.order(order, order, again)
        answers = await wire.answers(3)
    assert len(carrier.calls) == 1
    assert [data.attempt for data in answers] == [1, 1, 2]
    assert {data.outcome for data in answers} == {"succeeded"}


async def test_what_failed_retryably_is_tried_again(wire: Wire, make_order: Any) -> None:
    """The next attempt reaches the carrier."""

    async def play(command: CarrierCommandIssued) -> Outcome:
        if command.attempt == 1:
            return Failed(code="busy", retryable=True)
        return Succeeded()

    carrier, order = Noting(play), make_order()
    async with running(wire, carrier):
        await wire.order(order, make_order(command_id=order.data.command_id, attempt=2))
        answers = await wire.answers(2)
    assert [data.outcome for data in answers] == ["failed", "succeeded"]
    assert len(carrier.calls) == 2


async def test_numbers_go_side_by_side_and_each_in_its_order(wire: Wire, make_order: Any) -> None:
    """Twenty numbers with two orders each: the first calls are all open at once, then each second follows."""
    together = asyncio.Barrier(20)

    async def play(command: CarrierCommandIssued) -> Outcome:
        if command.action == "activate":
            await together.wait()
        return Succeeded()

    carrier = Noting(play)
    numbers = [f"+353196090{n:02d}" for n in range(20)]
    async with running(wire, carrier):
        await wire.order(*(make_order(action, n) for n in numbers for action in ("activate", "set_capacity")))
        await wire.answers(40)
    for number in numbers:
        assert [c.action for c in carrier.calls if c.number == number] == ["activate", "set_capacity"]


async def test_a_slow_number_does_not_let_offsets_pass_it(wire: Wire, make_order: Any) -> None:
    """Stopped before the answer, the order is read and done again by the next process; later ones are answered too."""
    hold = asyncio.Event()

    async def play(command: CarrierCommandIssued) -> Outcome:
        if command.number.endswith("1"):
            await hold.wait()
        return Succeeded()

    slow, quick = make_order(number="+35319609001"), make_order(number="+35319609002")
    first, second = Noting(play), Noting()
    async with running(wire, first, stop_within_s=0.1):
        await wire.order(slow, quick)
        await wire.answers(1)
        await until(lambda: len(first.calls) == 2, within=SECONDS, what="both calls")
    async with running(wire, second):
        await until(
            lambda: slow.data.command_id in {call.command_id for call in second.calls},
            within=SECONDS,
            what="the slow order again",
        )
        await wire.settled()
    answered = {data.command_id for data in await wire.answers(2)}
    assert answered == {slow.data.command_id, quick.data.command_id}


async def test_reading_ahead_is_bounded_and_goes_on(wire: Wire, make_order: Any) -> None:
    """With ten in hand at most, two hundred orders are all answered."""
    carrier = Noting()
    async with running(wire, carrier, in_hand=10, concurrency=2):
        await wire.order(*(make_order(number=f"+35319609{n:03d}") for n in range(200)))
        answers = await wire.answers(200)
    assert len({data.command_id for data in answers}) == 200


async def test_a_second_process_takes_its_share_and_nothing_is_lost(wire: Wire, make_order: Any) -> None:
    """While orders flow another member joins and leaves: every order is answered, each number in its order."""
    first, second = Noting(), Noting()
    numbers = [f"+35319609{n:03d}" for n in range(60)]
    orders: list[Any] = []

    async def more() -> None:
        orders.append(make_order("set_capacity", numbers[len(orders) % 60]))
        await wire.order(orders[-1])

    async def shared() -> bool:
        await more()
        return bool(second.calls)

    async with running(wire, first):
        await more()
        async with running(wire, second):
            await until(shared, within=SECONDS, what="a share of the second")
        await more()
        await until(lambda: _all_answered(wire, orders), within=SECONDS, what="all answers")
    for number in numbers:
        answered = [r.data.command_id for r in wire.results if r.data.number == number]
        own = [order.data.command_id for order in orders if order.data.number == number]
        assert list(dict.fromkeys(answered)) == own


async def _all_answered(wire: Wire, orders: list[Any]) -> bool:
    await wire.answers(len(wire.results))
    answered = {result.data.command_id for result in wire.results}
    return all(order.data.command_id in answered for order in orders)


async def test_the_simulator_is_a_process_that_answers_and_ends_in_order(
    wire: Wire, make_order: Any, processes: Processes
) -> None:
    """`didflow-simulator` answers a plain and a refused number, survives a kill, and ends on SIGTERM with 0."""
    member = {"DIDFLOW_MEMBER_ID": "simulator-0"}
    env = {"DIDFLOW_KAFKA": wire.kafka, "DIDFLOW_TOPIC_PREFIX": wire.prefix} | member
    command = [str(Path(sysconfig.get_path("scripts")) / "didflow-simulator")]
    killed = processes.start("one", command, env=env)
    await wire.order(make_order(), make_order(number="+35319609990"))
    outcomes = {data.number[-4:]: data.outcome for data in await wire.answers(2)}
    assert outcomes == {"9036": "succeeded", "9990": "failed"}
    await killed.kill()
    await wire.order(make_order(number="+35319609037"))
    follower = processes.start("two", command, env=env)
    await until(lambda: _answered(wire, "+35319609037"), within=SECONDS, what="the follower's answer")
    assert await follower.stop() == 0


async def _answered(wire: Wire, number: str) -> bool:
    await wire.answers(len(wire.results))
    return any(result.data.number == number for result in wire.results)
