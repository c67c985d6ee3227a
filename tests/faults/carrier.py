"""A carrier in the test's process. It writes each carrier command that it executes into the ledger.

A test can then compare the executed carrier commands with the acknowledged changes.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiokafka.errors import KafkaError
from faults.installation import Installation
from faults.ledger import Ledger

from didflow_adapters.kit import Adapter, AdapterSettings, Outcome, Succeeded
from didflow_contracts.event_data import Part
from didflow_contracts.events import CarrierCommandIssued

StartCarrier = Callable[[Installation], Awaitable[None]]
"""`await start_carrier(installation)`: start a carrier that succeeds at once and writes each command to the ledger."""

_RETRY_S = 0.5


class LedgerCarrier:
    """A carrier whose commands all succeed at once."""

    name = "simulator"

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def _do(self, command: CarrierCommandIssued, parameters: Part) -> Outcome:
        self._ledger.write(
            "carrier",
            did_id=str(command.did_id),
            number=command.number,
            key=str(command.command_id),
            action=command.action,
        )
        return Succeeded(carrier_reference=f"REF-{command.command_id.hex[-12:]}")

    activate = suspend = resume = release = set_voice = set_capacity = set_sms = _do


@asynccontextmanager
async def running_carrier(installation: Installation, ledger: Ledger) -> AsyncIterator[None]:
    """Execute the installation's carrier commands during the block. Reconnect after each failure of the broker."""
    settings = AdapterSettings(kafka=installation.parts.kafka, topic_prefix=installation.parts.topic_prefix)
    task = asyncio.create_task(_run(LedgerCarrier(ledger), settings))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _run(carrier: LedgerCarrier, settings: AdapterSettings) -> None:
    while True:
        with contextlib.suppress(KafkaError, OSError):
            await Adapter(carrier, settings).run()
        await asyncio.sleep(_RETRY_S)
