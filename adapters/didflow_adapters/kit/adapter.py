"""The adapter of one carrier: it receives carrier commands and publishes their results, at least once.

FastStream does the Kafka side: connections and their security, the consumer of the group, the loop that reads records
and survives errors, and the producer. Three parts are the kit's own:

- Decoding. FastStream's parser decodes all headers and drops a whole poll if it cannot decode one. The parser in
  `kafka` passes the records on unchanged, so that the offset of each one is counted.
- Concurrency. FastStream runs the handler for one poll at a time, or for several without an order for each number.
  The handler therefore only starts the commands. `NumberQueues` runs commands of different numbers concurrently and
  those of one number in order.
- Commits. FastStream's acknowledgement commits everything that was read. Results are published in another order than
  commands are read, so `PendingOffsets` finds the offset before the first record without a published result. If the
  process dies, records from that offset on are read again.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, Final

import structlog
from aiokafka import ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from didflow_adapters.kit.call_limits import CallLimits
from didflow_adapters.kit.carrier import Carrier, Outcome
from didflow_adapters.kit.execution import CommandExecutor, result_event, source_of
from didflow_adapters.kit.former_results import FormerResults
from didflow_adapters.kit.kafka import command_event, command_subscriber, kafka_broker
from didflow_adapters.kit.metrics import Metrics
from didflow_adapters.kit.outcomes import KnownOutcomes
from didflow_adapters.kit.progress import NumberQueues, PendingOffsets, PendingRecord
from didflow_adapters.kit.reference import PRESENT, CommandReference
from didflow_adapters.kit.settings import AdapterSettings
from didflow_adapters.kit.topics import check_topics
from didflow_contracts.envelope import CONTENT_TYPE, Event, encode
from didflow_contracts.events import CarrierCommandIssued, ResultReported

COMMIT_INTERVAL_S: Final = 0.1
COMMIT_WITHIN_S: Final = 5.0
"""Kafka's client tries a commit again until a broker answers. A stop or a rebalance waits no longer than this."""
RETRY_S: Final = 1.0
"""The pause after a publication or a commit that failed."""
_LOG = structlog.get_logger(__name__)


