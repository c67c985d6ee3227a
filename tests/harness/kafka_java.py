"""Apache Kafka as a Java process of the test run: one KRaft node on free ports, with its data in a given folder."""

import asyncio
import shutil
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from didflow.embedded.child import Child
from didflow.embedded.ports import free_port
from didflow.embedded.wait import DeadlineMissedError, until
from harness.access import Guard
from harness.broker import KafkaUnavailableError
from harness.fault_journal import JOURNAL
from harness.kafka_jars import formatted_storage, kafka_jars
from harness.topics import is_serving

_START_SECONDS: Final = 60.0
_TERMINATE_THEN_KILL: Final = ((signal.SIGTERM, 30.0), (signal.SIGKILL, 5.0))
BRIEF: Final = ("-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")
"""Options of a JVM that runs for minutes. They shorten its start; optimizing compilation is off."""
LASTING: Final = ("-Xms512m", "-Xmx1g", "-XX:+UseSerialGC", "-Xshare:auto")
"""Options of a JVM that is measured. It compiles as in production, after some minutes of load."""
_PROPERTIES: Final = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={log}
auto.create.topics.enable=false
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=500
message.max.bytes=2097152
log.segment.delete.delay.ms=1000
log.index.size.max.bytes=262144
log.cleaner.dedupe.buffer.size=4194304
num.network.threads=2
num.io.threads=4
num.recovery.threads.per.data.dir=4
controlled.shutdown.max.retries=1
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
"""


@dataclass(kw_only=True)
class JavaBroker:
    """A Kafka process that ends with the test run. It keeps ports and data when it is stopped and started again."""

    folder: Path
    jars: Path
    port: int
    guard: Guard | None = None
    jvm: tuple[str, ...] = BRIEF
    child: Child | None = field(default=None, repr=False)

    @classmethod
    async def create(cls, folder: Path, guard: Guard | None = None, *, jvm: tuple[str, ...] = BRIEF) -> Self:
        """Prepare a broker in an empty folder and start it. Raises KafkaUnavailableError.

        With a guard, the broker authenticates its clients and denies everything that no rule allows.
        """
        jars = await asyncio.to_thread(kafka_jars)
        blank = _PROPERTIES.replace("{controller}", "19093").replace("{broker}", "19092")
        storage = await asyncio.to_thread(formatted_storage, jars, blank)
        broker = cls(folder=folder, jars=jars, port=free_port(), guard=guard, jvm=jvm)
        await asyncio.to_thread(shutil.copytree, storage, folder / "log")
        values = {"controller": free_port(), "broker": broker.port, "log": folder / "log"}
        properties = _PROPERTIES + (guard.properties if guard else "")
        (folder / "server.properties").write_text(properties.format(**values))
        await broker.start()
        return broker

    @property
    def bootstrap(self) -> str:
        """Return `host:port` for clients. It is the same after a restart."""
        return f"127.0.0.1:{self.port}"

    @property
    def _client(self) -> dict[str, Any]:
        return self.guard.client() if self.guard else {}

    async def start(self) -> None:
        """Start the broker, and return when it serves clients. Raises KafkaUnavailableError."""
        main = ["-cp", f"{self.jars}/*", "kafka.Kafka", str(self.folder / "server.properties")]
        child = Child.start(["java", *self.jvm, *main], log=self.folder / "kafka.log", cwd=self.folder)
        self.child = child

        async def settled() -> bool:
            return child.exit_code is not None or await is_serving(self.bootstrap, **self._client)

        try:
            await until(settled, within=_START_SECONDS, what="start of Kafka")
        except DeadlineMissedError:
            await child.kill()
        if child.exit_code is not None:
            raise KafkaUnavailableError(f"Kafka did not start: {child.log_tail()}")
        JOURNAL.lift("broker")

    async def stop(self) -> None:
        """Shut the broker down. Its data stays."""
        JOURNAL.begin("broker stopped", "broker")
        if self.child is not None:
            await self.child.stop(_TERMINATE_THEN_KILL)

    async def kill(self) -> None:
        """Kill the broker as kill -9 does. Its data stays."""
        JOURNAL.begin("broker killed", "broker")
        if self.child is not None:
            await self.child.kill()

    async def remove(self) -> None:
        """Kill the broker. Its data is not needed any more, so no orderly shutdown is necessary."""
        await self.kill()
