"""A carrier adapter for didflow in Python, on the kit. Write your carrier's calls where `answer` is.

Start it from the root of the repository, with the address of Kafka that `make up` prints:

    DIDFLOW_KAFKA=127.0.0.1:9092 .venv/bin/python examples/adapters/python/adapter.py
"""

import asyncio
import os
from uuid import uuid4

from didflow_adapters.kit import AdapterSettings, Failed, Outcome, Succeeded, run
from didflow_contracts.event_data import Part
from didflow_contracts.events import CarrierCommandIssued


class Acme:
    """The carrier `acme`. The kit calls the method of the action, and publishes what it returns."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def answer(self, command: CarrierCommandIssued, parameters: Part) -> Outcome:
        """Do at the carrier what the command says. `command_id` is the idempotency key, if the carrier takes one."""
        match command.number[-4:], command.attempt:
            case "9991", _:
                return Failed(code="number_unknown", message="The carrier does not know this number.")
            case "9992", 1:
                return Failed(code="carrier_unavailable", retryable=True)
            case "9993", 1:
                return Failed(code="rate_limited", retryable=True, retry_after_s=1)
            case "9996", _:
                await asyncio.sleep(3)
        print(command.command_id, type(parameters).__name__, flush=True)  # no personal data in logs
        return Succeeded(carrier_reference=str(uuid4()))

    activate = suspend = resume = release = set_voice = set_capacity = set_sms = answer


if __name__ == "__main__":
    run([Acme(os.environ.get("DIDFLOW_CARRIER", "acme"))], AdapterSettings())
