"""Events of all services about any number of DIDs, made from the released examples."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from faults.services_in_process import event_record

from didflow_chassis.records import Record
from didflow_contracts.ids import derived_id
from didflow_contracts.topics import TOPICS

EXAMPLES: Final = {
    path.stem: json.loads(path.read_bytes())
    for path in (Path(__file__).parents[2] / "examples" / "events").glob("*.json")
}
ACCOUNT: Final = "master/acme"


@dataclass(frozen=True, kw_only=True)
class ExampleDid:
    """A DID with a name. An event of minute n has the time `begin` plus n minutes."""

    name: str
    number: str
    begin: datetime

    @property
    def did_id(self) -> UUID:
        """The DID."""
        return derived_id("example", self.name)

    def event(
        self,
        minute: int,
        topic: str,
        sequence: int | None = None,
        *,
        source: str | None = None,
        **changed: Any,
    ) -> Record:
        """Return the example of a topic about this DID, with changed fields."""
        example = EXAMPLES[topic]
        own = {"did_id": str(self.did_id), "number": self.number, "account": ACCOUNT}
        fields = {name: value for name, value in example["data"].items() if name != "purchased_at"}
        data = TOPICS[topic].event.model_validate(fields | own | changed)
        happened = self.begin + timedelta(minutes=minute)
        name = f"{self.name} {minute} {topic}"
        return event_record(data, name, source=source or example["source"], time=happened, sequence=sequence)


Step = tuple[str, int | None, dict[str, Any]]
"""A topic, the sequence of the event, and the fields that differ from the example."""


def events_of(did: ExampleDid, steps: list[Step]) -> list[Record]:
    """Return the events of a DID, in the order in which they happened."""
    return [
        did.event(minute, topic, sequence, **changed)
        for minute, (topic, sequence, changed) in enumerate(steps)
    ]
