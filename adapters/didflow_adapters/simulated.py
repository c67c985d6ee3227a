"""A carrier that exists only here: it does nothing and says what its script says.

It keeps no numbers. What it has done it forgets with its process; being asked again it says the same.
"""

import asyncio

from didflow_adapters.kit.carrier import Outcome, Succeeded
from didflow_adapters.script import part_of
from didflow_contracts.event_data import Part as Parameters
from didflow_contracts.events import CarrierCommandIssued


class SimulatedCarrier:
    """A carrier by name; every answer takes `latency_s`, or longer where the script says so."""

    def __init__(self, name: str, latency_s: float = 0.0) -> None:
        self.name = name
        self._latency_s = latency_s

    async def _play(self, command: CarrierCommandIssued, asked: Parameters) -> Outcome:  # noqa: ARG002
        part = part_of(command.number)
        await asyncio.sleep(max(self._latency_s, part.latency_s))
        done = Succeeded(carrier_reference=f"SIM-{command.command_id.hex[-12:].upper()}")
        return part.of(command.action, command.attempt) or done

    activate = suspend = resume = release = set_voice = set_capacity = set_sms = _play
