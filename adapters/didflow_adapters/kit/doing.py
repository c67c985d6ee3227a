"""Does one order at a carrier: the method of its action, within a time, whatever the method raises."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from didflow_adapters.kit.carrier import Carrier, Failed, Outcome
from didflow_contracts.events import CarrierCommandIssued

_LOG = structlog.get_logger(__name__)


async def do(carrier: Carrier, command: CarrierCommandIssued, within_s: float) -> Outcome:
    """Call the carrier and give its outcome; too slow or broken is a retryable failure. Never raises."""
    method: Callable[[CarrierCommandIssued, Any], Awaitable[Outcome]] = getattr(carrier, command.action)
    try:
        async with asyncio.timeout(within_s):
            return await method(command, command.parameters)
    except TimeoutError:
        return Failed(code="carrier_timeout", message=f"no reply within {within_s:g} s", retryable=True)
    except Exception as error:  # noqa: BLE001 - whatever a carrier's code raises, its order is answered
        _LOG.exception("the carrier's method failed", action=command.action, number=command.number)
        return Failed(code="adapter_error", message=type(error).__name__, retryable=True)
