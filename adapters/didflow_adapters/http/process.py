"""Runs the adapter of a configuration, and the receiver of its webhooks beside it."""

import asyncio
import signal

import uvicorn

from didflow_adapters.http.carrier import HttpCarrier
from didflow_adapters.http.configuration import Configuration
from didflow_adapters.http.receiver import Receiver
from didflow_adapters.kit import Adapter, AdapterSettings
from didflow_adapters.kit.metrics import Metrics
from didflow_adapters.kit.process import health_of
from didflow_adapters.kit.servers import QuietServer


def server(application: object, host: str, port: int) -> QuietServer:
    """Return a server with bounds: connections, idle time, and the time of a stop."""
    return QuietServer(
        uvicorn.Config(
            application,  # type: ignore[arg-type]
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            limit_concurrency=500,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=5,
        )
    )


async def serve(configuration: Configuration, settings: AdapterSettings) -> None:
    """Execute carrier commands and receive webhooks until SIGTERM or SIGINT.

    Raises MissingSecret, ValueError, and KafkaError if no broker answers at the start.
    """
    carrier = HttpCarrier(configuration)
    metrics = Metrics()
    adapter = Adapter(carrier, settings, metrics)
    webhook, tokens = configuration.webhook, carrier.tokens
    receiver = None
    if webhook is not None and tokens is not None:
        application = Receiver(carrier.name, webhook, tokens, carrier.attempts, adapter.report).application()
        receiver = server(application, webhook.host, webhook.port)

    def stop() -> None:
        adapter.stop()
        if receiver is not None:
            receiver.should_exit = True

    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stop)
    try:
        async with health_of([adapter], settings, metrics), asyncio.TaskGroup() as group:
            group.create_task(adapter.run())
            if receiver is not None:
                group.create_task(receiver.serve())
    finally:
        await carrier.aclose()
