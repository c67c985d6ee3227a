"""A broker that authenticates its clients and denies what no rule allows, for one test."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from unittest import mock

import pytest
from harness.access import Guard
from harness.broker import KafkaUnavailableError
from harness.kafka_java import JavaBroker

from didflow.embedded.temporary_folder import temporary_folder


@asynccontextmanager
async def guarded_broker(guard: Guard) -> AsyncIterator[str]:
    """Run a broker for the block, and return its address. This process connects to it as the administrator."""
    settings = {f"DIDFLOW_{name}": value for name, value in guard.settings().items()}
    with mock.patch.dict(os.environ, settings), temporary_folder(in_memory=True) as folder:
        try:
            broker = await JavaBroker.create(folder, guard)
        except KafkaUnavailableError as error:
            pytest.skip(f"no Kafka with authentication: {error}")
        yield broker.bootstrap
        await broker.remove()
