"""The generic HTTP adapter as two processes on a real Kafka, with a carrier that fails in every way it can."""

import asyncio
import sysconfig
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from harness.processes import Processes, until
from harness.rest_carrier import KEY, SECRET, TOKEN, configuration_file, free_port

from didflow_contracts.envelope import Event, decode, encode
from didflow_contracts.events import CarrierCommandIssued, ResultReported

NUMBERS = 100
RATE_PER_S = 40
"""The limit of the carrier, and the rate of the adapter."""
WITHOUT_ANSWER_S = 3.0
SECONDS = 60.0
TYPES: Any = {ResultReported.type(): ResultReported}
SCRIPTS = Path(sysconfig.get_path("scripts"))


class Sender:
    """Sends commands again until each one has succeeded, as provisioning does, with shorter pauses."""

    def __init__(self, prefix: str, producer: Any, new_command: Any) -> None:
        self._topic = prefix + CarrierCommandIssued.topic
        self._producer = producer
        self._new_command = new_command
        self._open: dict[UUID, tuple[Any, float]] = {}
        self.attempts = 0
        self.failures: set[str] = set()
        self.succeeded: set[UUID] = set()

    async def send(self, command: Event[CarrierCommandIssued]) -> None:
        """Send an attempt."""
        self.attempts += 1
        self._open[command.data.command_id] = (command, time.monotonic() + WITHOUT_ANSWER_S)
        await self._producer.send_and_wait(self._topic, encode(command), key=command.subject.encode())

    async def take(self, data: ResultReported) -> None:
        """Note a result. After a retryable failure, the next attempt is sent soon."""
        if data.outcome == "succeeded":
            self.succeeded.add(data.command_id)
            self._open.pop(data.command_id, None)
            return
        assert data.retryable, data
        self.failures.add(data.code or "")
        if data.command_id in self._open:
            command, _ = self._open[data.command_id]
            self._open[data.command_id] = (command, time.monotonic() + 0.2)

    async def send_again(self) -> None:
        """Send the next attempt of each command whose time has come."""
        for command, due in list(self._open.values()):
            if due <= time.monotonic():
                data = command.data
                fields = {"command_id": data.command_id, "did_id": data.did_id, "carrier": data.carrier}
                await self.send(
                    self._new_command(data.action, data.number, attempt=data.attempt + 1, **fields)
                )


async def test_every_number_becomes_active_once_while_requests_fail_and_the_adapter_is_killed(
    kafka: str, topics: str, new_command: Any, processes: Processes, tmp_path: Path
) -> None:
    """30 % fail, 5 % are never answered, 1 in 50 is reported twice. All webhooks go to the process that lives on.

    The carrier's log has each command once, and no second with more requests than its rate.
    """
    carrier_port, killed_port, living_port = free_port(), free_port(), free_port()
    env = {
        "DIDFLOW_KAFKA": kafka,
        "DIDFLOW_TOPIC_PREFIX": topics,
        "CARRIER_TOKEN": TOKEN,
        "CARRIER_WEBHOOK_SECRET": SECRET,
        "CALLBACK_KEY": KEY,
        "DIDFLOW_RATE_PER_S": str(RATE_PER_S),
        "DIDFLOW_RATE_HEADROOM_S": "10",
    }
    carrier = [str(SCRIPTS / "didflow-http-carrier"), "--port", str(carrier_port), "--seed", "7"]
    carrier += ["--failing", "0.3", "--silent", "0.05", "--twice", "0.02"]
    processes.start("carrier", [*carrier, "--rate", str(RATE_PER_S), "--asynchronous", "activate"], env=env)
    adapters = []
    for name, port in (("killed", killed_port), ("living", living_port)):
        file = configuration_file(tmp_path, carrier_port, port, living_port, timeout_s=1)
        adapters.append(
            processes.start(name, [str(SCRIPTS / "didflow-http-adapter"), "run", str(file)], env=env)
        )
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    consumer = AIOKafkaConsumer(
        topics + ResultReported.topic, bootstrap_servers=kafka, auto_offset_reset="earliest"
    )
    await producer.start()
    await consumer.start()
    try:
        sender = Sender(topics, producer, new_command)
        commands = [new_command(number=f"+3531960{n:04d}", carrier="rest") for n in range(NUMBERS)]
        await asyncio.gather(*(sender.send(command) for command in commands))

        async def has_succeeded(count: int) -> bool:
            for records in (await consumer.getmany(timeout_ms=100)).values():
                for record in records:
                    result: Any = decode(record.value, record.headers, types=TYPES)
                    await sender.take(result.data)
            await sender.send_again()
            return len(sender.succeeded) >= count

        await until(lambda: has_succeeded(NUMBERS // 4), within=SECONDS, what="the first quarter")
        await adapters[0].kill()
        await until(lambda: has_succeeded(NUMBERS), within=SECONDS, what="all numbers")
    finally:
        await consumer.stop()
        await producer.stop()
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        log = (await client.get(f"http://127.0.0.1:{carrier_port}/log")).json()
    executed = [execution["key"] for execution in log["executions"]]
    assert sorted(executed) == sorted(str(command.data.command_id) for command in commands)
    assert "carrier_unavailable" in sender.failures
    assert (log["refused"], log["most_asked_in_a_second"] <= RATE_PER_S) == (0, True)
    assert sender.attempts > NUMBERS
