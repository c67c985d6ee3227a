"""One stack on a real Kafka and a real PostgreSQL. All tests in this folder share it, with numbers of their own."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer
from harness.fixtures import new_topics

from didflow.servers import Wanted
from didflow.stack import running
from one_stack.caller import Caller


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def topic_prefix(kafka: str) -> AsyncIterator[str]:
    """The prefix of the topics of the stack."""
    async with new_topics(kafka) as prefix:
        yield prefix


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def caller(
    kafka: str, topic_prefix: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Caller]:
    """A caller on the stack."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DIDFLOW_TOPIC_PREFIX", topic_prefix)
        folder = tmp_path_factory.mktemp("stack")
        async with (
            running(Wanted(kafka=kafka), folder, tell=lambda _: None, port=0) as stack,
            httpx.AsyncClient(base_url=stack.base, timeout=15, trust_env=False) as client,
        ):
            yield Caller(client, stack.issuer.token)


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def producer(kafka: str) -> AsyncIterator[AIOKafkaProducer]:
    """A Kafka producer, such as an order system has."""
    async with AIOKafkaProducer(bootstrap_servers=kafka) as opened:
        yield opened
