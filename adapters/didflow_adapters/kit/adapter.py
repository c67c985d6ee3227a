"""Reads one carrier's orders and answers them: at least once, in order for each number, many numbers at once.

An order's offset is committed only when its result is acknowledged, so a process that dies leaves it to be read
again.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

import structlog
from aiokafka import ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from didflow_adapters.kit import brokers
from didflow_adapters.kit.answers import answer
from didflow_adapters.kit.carrier import Carrier, Outcome
from didflow_adapters.kit.doing import do
from didflow_adapters.kit.lanes import Lanes
from didflow_adapters.kit.memory import Memory
from didflow_adapters.kit.offsets import Offsets, Slot
from didflow_adapters.kit.settings import AdapterSettings
from didflow_contracts.envelope import CONTENT_TYPE, BadEvent, Event, decode, encode
from didflow_contracts.events import CarrierCommandIssued, ResultReported

POLL_MS = 100
SEND_AGAIN_S = 1.0
_KNOWN = {CarrierCommandIssued.type(): CarrierCommandIssued}
_LOG = structlog.get_logger(__name__)


class Adapter:
    """One carrier's adapter. `run` until `stop` is called."""

    def __init__(self, carrier: Carrier, settings: AdapterSettings) -> None:
        self.carrier = carrier
        self._settings = settings
        self._memory = Memory()
        self._lanes = Lanes(settings.concurrency)
        self._offsets: Offsets[TopicPartition] = Offsets()
        self._jobs: dict[TopicPartition, set[asyncio.Task[None]]] = defaultdict(set)
        self._stopping = asyncio.Event()
        self._results = settings.topic_prefix + ResultReported.topic
        self._orders = settings.topic_prefix + CarrierCommandIssued.topic

    def stop(self) -> None:
        """Ask `run` to finish what is in hand and return."""
        self._stopping.set()

    async def run(self) -> None:
        """Answer orders until stopped. Raises KafkaError when no broker answers at the start."""
        self._consumer = brokers.consumer(self._settings, self.carrier.name)
        self._producer = brokers.producer(self._settings, self.carrier.name)
        await self._producer.start()
        try:
            self._consumer.subscribe([self._orders], listener=_Handover(self))
            await self._consumer.start()
            try:
                _LOG.info("adapter runs", carrier=self.carrier.name)
                await self._read()
            finally:
                await self._lanes.drain(self._settings.stop_within_s)
                await self._commit()
                await self._consumer.stop()
        finally:
            await self._producer.stop()
            _LOG.info("adapter stopped", carrier=self.carrier.name)

    async def hand_over(self, partitions: Collection[TopicPartition]) -> None:
        """Finish what is in hand of partitions that go to another member, if that is soon done."""
        open_jobs = [job for partition in partitions for job in self._jobs.pop(partition, ())]
        if open_jobs:
            await asyncio.wait(open_jobs, timeout=self._settings.stop_within_s)
        await self._commit()
        self._offsets.forget(partitions)

    async def _read(self) -> None:
        while not self._stopping.is_set():
            self._pause_if_full()
            found = await self._consumer.getmany(timeout_ms=POLL_MS)
            for partition, records in found.items():
                for record in records:
                    self._take(partition, record)
            await self._commit()

    def _pause_if_full(self) -> None:
        """Read no further ahead than allowed, and go on polling, so that the group knows that we live."""
        assigned = self._consumer.assignment()
        if self._lanes.busy >= self._settings.in_hand:
            self._consumer.pause(*assigned)
        elif self._consumer.paused():
            self._consumer.resume(*self._consumer.paused() & assigned)

    def _take(self, partition: TopicPartition, record: ConsumerRecord) -> None:
        slot = self._offsets.take(partition, record.offset)
        order = _order(record)
        if order is None or order.data.carrier != self.carrier.name:
            slot.done = True
            return
        job = self._lanes.start(order.data.number, lambda: self._serve(order, slot))
        jobs = self._jobs[partition]
        jobs.add(job)
        job.add_done_callback(jobs.discard)

    async def _serve(self, order: Event[CarrierCommandIssued], slot: Slot) -> None:
        said = answer(order, await self._outcome(order.data), datetime.now(UTC))
        if said is not None:
            await self._send(said)
        slot.done = True

    async def _outcome(self, command: CarrierCommandIssued) -> Outcome:
        known = self._memory.recall(command.command_id)
        if known is not None:
            return known
        outcome = await do(self.carrier, command, self._settings.call_timeout_s)
        self._memory.keep(command.command_id, outcome)
        _LOG.info("order", action=command.action, number=command.number, outcome=type(outcome).__name__)
        return outcome

    async def _send(self, result: Event[ResultReported]) -> None:
        """Publish a result, again and again until it is acknowledged."""
        value, key = encode(result), result.subject.encode()
        headers = [("content-type", CONTENT_TYPE.encode())]
        while True:
            try:
                await self._producer.send_and_wait(self._results, value, key=key, headers=headers)
            except KafkaError as error:
                _LOG.warning("a result waits for the broker", error=type(error).__name__)
                await asyncio.sleep(SEND_AGAIN_S)
            else:
                return

    async def _commit(self) -> None:
        offsets = self._offsets.ready()
        if not offsets:
            return
        try:
            await self._consumer.commit(offsets)
        except (KafkaError, IllegalStateError) as error:
            _LOG.info("offsets were not committed; orders may come again", error=type(error).__name__)
        else:
            self._offsets.committed(offsets)


class _Handover(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter

    async def on_partitions_revoked(self, revoked: Any) -> None:
        await self._adapter.hand_over(revoked)

    async def on_partitions_assigned(self, assigned: Any) -> None:
        _LOG.info("partitions assigned", partitions=len(assigned))


def _order(record: ConsumerRecord) -> Event[CarrierCommandIssued] | None:
    """Read an order; what is none is passed over with a log line: it would come again as its next attempt."""
    try:
        event: Any = decode(record.value, record.headers, types=_KNOWN)
    except BadEvent as bad:
        _LOG.warning("no order", code=bad.code, reason=bad.reason, offset=record.offset)
        return None
    order: Event[CarrierCommandIssued] = event
    return order
