"""What callers are shown: trunks, and the orders to carriers with their last failure."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field, JsonValue

from didflow_chassis.decision import Caller
from didflow_contracts.events.carrier import Endpoint
from didflow_contracts.vocabulary import CarrierAction
from didflow_provisioning.domain.asked import parameters
from didflow_provisioning.domain.carrier_command import CarrierCommand, CommandState
from didflow_provisioning.domain.trunks import VoiceTrunk, reaches


class VoiceTrunkShown(BaseModel):
    """A voice trunk."""

    voice_trunk_id: UUID
    account: str
    name: str
    endpoints: tuple[Endpoint, ...] | None = Field(
        description="Where calls go, in order; null for a trunk of an account above, which only lends it."
    )
    created_at: datetime

    @classmethod
    def of(cls, trunk: VoiceTrunk, caller: Caller) -> Self:
        """Show a trunk to a caller that it serves."""
        return cls(
            voice_trunk_id=trunk.trunk_id,
            account=trunk.account,
            name=trunk.name,
            endpoints=trunk.endpoints if reaches(caller, trunk.account) else None,
            created_at=trunk.created_at,
        )


class FailureShown(BaseModel):
    """How the last attempt failed."""

    code: str
    message: str | None


class CommandShown(BaseModel):
    """One order to a carrier."""

    command_id: UUID
    did_id: UUID
    number: str
    carrier: str
    action: CarrierAction
    parameters: dict[str, JsonValue]
    state: CommandState
    attempt: int
    issued_at: datetime
    deadline: datetime = Field(description="When the answer to the last attempt was or is due.")
    next_attempt_at: datetime | None = Field(description="When it is tried again; null unless it waits.")
    give_up_at: datetime
    last_failure: FailureShown | None
    carrier_reference: str | None
    closed_at: datetime | None

    @classmethod
    def of(cls, command: CarrierCommand) -> Self:
        """Show a command."""
        failed = FailureShown(code=command.code, message=command.message) if command.code else None
        return cls(
            command_id=command.command_id,
            did_id=command.did_id,
            number=command.number,
            carrier=command.carrier,
            action=command.action,
            parameters=parameters(command.action, command.asked).model_dump(mode="json"),
            state=command.state,
            attempt=command.attempt,
            issued_at=command.issued_at,
            deadline=command.deadline,
            next_attempt_at=command.next_at if command.state == "waiting" else None,
            give_up_at=command.give_up_at,
            last_failure=failed,
            carrier_reference=command.carrier_reference,
            closed_at=command.closed_at,
        )


class Retried(BaseModel):
    """What came of a retry by hand."""

    command_id: UUID | None = Field(description="The new command; null while another is open before it.")
