"""The example adapters in Python, Node and Go on a real Kafka.

The packages of Node and Go are fetched once, and kept below .cache. A machine without Node or Go skips their tests with
the reason; under CI it fails.
"""

import asyncio
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.partitioner import murmur2
from harness.didww_api import API_KEY, didww_api
from harness.processes import Processes, until

from didflow.conformance.convention import number
from didflow_contracts.envelope import Event, decode, encode
from didflow_contracts.events import CarrierCommandIssued, ResultReported

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples" / "adapters"
CACHE = ROOT / ".cache" / "examples"
PARTITIONS = 12
FETCH_S = 180
SECONDS = 40.0
CONFORMANCE_S = 150


def python_program() -> list[str]:
    """Return the command of the example in Python."""
    return [sys.executable, str(EXAMPLES / "python" / "adapter.py")]


def node_program() -> list[str]:
    """Install kafkajs for the example in Node, unless it is in the cache, and return the command."""
    node, npm = _found("node"), _found("npm")
    lock = (EXAMPLES / "node" / "package-lock.json").read_bytes()
    folder = CACHE / f"node-{hashlib.sha256(lock).hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    for file in (EXAMPLES / "node").glob("*.js*"):
        shutil.copy(file, folder)
    if not (folder / "node_modules" / ".package-lock.json").exists():
        _fetch([npm, "ci", "--silent", "--no-audit", "--no-fund"], folder)
    return [node, str(folder / "adapter.js")]


def go_program() -> list[str]:
    """Build the example in Go, and return the command. Go's caches of modules and builds are below .cache."""
    program = CACHE / "go-adapter"
    caches = {"GOMODCACHE": str(CACHE / "go-modules"), "GOCACHE": str(CACHE / "go-build")}
    command = [_found("go"), "build", "-modcacherw", "-o", str(program), "."]
    _fetch(command, EXAMPLES / "go", **caches)
    return [str(program)]


def _found(name: str) -> str:
    return shutil.which(name) or _without(f"{name} is not installed")


def _fetch(command: Sequence[str], folder: Path, **env: str) -> None:
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | env,
        capture_output=True,
        text=True,
        timeout=FETCH_S,
        check=False,
    )
    if done.returncode:
        _without(f"{Path(command[0]).name} {command[1]} failed: {done.stderr[-500:]}")


def _without(reason: str) -> Any:
    if os.environ.get("CI") == "true":
        pytest.fail(f"the examples of adapters are needed under CI: {reason}")
    pytest.skip(f"an example of an adapter cannot run here: {reason}")


PROGRAMS: dict[str, Callable[[], list[str]]] = {
    "python": python_program,
    "node": node_program,
    "go": go_program,
}


class Topics:
    """Publishes carrier commands to one carrier, and receives the results."""

    def __init__(self, prefix: str, producer: AIOKafkaProducer, consumer: AIOKafkaConsumer) -> None:
        self.prefix, self._producer, self._consumer = prefix, producer, consumer
        self.records: list[Any] = []

    async def publish(self, *commands: Event[CarrierCommandIssued] | bytes) -> None:
        """Publish commands as provisioning does, and bytes as they are."""
        for command in commands:
            value, key = (
                (command, b"x") if isinstance(command, bytes) else (encode(command), command.subject.encode())
            )
            await self._producer.send_and_wait(self.prefix + CarrierCommandIssued.topic, value, key=key)

    async def receive(self, count: int) -> list[Event[ResultReported]]:
        """Wait for this many results in all. Return them in the order of arrival."""

        async def is_complete() -> bool:
            for records in (await self._consumer.getmany(timeout_ms=100)).values():
                self.records += records
            return len(self.records) >= count

        await until(is_complete, within=SECONDS, what=f"{count} results")
        types: Any = {ResultReported.type(): ResultReported}
        return [decode(record.value, record.headers, types=types) for record in self.records]


