"""The harness: a Kafka that can be restarted, databases from templates, processes that end with their test."""

import asyncio
import signal

import asyncpg
import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from harness.broker import Broker
from harness.fixtures import DatabaseFor
from harness.processes import Processes, has_ended, until

from didflow.embedded.parent_watch import start_watcher
from didflow.embedded.wait import DeadlineMissedError

HEADERS = (("odd", b"\xff\xfe\x00"),)


async def read_one(bootstrap: str, topic: str, group: str) -> bytes:
    """Read the first record of a topic as a member of a group."""
    async with AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, group_id=group, auto_offset_reset="earliest"
    ) as consumer:
        record = await asyncio.wait_for(consumer.getone(), 20)
        assert tuple(record.headers) == HEADERS
        return bytes(record.value)


async def test_a_record_makes_the_round_trip_over_real_kafka(kafka: str, topics: str) -> None:
    """An idempotent producer and a consumer group use a topic of this test."""
    topic = f"{topics}did.purchased"
    async with AIOKafkaProducer(bootstrap_servers=kafka, acks="all", enable_idempotence=True) as producer:
        assert await producer.partitions_for(topic) == set(range(12))
        await producer.send_and_wait(topic, b"value", key=b"key", headers=list(HEADERS))
    assert await read_one(kafka, topic, f"{topics}inventory") == b"value"


@pytest.mark.parametrize("topics", [2], indirect=True)
async def test_topics_can_have_fewer_partitions(kafka: str, topics: str) -> None:
    """A test that needs few partitions sets their number, and is faster."""
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        assert await producer.partitions_for(f"{topics}inventory.dlq") == {0, 1}


async def test_topics_of_other_tests_are_deleted(kafka: str, topics: str) -> None:
    """The broker has only the topics of the running test."""
    client = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await client.start()
    try:
        found = await client.list_topics()
    finally:
        await client.close()
    assert {name.split(".")[0] for name in found} <= {topics.rstrip("."), "__consumer_offsets"}


@pytest.mark.parametrize("topics", [1], indirect=True)
async def test_a_killed_broker_starts_again_with_its_records(kafka_broker: Broker, topics: str) -> None:
    """Port and data survive kill -9, so a fault test can restart the broker while services run."""
    topic = f"{topics}did.purchased"
    async with AIOKafkaProducer(bootstrap_servers=kafka_broker.bootstrap, acks="all") as producer:
        await producer.send_and_wait(topic, b"kept", headers=list(HEADERS))
    await kafka_broker.kill()
    await kafka_broker.start()
    assert await read_one(kafka_broker.bootstrap, topic, f"{topics}inventory") == b"kept"


prepared: list[str] = []


async def with_a_table(dsn: str) -> None:
    """Create a table in a template, and count the calls."""
    prepared.append(dsn)
    connection = await asyncpg.connect(dsn)
    await connection.execute("CREATE TABLE rows (n int)")
    await connection.close()


async def test_databases_are_copies_of_a_template_that_is_prepared_once(database_for: DatabaseFor) -> None:
    """Two databases of a service are equal at first and independent afterwards. The migrations ran once."""
    first, second = [await database_for("inventory", with_a_table) for _ in range(2)]
    counts = []
    for dsn in (first, second):
        connection = await asyncpg.connect(dsn)
        await connection.execute("INSERT INTO rows VALUES (1)")
        counts.append(await connection.fetchval("SELECT count(*) FROM rows"))
        await connection.close()
    assert counts == [1, 1]
    assert len(prepared) == 1


async def test_a_database_with_open_connections_is_dropped(database_for: DatabaseFor) -> None:
    """A test that fails with open connections does not block the next test."""
    await asyncpg.connect(await database_for("billing"))


async def test_an_empty_database_has_no_tables(database_for: DatabaseFor) -> None:
    """Without `prepare` a database is as empty as a new one in production."""
    connection = await asyncpg.connect(await database_for("billing"))
    assert not await connection.fetch("SELECT FROM pg_tables WHERE schemaname = 'public'")
    await connection.close()


async def test_a_paused_process_does_not_run_and_can_continue(processes: Processes) -> None:
    """A fault test can freeze any service."""
    child = processes.python("child", "-c", "import time; time.sleep(60)")
    await until(lambda: "sleep" in " ".join(psutil.Process(child.pid).cmdline()), within=5, what="start")
    child.pause()
    stopped = psutil.STATUS_STOPPED
    await until(lambda: psutil.Process(child.pid).status() == stopped, within=5, what="pause")
    child.resume()
    await until(lambda: psutil.Process(child.pid).status() != stopped, within=5, what="continue")
    assert await child.stop() == -signal.SIGTERM


async def test_killing_a_process_kills_its_children(processes: Processes) -> None:
    """No grandchild of the test outlives a killed service."""
    script = (
        "import subprocess, time; print(subprocess.Popen(['sleep', '60']).pid, flush=True); time.sleep(60)"
    )
    child = processes.python("parent", "-c", script)
    await until(lambda: child.log.read_text().strip(), within=5, what="grandchild")
    grandchild = psutil.Process(int(child.log.read_text()))
    assert await child.kill() == -signal.SIGKILL
    await until(lambda: has_ended(grandchild), within=5, what="end of the grandchild")


async def test_children_end_when_their_host_is_killed(processes: Processes) -> None:
    """After kill -9 of pytest no service, JVM or database is left."""
    script = (
        "import pathlib, sys, time; from didflow.embedded.child import Child;"
        "print(Child.start(['sleep', '60'], log=pathlib.Path(sys.argv[1])).pid, flush=True); time.sleep(60)"
    )
    host = processes.python("host", "-c", script, str(processes.folder / "sleep.log"))
    await until(lambda: host.log.read_text().strip(), within=5, what="child")
    child = psutil.Process(int(host.log.read_text()))
    host.send(signal.SIGKILL)
    await until(lambda: has_ended(child), within=5, what="end of the child")


async def test_the_watcher_ends_a_child_whose_parent_was_killed(processes: Processes) -> None:
    """It replaces the parent-death signal on systems that have none."""
    parent = processes.python("parent", "-c", "import time; time.sleep(60)")
    child = processes.python("child", "-c", "import time; time.sleep(60)")
    start_watcher(parent.pid, child.pid, signal.SIGTERM)
    await parent.kill()
    assert await child.ended(within=5) == -signal.SIGTERM


async def test_waiting_ends_at_the_deadline() -> None:
    """The error names the condition that did not become true."""
    with pytest.raises(DeadlineMissedError, match="rain: not within"):
        await until(lambda: False, within=0.02, what="rain")
