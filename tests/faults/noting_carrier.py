"""`python -m faults.noting_carrier FILE`: a carrier whose commands all succeed. It notes each set_voice in a file."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from faults.installation import TESTS, Installation

from didflow_adapters.kit import AdapterSettings, Outcome, Succeeded, run
from didflow_contracts.event_data import Part
from didflow_contracts.events import CarrierCommandIssued

_DONE = Succeeded(carrier_reference="REF")


class NotingCarrier:
    """Notes number, trunk name and address of each set_voice that it executes, in this order."""

    name = "simulator"

    def __init__(self, notes: Path) -> None:
        self._notes = notes.open("a", buffering=1)

    async def _do(self, command: CarrierCommandIssued, parameters: Part) -> Outcome:
        return _DONE

    async def set_voice(self, command: CarrierCommandIssued, parameters: Any) -> Outcome:
        """Note what the number is set to."""
        voice = parameters.voice
        self._notes.write(f"{command.number}\t{voice.name}\t{voice.endpoints[0].address}\n")
        return _DONE

    activate = suspend = resume = release = set_capacity = set_sms = _do


def start_carrier(installation: Installation) -> Path:
    """Start the carrier in a process. Return its file."""
    parts, launcher = installation.parts, installation.launcher
    notes = launcher.folder / "carrier.notes"
    notes.touch()
    environment = {
        "DIDFLOW_KAFKA": parts.kafka,
        "DIDFLOW_TOPIC_PREFIX": parts.topic_prefix,
        "PYTHONPATH": str(TESTS),
    }
    launcher.python("carrier", "-m", "faults.noting_carrier", str(notes), env=environment)
    return notes


def executed(notes: Path) -> Iterator[tuple[str, str, str]]:
    """Yield number, trunk name and address of each command, in the order of their execution."""
    for line in notes.read_text().splitlines():
        number, name, address = line.split("\t")
        yield number, name, address


if __name__ == "__main__":
    run([NotingCarrier(Path(sys.argv[1]))], AdapterSettings())