@pytest.fixture
async def results(kafka: str, topics: str) -> AsyncIterator[Topics]:
    """The topics of this test."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    consumer = AIOKafkaConsumer(
        topics + ResultReported.topic, bootstrap_servers=kafka, auto_offset_reset="earliest"
    )
    await producer.start()
    await consumer.start()
    yield Topics(topics, producer, consumer)
    await consumer.stop()
    await producer.stop()


@pytest.fixture
def start(kafka: str, topics: str, processes: Processes, tmp_path: Path) -> Any:
    """Starts an example as the carrier `acme`."""
    env = {
        "DIDFLOW_KAFKA": kafka,
        "DIDFLOW_TOPIC_PREFIX": topics,
        "DIDFLOW_CARRIER": "acme",
        "DIDFLOW_OUTCOMES": str(tmp_path / "outcomes.jsonl"),
    }

    def start_example(language: str, name: str = "adapter") -> Any:
        return processes.start(name, PROGRAMS[language](), env=env)

    return start_example


@pytest.mark.parametrize("language", PROGRAMS)
async def test_an_example_answers_each_attempt_as_the_contract_says(
    language: str, start: Any, results: Topics, new_command: Any
) -> None:
    """Commands of other carriers and bad records are skipped. Key, partition and attributes follow the contract."""
    start(language)
    first = new_command("activate", carrier="acme")
    busy = new_command("activate", "+35319609992", carrier="acme")
    again = new_command(
        "activate", "+35319609992", carrier="acme", command_id=busy.data.command_id, attempt=2
    )
    unknown = new_command("activate", "+35319609991", carrier="acme")
    other = new_command("activate", "+35319609037", carrier="another")
    await results.publish(b"{", b"null", b'{"type":"didflow.provisioning.commands.v1"}', other)
    await results.publish(first, busy, again, unknown, first)

    events = await results.receive(5)

    of = {command.id: command for command in (first, busy, again, unknown)}
    outcomes = {
        event.causationid: (event.data.outcome, event.data.retryable, event.data.code) for event in events
    }
    assert outcomes == {
        first.id: ("succeeded", False, None),
        busy.id: ("failed", True, "carrier_unavailable"),
        again.id: ("succeeded", False, None),
        unknown.id: ("failed", False, "number_unknown"),
    }
    for event, record in zip(events, results.records, strict=True):
        command = of[event.causationid].data
        assert (event.source, event.correlationid) == ("/carriers/acme", "purchase-1")
        for name in ("did_id", "number", "account", "command_id", "attempt"):
            assert getattr(event.data, name) == getattr(command, name)
        assert record.key == command.number.encode()
        assert record.partition == (murmur2(record.key) & 0x7FFFFFFF) % PARTITIONS
        assert ("content-type", b"application/cloudevents+json") in record.headers
    assert len({event.id for event in events}) == len(events)


async def test_the_examples_and_didww_pass_the_conformance_run(tmp_path: Path) -> None:
    """`didflow adapter test` judges repeats, order, slow commands, and a kill in the middle. All run at once.

    The adapter of DIDWW runs against a server that was written from the documentation of DIDWW's API.
    """
    with didww_api() as api:
        account = {
            "DIDFLOW_DIDWW_API_KEY": API_KEY,
            "DIDFLOW_DIDWW_URL": api.url,
            "DIDFLOW_DIDWW_CARRIER": "acme",
        }
        didww = _conformance([_script("didflow-didww")], "--voice-only", **account)
        examples = (
            _conformance(PROGRAMS[language](), DIDFLOW_OUTCOMES=str(tmp_path / language))
            for language in PROGRAMS
        )
        reports = await asyncio.gather(didww, *examples)
    failed = {name: report for name, report in zip(("didww", *PROGRAMS), reports, strict=True) if report}
    assert failed == {}
    trunks = [name for kind, name in api.written if kind == "voice_in_trunks"]
    assert len(trunks) == 1
    assert api.writes_of(number(2).removeprefix("+")) == 1  # the block of the check `duplicate`


def _script(name: str) -> str:
    return str(Path(sysconfig.get_path("scripts")) / name)


async def _conformance(program: Sequence[str], *options: str, **env: str) -> str:
    """Return what the conformance run prints, or nothing if all its checks passed."""
    run = await asyncio.create_subprocess_exec(
        *(_script("didflow"), "adapter", "test", "acme", "--command", shlex.join(program), *options),
        env=os.environ | env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(CONFORMANCE_S):
        output, _ = await run.communicate()
    return output.decode() if run.returncode else ""
