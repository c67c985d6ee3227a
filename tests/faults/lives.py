"""The life of a DID as events of all services, from the released examples, for as many DIDs as a test needs."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from faults.four import record

from didflow_chassis.records import Record
from didflow_contracts.ids import derived_id
from didflow_contracts.topics import TOPICS

EXAMPLES: Final = {
    path.stem: json.loads(path.read_bytes())
    for path in (Path(__file__).parents[2] / "examples" / "events").glob("*.json")
}
ACCOUNT: Final = "master/acme"


@dataclass(frozen=True, kw_only=True)
class Life:
    """One DID in one life. Event n happened n minutes after `begin`."""

    name: str
    number: str
    begin: datetime

    @property
    def did_id(self) -> UUID:
        """The DID."""
        return derived_id("story", self.name)

    def event(
        self,
        minute: int,
        topic: str,
        sequence: int | None = None,
        *,
        said_by: str | None = None,
        **changed: Any,
    ) -> Record:
        """Return the example of a topic about this DID, with changed fields."""
        example = EXAMPLES[topic]
        own = {"did_id": str(self.did_id), "number": self.number, "account": ACCOUNT}
        fields = {name: value for name, value in example["data"].items() if name != "purchased_at"}
        data = TOPICS[topic].event.model_validate(fields | own | changed)
        at = self.begin + timedelta(minutes=minute)
        name = f"{self.name} {minute} {topic}"
        return record(data, name, source=said_by or example["source"], time=at, sequence=sequence)


Step = tuple[str, int | None, dict[str, Any]]
"""A topic, the event's sequence, and what differs from the example."""


def told(life: Life, steps: list[Step]) -> list[Record]:
    """Return the events of one DID's life, in the order in which they happened."""
    return [
        life.event(minute, topic, sequence, **changed)
        for minute, (topic, sequence, changed) in enumerate(steps)
    ]
