"""The ledger of acknowledgements: one line of a local file for each, written as soon as it arrives.

The effect of every entry must be found exactly once at the end of the test.
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
    """One acknowledgement. `at`: its time in Unix seconds. `values`: the promised values.

    The key of a purchase is its event id, of a command its Idempotency-Key, of a carrier command its `command_id`.
    """

    kind: Kind
    at: float
    did_id: str
    number: str
    key: str
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(kw_only=True)
class Expected:
    """The expected final values of one DID, from its purchase and the last acknowledged change of each kind."""

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

    def apply(self, entry: Entry) -> None:
        """Apply one acknowledged change."""
        if entry.kind == "renew":
            self.renewals += 1
            self.cost += self.recurring * entry.values["billing_period"]
        elif entry.kind in ("cancel", "restore"):
            self.canceled = entry.kind == "cancel"
        elif entry.kind == "set_cycles":
            self.cycles = entry.values["billing_cycles"]
        elif entry.kind == "set_voice":
            self.voice = entry.values["voice_trunk_id"]
        elif entry.kind == "set_capacity":
            self.capacity = entry.values["capacity"]
        elif entry.kind in ("assign", "approve"):
            self.registration = "approved"


class Ledger:
    """The acknowledgements of one test, in a file and in memory."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a")
        self.entries: list[Entry] = []

    def write(self, kind: Kind, *, did_id: str, number: str, key: str, **values: Any) -> Entry:
        """Write one acknowledgement."""
        entry = Entry(kind=kind, at=time.time(), did_id=did_id, number=number, key=key, values=values)
        self._file.write(json.dumps(asdict(entry)) + "\n")
        self._file.flush()
        self.entries.append(entry)
        return entry

    def of(self, kind: Kind) -> Iterator[Entry]:
        """Return the entries of one kind, in order."""
        return (entry for entry in self.entries if entry.kind == kind)

    def counts(self) -> Counter[str]:
        """Return kind -> number of acknowledgements."""
        return Counter(entry.kind for entry in self.entries)

    def expected(self) -> dict[str, Expected]:
        """Return `did_id` -> the expected final values of the DID, computed from all entries."""
        dids = {
            entry.did_id: _after_purchase(entry)
            for entry in reversed(self.entries)
            if entry.kind == "purchase"
        }
        for entry in self.entries:
            if entry.did_id in dids:
                dids[entry.did_id].apply(entry)
        return dids

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _after_purchase(entry: Entry) -> Expected:
    price, months = entry.values["price"], entry.values["billing_period"]
    setup, recurring = (Decimal(price[name]["amount"]) for name in ("setup", "recurring"))
    return Expected(
        did_id=entry.did_id,
        number=entry.number,
        recurring=recurring,
        cost=setup + recurring * months,
        registration=entry.values.get("registration"),
    )
