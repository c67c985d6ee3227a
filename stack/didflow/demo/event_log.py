"""The events of a demo: the lines that are printed and the facts that the results are computed from."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from aiokafka import ConsumerRecord
from rich.markup import escape

from didflow.tail import Tail

COLORS: Final = {"green": "green", "yellow": "yellow", "red": "red"}

Print = Callable[[str], None]


@dataclass(kw_only=True)
class EventLog:
    """Everything received so far. `tell` gets a line for each event that matters to a person."""

    tell: Print
    prefix: str = ""
    refused: dict[str, str] = field(default_factory=dict)
    charged: Counter[str] = field(default_factory=Counter)
    automatic: set[str] = field(default_factory=set)
    commands: set[str] = field(default_factory=set)
    answered: set[str] = field(default_factory=set)
    received: int = 0
    _entries: set[str] = field(default_factory=set)

    async def follow(self, tail: Tail) -> None:
        """Read records without end."""
        async for record in tail.records():
            self.receive(record)

    def receive(self, record: ConsumerRecord) -> None:
        """Take one record. A record that is not an event is only counted."""
        self.received += 1
        topic = record.topic.removeprefix(self.prefix)
        data = _data(record.value)
        if data is None:
            return
        self._note(topic, data)
        for line in _lines(topic, data):
            self.tell(line)

    @property
    def open_commands(self) -> int:
        """The number of carrier commands without a final result."""
        return len(self.commands - self.answered)

    def _note(self, topic: str, data: dict[str, Any]) -> None:
        did_id = str(data.get("did_id"))
        if topic == "purchase.refused":
            self.refused[did_id] = str(data["code"])
        elif topic == "ledger.posted" and data["kind"] == "recurring":
            self._charge(did_id, data["entry_id"])
        elif topic == "verification.approved" and data.get("automatic"):
            self.automatic.add(did_id)
        elif topic == "provisioning.commands":
            self.commands.add(data["command_id"])
        elif topic == "provisioning.results" and not data.get("retryable"):
            self.answered.add(data["command_id"])

    def _charge(self, did_id: str, entry_id: str) -> None:
        """Count each charge once. A relay that was killed may publish a charge again."""
        if entry_id not in self._entries:
            self._entries.add(entry_id)
            self.charged[did_id] += 1


def _data(value: bytes | None) -> dict[str, Any] | None:
    try:
        data = orjson.loads(value or b"")["data"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
    return data if isinstance(data, dict) else None


def _lines(topic: str, data: dict[str, Any]) -> Iterator[str]:
    number = f"{escape(str(data.get('number'))):<16}"
    if topic == "purchase.refused":
        yield f"{number} [red]refused[/] {data['code']}: {escape(str(data['message']))}"
    elif topic == "verification.approved":
        how = f"rests on {data['rests_on']}" if data.get("automatic") else "by a reviewer"
        yield f"{number} details approved, {how}"
    elif topic == "verification.rejected":
        codes = ", ".join(reason["code"] for reason in data.get("reasons", []))
        yield f"{number} details rejected: {codes}"
    elif topic == "verification.pending":
        yield f"{number} details need a review ({data.get('requirement')})"
    elif topic == "provisioning.results" and data["outcome"] == "failed":
        then = "will retry" if data.get("retryable") else "final"
        yield f"{number} carrier failed ({data.get('code')}); {then}"
    elif topic == "did.activated":
        yield f"{number} carrier activated the number ({escape(str(data.get('carrier_reference')))})"
    elif topic == "did.status_changed" and data.get("status"):
        color = COLORS.get(str(data.get("circle")), "white")
        yield f"{number} [{color}]{data['status']}[/]  next step: {data['next_step']['action']}"
