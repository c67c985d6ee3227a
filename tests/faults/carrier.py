"""A carrier in the test's process. It only writes each carrier command that it executes into the ledger.

So a test can compare what the carrier was told to do with what customers were promised.
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

Carry = Callable[[Installation], Awaitable[None]]
"""`await carrier(installation)`: a carrier that answers at once and writes each order into the ledger."""

_AGAIN_S = 0.5


class LedgerCarrier:
    """Executes every command at once."""

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
async def serving_carrier(at: Installation, ledger: Ledger) -> AsyncIterator[None]:
    """Answer the installation's carrier commands during the block, whatever happens to the broker."""
    settings = AdapterSettings(kafka=at.parts.kafka, topic_prefix=at.parts.topic_prefix)
    task = asyncio.create_task(_serve(LedgerCarrier(ledger), settings))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _serve(carrier: LedgerCarrier, settings: AdapterSettings) -> None:
    while True:
        with contextlib.suppress(KafkaError, OSError):
            await Adapter(carrier, settings).run()
        await asyncio.sleep(_AGAIN_S)