class Adapter:
    """The adapter of one carrier. `run` returns after `stop` is called."""

    def __init__(self, carrier: Carrier, settings: AdapterSettings, metrics: Metrics | None = None) -> None:
        self.carrier = carrier
        self._settings = settings
        self._metrics = metrics or Metrics()
        self._limits = CallLimits(settings.concurrency, settings.rate_per_s, settings.rate_headroom_s)
        former = FormerResults(settings, carrier.name, source_of(carrier.name))
        self._outcomes = KnownOutcomes(former.read, settings.remember)
        self._executor = CommandExecutor(
            carrier,
            settings.call_timeout_s,
            outcomes=self._outcomes,
            limits=self._limits,
            metrics=self._metrics,
        )
        self._queues = NumberQueues()
        self._offsets: PendingOffsets[TopicPartition] = PendingOffsets()
        self._tasks: defaultdict[TopicPartition, set[asyncio.Task[None]]] = defaultdict(set)
        self._stopping = asyncio.Event()
        self._results = settings.topic_prefix + ResultReported.topic
        self._commands = settings.topic_prefix + CarrierCommandIssued.topic
        self._broker = kafka_broker(settings, carrier.name)
        self._subscriber = command_subscriber(self._broker, settings, carrier.name, _RebalanceListener(self))
        self._subscriber(self._receive)

    def stop(self) -> None:
        """Ask `run` to finish the calls that have begun, and return. It drops commands that have not begun."""
        self._stopping.set()

    async def run(self) -> None:
        """Execute carrier commands until stopped.

        Raises KafkaError if no broker answers at the start, and DifferentPartitions.
        """
        await check_topics(self._settings)
        committing = asyncio.create_task(self._commit_regularly())
        try:
            await self._broker.start()
            _LOG.info("adapter started", carrier=self.carrier.name, version=version("didflow-adapters"))
            await self._stopping.wait()
        finally:
            self._stopping.set()
            self._drop_waiting(task for tasks in self._tasks.values() for task in tuple(tasks))
            await self._queues.drain(self._settings.stop_within_s)
            await self._outcomes.stop()
            committing.cancel()
            await self._commit()
            await self._broker.stop()
            _LOG.info("adapter stopped", carrier=self.carrier.name)

    def wrong(self) -> Sequence[str]:
        """Return why commands are not executed now, as texts for people. Empty: the adapter is ready."""
        name, consumer = self.carrier.name, self._subscriber.consumer
        if consumer is None:
            return [f"{name}: not connected to Kafka."]
        if self._outcomes.is_loading:
            return [f"{name}: former results are being read."]
        return []

    def observe(self) -> None:
        """Set the metrics of what is true now."""
        self._metrics.state(self.carrier.name, waiting=self._queues.busy, paused_s=self._limits.paused_s)

    def partitions_assigned(self, partitions: Collection[TopicPartition]) -> None:
        """Begin to accept records of these partitions. aiokafka calls this before it fetches the first of them."""
        self._offsets.open(partitions)
        self._outcomes.open({one.partition for one in partitions})
        self._set_part_of_rate(len(partitions))
        self._limit_reading()
        _LOG.info("partitions assigned", partitions=len(partitions))

    async def partitions_revoked(self, partitions: Collection[TopicPartition]) -> None:
        """Finish the calls for partitions that go to another member, for `stop_within_s` at most.

        Commands that were read and not passed to the carrier are dropped: the next owner reads them again.
        """
        numbers = {one.partition for one in partitions}
        self._offsets.close(partitions)
        self._outcomes.stop_loading(numbers)
        tasks = [task for partition in partitions for task in self._tasks.pop(partition, ())]
        self._drop_waiting(tasks)
        if tasks:
            await asyncio.wait(tasks, timeout=self._settings.stop_within_s)
        await self._commit()
        self._offsets.forget(partitions)
        self._outcomes.forget(numbers)

    def _drop_waiting(self, tasks: Iterable[asyncio.Task[None]]) -> None:
        """Cancel those whose command was not passed to the carrier. It is read again, here or by another process."""
        for task in tasks:
            if not self._executor.has_begun(task):
                task.cancel()

    def _set_part_of_rate(self, assigned: int) -> None:
        """Set the part of the carrier's rate that this process has."""
        consumer = self._subscriber.consumer
        everything = consumer and consumer.partitions_for_topic(self._commands)
        self._limits.set_part(assigned, max(1, assigned, len(everything or ())))

    async def _receive(self, records: Sequence[ConsumerRecord]) -> None:
        """Start the commands in these records. Never waits for a command and never raises.

        A consumer that is not polled for 5 minutes leaves its group. A carrier that hangs must not cause that, so
        reading is limited by pauses, and FastStream continues to poll.
        """
        for record in records:
            await self._start(record)
        self._limit_reading()

    def _limit_reading(self) -> None:
        """Pause all partitions while another poll could exceed `read_ahead` commands in progress."""
        consumer = self._subscriber.consumer
        if consumer is None:
            return
        if self._queues.busy > self._settings.read_ahead - self._settings.poll_records:
            consumer.pause(*consumer.assignment())
        elif paused := consumer.paused():
            consumer.resume(*paused)

    async def _start(self, record: ConsumerRecord) -> None:
        """Start the command in a record, if it is one for this carrier."""
        partition = TopicPartition(record.topic, record.partition)
        if not await self._is_current(partition, record.offset):
            return
        # MUST NOT await between the check and `add`: the partition could be revoked in between.
        pending = self._offsets.add(partition, record.offset)
        if pending is None:
            return
        event = command_event(record)
        if event is None or event.data.carrier != self.carrier.name:
            self._finish(pending)
            return
        task = self._queues.start(
            event.data.number, lambda: self._process(event, partition.partition, pending)
        )
        self._tasks[partition].add(task)
        task.add_done_callback(self._tasks[partition].discard)
        task.add_done_callback(lambda _: self._limit_reading())

    async def _is_current(self, partition: TopicPartition, offset: int) -> bool:
        """Return False if the record was read before its partition was revoked. Its next owner reads it again."""
        consumer = self._subscriber.consumer
        if self._stopping.is_set() or consumer is None:
            return False
        try:
            position: int = await consumer.position(partition)
        except KafkaError:
            return False
        return position > offset

    async def report(self, reference: CommandReference, outcome: Outcome) -> None:
        """Publish an outcome that the carrier reported after its method returned `Later`, at any process.

        Publishing it again is harmless. Returns when the broker has acknowledged it. From then on, this process answers
        the command with it if the command comes again. A result is in the partition with the number of its command's.
        """
        result = result_event(reference, outcome, datetime.now(UTC))
        if result is not None:
            partition = await self._publish(result)
            self._outcomes.add(partition, reference.command_id, outcome)

    async def _process(
        self, event: Event[CarrierCommandIssued], partition: int, pending: PendingRecord
    ) -> None:
        """Execute a command and publish its result. A command without a result is sent again by its owner."""
        PRESENT.set(CommandReference.of(event))
        try:
            outcome = await self._executor.execute(event.data, partition)
            result = result_event(event, outcome, datetime.now(UTC))
        except Exception:  # noqa: BLE001 - a record that never finishes would hold back the commits of its partition
            _LOG.exception("a command has no result", command_id=str(event.data.command_id))
            result = None
        if result is not None:
            await self._publish(result)
        self._finish(pending)

    def _finish(self, pending: PendingRecord) -> None:
        pending.is_finished = True
        self._offsets.changed.set()

    async def _publish(self, result: Event[ResultReported]) -> int:
        """Publish a result, and try again until the broker acknowledges it. Return its partition."""
        value, key = encode(result), result.subject.encode()
        while True:
            try:
                sent: Any = await self._broker.publish(
                    value,
                    self._results,
                    key=key,
                    headers={"content-type": CONTENT_TYPE},
                    correlation_id=result.correlationid,
                )
            except KafkaError as error:
                _LOG.warning("a result could not be published; will retry", error=type(error).__name__)
                await asyncio.sleep(RETRY_S)
            else:
                self._metrics.published(self.carrier.name)
                return int(sent.partition)

    async def _commit_regularly(self) -> None:
        while True:
            await self._offsets.changed.wait()
            self._offsets.changed.clear()
            if await self._commit():
                await asyncio.sleep(COMMIT_INTERVAL_S)
            else:
                self._offsets.changed.set()
                await asyncio.sleep(RETRY_S)

    async def _commit(self) -> bool:
        """Commit what can be committed. Return False if the broker did not accept it. Never raises."""
        offsets = self._offsets.committable()
        consumer = self._subscriber.consumer
        if not offsets or consumer is None:
            return True
        try:
            async with asyncio.timeout(COMMIT_WITHIN_S):
                await consumer.commit(offsets)
        except Exception as error:  # noqa: BLE001 - the task that commits must go on, whatever the client raises
            _LOG.info("offsets were not committed; commands may be read again", error=type(error).__name__)
            return False
        self._offsets.committed(offsets)
        return True


class _RebalanceListener(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter

    async def on_partitions_revoked(self, revoked: Any) -> None:
        await self._adapter.partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: Any) -> None:
        self._adapter.partitions_assigned(assigned)
