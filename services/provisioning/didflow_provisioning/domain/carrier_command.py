"""One order to a carrier from its first attempt to its end. Its id and what it asks never change between attempts."""

from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from didflow_contracts.events import CarrierCommandIssued
from didflow_contracts.vocabulary import CarrierAction
from didflow_provisioning.domain import timing
from didflow_provisioning.domain.asked import Asked, parameters

CommandState: TypeAlias = Literal["out", "waiting", "succeeded", "failed", "superseded"]
"""out: an answer is due; waiting: for the next attempt; superseded: a release took its place."""

OPEN_STATES: frozenset[CommandState] = frozenset(("out", "waiting"))
NO_ANSWER = "no_answer"


class CarrierCommand(Struct, frozen=True, kw_only=True):
    """One order. `next_at` is when it wants attention: the deadline while out, the next attempt while waiting."""

    command_id: UUID
    did_id: UUID
    number: str
    account: str
    carrier: str
    action: CarrierAction
    asked: Asked
    state: CommandState
    attempt: int
    issued_at: datetime
    deadline: datetime
    next_at: datetime | None
    give_up_at: datetime
    code: str | None = None
    message: str | None = None
    carrier_reference: str | None = None
    closed_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether its line still waits for it."""
        return self.state in OPEN_STATES

    def said(self) -> CarrierCommandIssued:
        """Say this attempt to the carrier."""
        return CarrierCommandIssued(
            did_id=self.did_id,
            number=self.number,
            account=self.account,
            command_id=self.command_id,
            carrier=self.carrier,
            action=self.action,
            parameters=parameters(self.action, self.asked),
            attempt=self.attempt,
            deadline=self.deadline,
            give_up_at=self.give_up_at,
        )


def attempted(command: CarrierCommand, at: datetime) -> CarrierCommand:
    """Make the next attempt at the same order."""
    due = timing.deadline(command.carrier, at, command.give_up_at)
    return replace(command, state="out", attempt=command.attempt + 1, deadline=due, next_at=due)


def put_off(
    command: CarrierCommand, at: datetime, *, code: str, message: str | None, retry_after_s: int | None = None
) -> CarrierCommand:
    """Let a failed attempt wait for the next one, or for the order's end where that comes first."""
    wait = timing.pause(command.carrier, command.command_id, command.attempt, retry_after_s)
    upon = min(at + wait, command.give_up_at)
    return replace(command, state="waiting", next_at=upon, code=code, message=message)


def closed(
    command: CarrierCommand,
    state: CommandState,
    at: datetime,
    *,
    code: str | None = None,
    message: str | None = None,
    carrier_reference: str | None = None,
) -> CarrierCommand:
    """End an order; what is known of its last failure is kept unless something newer is said."""
    return replace(
        command,
        state=state,
        next_at=None,
        closed_at=at,
        code=code or command.code,
        message=message or command.message,
        carrier_reference=carrier_reference or command.carrier_reference,
    )
