"""What the carrier stores: its numbers, the operations on them, and a log of what it executed."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias

from didflow_contracts.vocabulary import CarrierAction

State: TypeAlias = Literal["pending", "done", "failed"]


class UnknownNumber(Exception):
    """The carrier does not have this number."""


@dataclass(slots=True)
class Operation:
    """One change that a client asked for with one idempotency key."""

    id: str
    key: str
    number: str
    action: CarrierAction
    fingerprint: bytes
    state: State = "pending"
    code: str | None = None
    attempts: int = 0
    in_flight: bool = False
    accepted: bool = False

    def shown(self) -> dict[str, Any]:
        """Return what the API shows. A failed operation has its code."""
        fields = {"operation": self.id, "number": self.number, "action": self.action, "status": self.state}
        return fields | ({"error": {"code": self.code}} if self.code else {})


@dataclass(frozen=True, slots=True)
class Execution:
    """One effect on a number. The position counts all effects from 1."""

    position: int
    operation: str
    key: str
    number: str
    action: CarrierAction
    at: str


@dataclass(slots=True)
class Numbers:
    """The numbers with their settings, in memory only, and the log of all effects.

    With `log`, a line of JSON for each effect is appended to this file. Source: docs/conformance.md.
    """

    numbers: dict[str, dict[str, Any]] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)
    by_id: dict[str, Operation] = field(default_factory=dict)
    executions: list[Execution] = field(default_factory=list)
    any_number: bool = False
    log: Path | None = None

    def operation(self, key: str, number: str, action: CarrierAction, fingerprint: bytes) -> Operation:
        """Return the operation with this idempotency key. It is a new one if there is none."""
        found = self.operations.get(key)
        if found is None:
            found = Operation(f"op-{len(self.operations) + 1}", key, number, action, fingerprint)
            self.operations[key] = self.by_id[found.id] = found
        return found

    def execute(self, operation: Operation, settings: dict[str, Any]) -> None:
        """Carry an operation out, and log it. Raises UnknownNumber."""
        number, action = operation.number, operation.action
        if action == "activate":
            self.numbers[number] = {"status": "active"} | settings
        elif number not in self.numbers and not self.any_number:
            raise UnknownNumber
        elif action == "release":
            self.numbers.pop(number, None)
        elif action in ("suspend", "resume"):
            status = "suspended" if action == "suspend" else "active"
            self.numbers.setdefault(number, {})["status"] = status
        else:
            self.numbers.setdefault(number, {}).update(settings)
        operation.state = "done"
        at = datetime.now(UTC).isoformat()
        position = len(self.executions) + 1
        self.executions.append(Execution(position, operation.id, operation.key, number, action, at))
        if self.log is not None:
            line = {"command_id": operation.key, "action": action, "number": number}
            with self.log.open("a") as file:
                file.write(f"{json.dumps(line)}\n")
