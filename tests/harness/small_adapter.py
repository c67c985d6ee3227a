"""A small adapter without the kit, with its carrier inside. It can be broken on purpose in one way at a time."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from didflow.embedded.kafka import HEARTBEAT_INTERVAL_MS, SESSION_TIMEOUT_MS
from harness.memory_kafka import MemoryKafka

_ATTRIBUTES = "specversion id source type subject time sequence correlationid datacontenttype data"


Clients = Callable[[], tuple[Any, Any]]
"""Returns a new consumer of the commands and a new producer."""


def clients_of(kafka: str | MemoryKafka) -> Clients:
    """Return the clients of a Kafka, or of topics in memory."""
    topic, group = "provisioning.commands", "adapter-small"
    if isinstance(kafka, MemoryKafka):
        return lambda: (kafka.consumer(topic, group), kafka.producer())
    options = {
        "group_id": group,
        "auto_offset_reset": "earliest",
        "enable_auto_commit": False,
        "session_timeout_ms": SESSION_TIMEOUT_MS,
        "heartbeat_interval_ms": HEARTBEAT_INTERVAL_MS,
        "fetch_max_wait_ms": 10,
    }
    return lambda: (
        AIOKafkaConsumer(topic, bootstrap_servers=kafka, **options),
        AIOKafkaProducer(bootstrap_servers=kafka),
    )


class SmallAdapter:
    """The adapter of the carrier `small`. `defect` is empty for one that conforms."""

    def __init__(self, clients: Clients, defect: str = "", slow_s: float = 3.0) -> None:
        self._clients, self._defect, self._slow_s = clients, defect, slow_s
        self._born, self._born_at = datetime.now(UTC), asyncio.get_running_loop().time()
        self.executed: list[UUID] = []
        self._done: dict[str, dict[str, Any]] = {}
        self._calls: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._last: dict[str, asyncio.Task[None]] = {}

    async def start(self) -> None:
        """Join the group and read."""
        self._consumer, self._producer = self._clients()
        await self._consumer.start()
        await self._producer.start()
        self._reading = asyncio.create_task(self._read())

    async def stop(self) -> None:
        """End as a kill does: nothing that is in progress is finished or committed."""
        for task in (self._reading, *self._tasks):
            task.cancel()
        await asyncio.gather(self._reading, *self._tasks, return_exceptions=True)
        self._last.clear()
        await self._consumer.stop()
        await self._producer.stop()

    async def restart(self) -> None:
        """Kill the adapter and start it again. Its store of outcomes stays."""
        await self.stop()
        if self._defect == "forgets_at_restart":
            self._done.clear()
        await self.start()

    def failure(self) -> str | None:
        """Return None: the run does not see the process."""
        return None

    async def _read(self) -> None:
        async for record in self._consumer:
            if self._defect == "silent":
                continue
            if self._defect == "commits_first":
                await self._consumer.commit(
                    {TopicPartition(record.topic, record.partition): record.offset + 1}
                )
            event = self._command(record.value)
            if event is None:
                continue
            await self._begin(event)

    def _command(self, value: bytes | None) -> Any:
        if self._defect == "dies_of_garbage":
            return orjson.loads(value or b"")
        try:
            event = orjson.loads(value or b"")
            mine = event["data"]["carrier"] == "small" or self._defect == "answers_others"
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return None
        if self._defect == "strict" and set(event) - set(_ATTRIBUTES.split()):
            return None
        return event if mine and event["type"] == "didflow.provisioning.commands.v1" else None

    async def _begin(self, event: Any) -> None:
        """Start a command. Those of one number run one after another."""
        key = event["data"]["number"]
        before = self._last.get(key) if self._defect not in ("unordered", "two_at_once") else None
        task = asyncio.create_task(self._process(event, before))
        self._last[key] = task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if self._defect == "one_at_a_time":
            await task

    async def _process(self, event: Any, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait((before,))
        data = event["data"]
        if self._defect == "unordered":
            await asyncio.sleep(0.2 / data["parameters"].get("capacity", 1))
        known = self._done.get(data["command_id"])
        if known is not None and self._defect == "ignores_repeats":
            return
        outcome = known or await self._execute(data)
        if self._defect == "drops_late" and data["deadline"] < self._now().isoformat():
            return
        await self._publish(event, outcome)

    def _now(self) -> datetime:
        """Return the time by the clock of the event loop, which can be virtual."""
        return self._born + timedelta(seconds=asyncio.get_running_loop().time() - self._born_at)

    async def _execute(self, data: Any) -> dict[str, Any]:
        outcome = await self._ask(data, data["command_id"])
        if self._defect == "final_as_retryable":
            outcome = outcome | {"retryable": True}
        elif self._defect == "retryable_as_final":
            outcome = outcome | {"retryable": False}
        elif self._defect == "no_retry_after":
            outcome.pop("retry_after_s", None)
        elif self._defect == "no_code":
            outcome.pop("code", None)
        is_final = outcome["outcome"] == "succeeded" or not outcome.get("retryable")
        if (is_final and self._defect != "no_memory") or self._defect == "remembers_failures":
            if self._defect == "remembers_one":
                self._done.clear()
            self._done[data["command_id"]] = outcome
        return outcome

    async def _ask(self, data: Any, command_id: str) -> dict[str, Any]:
        """Answer as the carrier, by the last digits of the number."""
        digits = data["number"][-4:]
        self._calls[command_id] += 1
        if digits == "9991":
            return {"outcome": "failed", "retryable": False, "code": "rejected"}
        if digits == "9992" and self._calls[command_id] == 1:
            return {"outcome": "failed", "retryable": True, "code": "carrier_unavailable"}
        if digits == "9993" and self._calls[command_id] == 1:
            return {"outcome": "failed", "retryable": True, "code": "rate_limited", "retry_after_s": 1}
        if digits == "9996":
            await asyncio.sleep(self._slow_s)
        self.executed.append(UUID(command_id))
        reference = "done" if self._defect == "one_reference" else f"S-{uuid4().hex[:8]}"
        return {"outcome": "succeeded", "carrier_reference": reference}

    def _event_id(self, result: Any) -> str:
        """Return the id of a result: a new one, unless the adapter repeats its results exactly or is broken."""
        if self._defect == "repeats_exactly":
            return f"{result['command_id']} {result['attempt']} {result['outcome']}"
        return "same" if self._defect == "same_id" else str(uuid4())

    async def _publish(self, event: Any, outcome: dict[str, Any]) -> None:
        data = event["data"]
        names = ("did_id", "number", "account", "command_id", "attempt")
        result = {name: data[name] for name in names} | outcome
        value = {
            "specversion": "1.0",
            "id": self._event_id(result),
            "source": "/orders/small" if self._defect == "wrong_source" else "/carriers/small",
            "type": "didflow.provisioning.results.v1",
            "subject": data["number"],
            "time": datetime.now(UTC).isoformat(),
            "causationid": "another" if self._defect == "wrong_cause" else event["id"],
            "data": result,
        }
        if self._defect == "wrong_account":
            result["account"] = "master/another"
        if self._defect == "wrong_attempt":
            result["attempt"] = 7
        key = b"key" if self._defect == "wrong_key" else data["number"].encode()
        content = [("content-type", b"application/cloudevents+json")]
        with contextlib.suppress(asyncio.CancelledError):
            await self._producer.send_and_wait(
                "provisioning.results", orjson.dumps(value), key=key, headers=content
            )
