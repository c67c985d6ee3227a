"""Run adapters as a process: logs are JSON lines, and SIGTERM or SIGINT stops the process in order."""

import asyncio
import logging
import signal
from collections.abc import Sequence

import structlog

from didflow_adapters.kit.adapter import Adapter
from didflow_adapters.kit.carrier import Carrier
from didflow_adapters.kit.settings import AdapterSettings
from didflow_contracts.terminal import escaped


def run(carriers: Sequence[Carrier], settings: AdapterSettings) -> None:
    """Run one adapter for each carrier until the process is told to stop.

    Raises KafkaError if no broker answers at the start.
    """
    configure_logs(settings.log_level)
    asyncio.run(_run(carriers, settings))


async def _run(carriers: Sequence[Carrier], settings: AdapterSettings) -> None:
    adapters = [Adapter(carrier, settings) for carrier in carriers]
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, _stop, adapters)
    async with asyncio.TaskGroup() as group:
        for adapter in adapters:
            group.create_task(adapter.run())


def _stop(adapters: Sequence[Adapter]) -> None:
    for adapter in adapters:
        adapter.stop()


def configure_logs(level: str) -> None:
    """Write logs as JSON lines, from this level on."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
    )
    plain = logging.StreamHandler()
    plain.setFormatter(_Plain(logging.BASIC_FORMAT))
    logging.basicConfig(level=logging.WARNING, handlers=[plain])


class _Plain(logging.Formatter):
    """One line for each record of a library, without control characters."""

    def format(self, record: logging.LogRecord) -> str:
        return escaped(super().format(record))
