"""What a process says about itself: whether it is ready, and why it could not start."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any
from uuid import UUID

import httpx
import pytest
from aiokafka.errors import KafkaConnectionError
from harness.carrier_topics import RecordingCarrier
from harness.rest_carrier import free_port
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from didflow_adapters.kit import Adapter, AdapterSettings, Outcome, run
from didflow_adapters.kit.health import health_port
from didflow_adapters.kit.outcomes import KnownOutcomes
from didflow_adapters.kit.process import ending_with_a_reason
from didflow_adapters.kit.topics import DifferentPartitions

SETTINGS = AdapterSettings(kafka="broker.example:9092")


def asked(port: int, path: str, method: str = "GET") -> tuple[int, str]:
    """Return status and body."""
    answer = httpx.request(method, f"http://127.0.0.1:{port}{path}", timeout=5)
    return answer.status_code, answer.text


async def test_a_process_that_is_not_ready_says_why() -> None:
    """It is alive all the same. Without a reason it is ready."""
    wrong: Sequence[str] = ["acme: not connected to Kafka."]
    port = free_port()
    registry = CollectorRegistry()
    async with health_port("127.0.0.1", port, lambda: wrong, lambda: None, registry):
        assert await asyncio.to_thread(asked, port, "/healthz/ready") == (
            503,
            '{"wrong": ["acme: not connected to Kafka."]}',
        )
        assert (await asyncio.to_thread(asked, port, "/healthz/live"))[0] == 200
        wrong = []
        assert await asyncio.to_thread(asked, port, "/healthz/ready") == (200, '{"wrong": []}')
        assert (await asyncio.to_thread(asked, port, "/other"))[0] == 404
        assert (await asyncio.to_thread(asked, port, "/healthz/ready", "POST"))[0] == 405


async def test_an_adapter_is_not_ready_before_it_is_connected_and_has_read_former_results() -> None:
    """Its commands wait meanwhile."""
    adapter = Adapter(RecordingCarrier(), SETTINGS)
    assert adapter.wrong() == ["simulator: not connected to Kafka."]
    gate = asyncio.Event()

    async def read(partitions: Collection[int]) -> AsyncIterator[tuple[int, UUID, Outcome]]:
        await gate.wait()
        return
        yield

    adapter._outcomes = KnownOutcomes(read, 10)
    adapter._subscriber.consumer = object()
    adapter._outcomes.open([0])
    assert adapter.wrong() == ["simulator: former results are being read."]
    gate.set()
    await asyncio.sleep(0.01)
    assert adapter.wrong() == []


@pytest.mark.parametrize(
    ("error", "code", "event"),
    [
        (KafkaConnectionError("no"), 69, "Kafka does not answer"),
        (DifferentPartitions("a has 12 partitions and b has 6."), 78, "the topics cannot be used"),
    ],
)
def test_a_process_that_cannot_start_ends_with_one_line_and_its_exit_code(
    error: Any, code: int, event: str
) -> None:
    """Without a stack trace. The error may be in a group, as a task group raises it."""
    with capture_logs() as lines, pytest.raises(SystemExit) as ended, ending_with_a_reason("b:9092"):
        raise BaseExceptionGroup("tasks", [error])
    assert ended.value.code == code
    assert [(line["event"], line["reason"]) for line in lines] == [(event, str(error))]


def test_a_missing_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 78. The value of a wrong variable is not shown."""
    monkeypatch.delenv("DIDFLOW_KAFKA", raising=False)
    monkeypatch.setenv("DIDFLOW_CONCURRENCY", "secret")
    with pytest.raises(SystemExit) as ended:
        run([RecordingCarrier()])
    said = capsys.readouterr().err
    assert ended.value.code == 78
    assert "DIDFLOW_KAFKA: Field required" in said
    assert "DIDFLOW_CONCURRENCY: " in said
    assert "secret" not in said
