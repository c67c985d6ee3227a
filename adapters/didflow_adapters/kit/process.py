"""Run adapters as a process: logs, the health port, and SIGTERM or SIGINT stops the process in order."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Final, TypeVar

import structlog
from aiokafka.errors import KafkaError
from pydantic import ValidationError
from pydantic_settings import BaseSettings

from didflow_adapters.kit.adapter import Adapter
from didflow_adapters.kit.carrier import Carrier
from didflow_adapters.kit.health import health_port
from didflow_adapters.kit.logs import configure_logs
from didflow_adapters.kit.metrics import Metrics
from didflow_adapters.kit.settings import AdapterSettings
from didflow_adapters.kit.topics import DifferentPartitions
from didflow_contracts.terminal import say

S = TypeVar("S", bound=BaseSettings)

UNAVAILABLE: Final = os.EX_UNAVAILABLE
MISCONFIGURED: Final = os.EX_CONFIG
_LOG = structlog.get_logger(__name__)


def run(carriers: Sequence[Carrier], settings: AdapterSettings | None = None) -> None:
    """Run one adapter for each carrier until the process is told to stop. Without settings it reads the environment.

    If it cannot start, it logs why and ends the process: with 69 if no broker answers, and with 78 if a setting is
    wrong or the topics have different numbers of partitions.
    """
    settings = settings or from_environment(AdapterSettings)
    configure_logs(settings.log_level)
    with ending_with_a_reason(settings.kafka):
        asyncio.run(_run(carriers, settings))


def from_environment(model: type[S]) -> S:
    """Read settings from the environment. If a variable is missing or wrong, name it and end the process with 78."""
    try:
        return model()
    except ValidationError as error:
        prefix = model.model_config.get("env_prefix", "")
        wrong = [f"{prefix}{str(each['loc'][0]).upper()}: {each['msg']}" for each in error.errors()]
        say(f"Set these environment variables correctly. {', '.join(wrong)}", err=True)
        sys.exit(MISCONFIGURED)


@contextmanager
def ending_with_a_reason(kafka: str) -> Iterator[None]:
    """End the process with one line and an exit code if an adapter in the block could not start. Source: sysexits."""
    code = 0
    try:
        yield
    except* KafkaError as errors:
        _LOG.error("Kafka does not answer", kafka=kafka, reason=_first(errors))
        code = UNAVAILABLE
    except* DifferentPartitions as errors:
        _LOG.error("the topics cannot be used", reason=_first(errors))
        code = MISCONFIGURED
    if code:
        sys.exit(code)


def _first(errors: BaseExceptionGroup[BaseException]) -> str:
    """Return the first error as a text. The errors of Kafka's client have addresses and no secrets."""
    one: BaseException = errors
    while isinstance(one, BaseExceptionGroup):
        one = one.exceptions[0]
    return str(one) or type(one).__name__


async def _run(carriers: Sequence[Carrier], settings: AdapterSettings) -> None:
    metrics = Metrics()
    adapters = [Adapter(carrier, settings, metrics) for carrier in carriers]
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, _stop, adapters)
    async with health_of(adapters, settings, metrics), asyncio.TaskGroup() as group:
        for adapter in adapters:
            group.create_task(adapter.run())


def health_of(
    adapters: Sequence[Adapter], settings: AdapterSettings, metrics: Metrics
) -> AbstractAsyncContextManager[None]:
    """Serve the health port of these adapters during the block, if the settings have one."""

    def wrong() -> Sequence[str]:
        return [text for adapter in adapters for text in adapter.wrong()]

    def observe() -> None:
        for adapter in adapters:
            adapter.observe()

    return health_port(settings.health_host, settings.health_port, wrong, observe, metrics.registry)


def _stop(adapters: Sequence[Adapter]) -> None:
    for adapter in adapters:
        adapter.stop()
