"""Runs adapters as a process: logs as JSON lines, SIGTERM and SIGINT end it in order."""

import asyncio
import logging
import signal
from collections.abc import Sequence

import structlog

from didflow_adapters.kit.adapter import Adapter
from didflow_adapters.kit.carrier import Carrier
from didflow_adapters.kit.settings import AdapterSettings


def run(carriers: Sequence[Carrier], settings: AdapterSettings) -> None:
    """Answer the orders of these carriers until told to stop. Raises KafkaError when no broker answers."""
    _log(settings.log_level)
    asyncio.run(_run(carriers, settings))


async def _run(carriers: Sequence[Carrier], settings: AdapterSettings) -> None:
    adapters = [Adapter(carrier, settings) for carrier in carriers]
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, _stop, adapters)
    async with asyncio.TaskGroup() as group:
        for adapter in adapters:
            group.create_task(adapter.run())


def _stop(adapters: Sequence[Adapter]) -> None:
    for adapter in adapters:
        adapter.stop()


def _log(level: str) -> None:
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
    logging.basicConfig(level=logging.WARNING)
