"""The final outcomes of commands, by partition: a command that comes again is answered from here.

What was published on `provisioning.results` is read back when a partition is assigned. A command and its results have
the same key, so they are in partitions of the same number, and the process that gets the commands of a partition gets
their outcomes.
Source: docs/decisions/0013-outcomes.md.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from typing import Final
from uuid import UUID

import structlog

from didflow_adapters.kit.carrier import Failed, Later, Outcome, Succeeded

Read = Callable[[Collection[int]], AsyncIterator[tuple[int, UUID, Outcome]]]
"""Yields partition, command id and outcome of the stored results of some partitions, the oldest first."""

RETRY_S: Final = 1.0
_LOG = structlog.get_logger(__name__)


class FinalOutcomes:
    """The last `limit` final outcomes of one partition by `command_id`."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._outcomes: OrderedDict[bytes, Outcome] = OrderedDict()

    def get(self, command_id: UUID) -> Outcome | None:
        """Return the final outcome of a command, or None if the carrier must be called."""
        return self._outcomes.get(command_id.bytes)

    def add(self, command_id: UUID, outcome: Outcome) -> None:
        """Remember a success or a final failure. Other outcomes are not remembered, and no failure after a success."""
        if isinstance(outcome, Later) or (isinstance(outcome, Failed) and outcome.retryable):
            return
        key = command_id.bytes
        if isinstance(outcome, Failed) and isinstance(self._outcomes.get(key), Succeeded):
            return
        self._outcomes[key] = outcome
        self._outcomes.move_to_end(key)
        if len(self._outcomes) > self._limit:
            self._outcomes.popitem(last=False)


class KnownOutcomes:
    """The final outcomes of the assigned partitions. `read` reads back what was published before."""

    def __init__(self, read: Read, limit: int) -> None:
        self._read, self._limit = read, limit
        self._partitions: dict[int, FinalOutcomes] = {}
        self._loading: dict[int, asyncio.Future[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_loading(self) -> bool:
        """True while commands wait for what was published before."""
        return any(not loaded.done() for loaded in self._loading.values())

    def open(self, partitions: Collection[int]) -> None:
        """Begin to read back the outcomes of partitions that were assigned."""
        loop = asyncio.get_running_loop()
        for partition in partitions:
            self._partitions[partition] = FinalOutcomes(self._limit)
            self._loading[partition] = loop.create_future()
        if partitions:
            loaded = {partition: self._loading[partition] for partition in partitions}
            task = asyncio.create_task(self._load(loaded))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def stop_loading(self, partitions: Iterable[int]) -> None:
        """Cancel the commands that still wait for the outcomes of these partitions: they go to another process."""
        for partition in partitions:
            loaded = self._loading.get(partition)
            if loaded is not None:
                loaded.cancel()

    def forget(self, partitions: Iterable[int]) -> None:
        """Forget the outcomes of partitions that went to another process."""
        for partition in partitions:
            self._partitions.pop(partition, None)
            self._loading.pop(partition, None)

    async def get(self, partition: int, command_id: UUID) -> Outcome | None:
        """Return the final outcome of a command, or None if the carrier must be called.

        Waits until the outcomes of the partition are read back. Raises CancelledError if the partition was revoked.
        """
        loaded = self._loading.get(partition)
        if loaded is None:
            raise asyncio.CancelledError
        await asyncio.shield(loaded)
        outcomes = self._partitions.get(partition)
        if outcomes is None:
            raise asyncio.CancelledError
        return outcomes.get(command_id)

    def add(self, partition: int, command_id: UUID, outcome: Outcome) -> None:
        """Remember the outcome of a command if it is final and the partition is still assigned."""
        outcomes = self._partitions.get(partition)
        if outcomes is not None:
            outcomes.add(command_id, outcome)

    async def stop(self) -> None:
        """Stop reading."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.stop_loading(self._loading)

    async def _load(self, loaded: dict[int, asyncio.Future[None]]) -> None:
        """Read back the outcomes of these partitions, and try again until that succeeds. Commands wait meanwhile."""
        while wanted := [partition for partition, future in loaded.items() if not future.done()]:
            try:
                count = 0
                async for partition, command_id, outcome in self._read(wanted):
                    if self._loading.get(partition) is loaded[partition]:
                        self.add(partition, command_id, outcome)
                        count += 1
            except Exception as error:  # noqa: BLE001 - commands wait until it succeeds, whatever the reason
                _LOG.warning("former results were not read; commands wait", error=type(error).__name__)
                await asyncio.sleep(RETRY_S)
                continue
            for future in loaded.values():
                if not future.done():
                    future.set_result(None)
            _LOG.info("former results were read", partitions=len(wanted), results=count)
