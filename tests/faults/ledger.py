"""What was acknowledged: one line in a local file for each, written before anybody relies on it.

Whatever is in here must be found in the end, once; what is not in here was promised to nobody.
"""

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

Kind = Literal[
    "purchase",
    "poison",
    "set_voice",
    "set_capacity",
    "set_cycles",
    "renew",
    "cancel",
    "restore",
    "assign",
    "approve",
    "carrier",
]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One acknowledgement. `at` is when it came (Unix seconds), `key` what it was sent under, `said` what it promised.

    A purchase's key is its event id, a command's its Idempotency-Key, a carrier order's its `command_id`.
    """

    kind: Kind
    at: float
    did_id: str
    number: str
    key: str
    said: dict[str, Any] = field(default_factory=dict)


@dataclass(kw_only=True)
class Expected:
    """What one DID must look like once all is quiet: its purchase, and the last of each wish that was taken."""

    did_id: str
    number: str
    recurring: Decimal
    cost: Decimal
    registration: str | None = None
    cycles: int | None = None
    voice: str | None = None
    capacity: int | None = None
    renewals: int = 0
    canceled: bool = False

    def take(self, entry: Entry) -> None:
        """Take one acknowledged wish over."""
        if entry.kind == "renew":
            self.renewals += 1
            self.cost += self.recurring * entry.said["billing_period"]
        elif entry.kind in ("cancel", "restore"):
            self.canceled = entry.kind == "cancel"
        elif entry.kind == "set_cycles":
            self.cycles = entry.said["billing_cycles"]
        elif entry.kind == "set_voice":
            self.voice = entry.said["voice_trunk_id"]
        elif entry.kind == "set_capacity":
            self.capacity = entry.said["capacity"]
        elif entry.kind in ("assign", "approve"):
            self.registration = "approved"


class Ledger:
    """The acknowledgements of one test, in a file and in memory."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a")
        self.entries: list[Entry] = []

    def write(self, kind: Kind, *, did_id: str, number: str, key: str, **said: Any) -> Entry:
        """Write one acknowledgement down."""
        entry = Entry(kind=kind, at=time.time(), did_id=did_id, number=number, key=key, said=said)
        self._file.write(json.dumps(asdict(entry)) + "\n")
        self._file.flush()
        self.entries.append(entry)
        return entry

    def of(self, kind: Kind) -> Iterator[Entry]:
        """Give the entries of one kind, in order."""
        return (entry for entry in self.entries if entry.kind == kind)

    def counts(self) -> Counter[str]:
        """Count what was acknowledged, by kind."""
        return Counter(entry.kind for entry in self.entries)

    def expected(self) -> dict[str, Expected]:
        """Fold the entries to what each DID must look like, by its `did_id`."""
        dids = {entry.did_id: _bought(entry) for entry in reversed(self.entries) if entry.kind == "purchase"}
        for entry in self.entries:
            if entry.did_id in dids:
                dids[entry.did_id].take(entry)
        return dids

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _bought(entry: Entry) -> Expected:
    price, months = entry.said["price"], entry.said["billing_period"]
    setup, recurring = (Decimal(price[name]["amount"]) for name in ("setup", "recurring"))
    return Expected(
        did_id=entry.did_id,
        number=entry.number,
        recurring=recurring,
        cost=setup + recurring * months,
        registration=entry.said.get("registration"),
    )
