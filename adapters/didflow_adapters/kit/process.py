"""Run adapters as a process: logs, the health port, and SIGTERM or SIGINT stops the process in order."""

import asyncio
import signal
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from didflow_adapters.kit.adapter import Adapter
from didflow_adapters.kit.carrier import Carrier
from didflow_adapters.kit.health import health_port
from didflow_adapters.kit.logs import configure_logs
from didflow_adapters.kit.metrics import Metrics
from didflow_adapters.kit.settings import AdapterSettings


def run(carriers: Sequence[Carrier], settings: AdapterSettings) -> None:
    """Run one adapter for each carrier until the process is told to stop.

    Raises KafkaError if no broker answers at the start.
    """
    configure_logs(settings.log_level)
    asyncio.run(_run(carriers, settings))


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
