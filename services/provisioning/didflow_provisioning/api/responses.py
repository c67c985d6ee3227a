"""The responses of the API."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field, JsonValue

from didflow_contracts.vocabulary import CarrierAction
from didflow_provisioning.domain.carrier_command import CarrierCommand, CommandState
from didflow_provisioning.domain.command_content import parameters


class LastFailure(BaseModel):
    """The failure of the last attempt."""

    code: str
    message: str | None


class CarrierCommandResponse(BaseModel):
    """A carrier command."""

    command_id: UUID
    did_id: UUID
    number: str
    carrier: str
    action: CarrierAction
    parameters: dict[str, JsonValue]
    state: CommandState
    attempt: int
    issued_at: datetime
    deadline: datetime = Field(description="When the result of the last attempt is or was due.")
    next_attempt_at: datetime | None = Field(description="When it is tried again. Null unless it is waiting.")
    give_up_at: datetime
    last_failure: LastFailure | None
    carrier_reference: str | None
    closed_at: datetime | None

    @classmethod
    def of(cls, command: CarrierCommand) -> Self:
        """Return the response for a carrier command."""
        failure = LastFailure(code=command.code, message=command.message) if command.code else None
        return cls(
            command_id=command.command_id,
            did_id=command.did_id,
            number=command.number,
            carrier=command.carrier,
            action=command.action,
            parameters=parameters(command.action, command.content).model_dump(mode="json"),
            state=command.state,
            attempt=command.attempt,
            issued_at=command.issued_at,
            deadline=command.deadline,
            next_attempt_at=command.next_at if command.state == "waiting" else None,
            give_up_at=command.give_up_at,
            last_failure=failure,
            carrier_reference=command.carrier_reference,
            closed_at=command.closed_at,
        )


class RetryResponse(BaseModel):
    """The result of a retry by hand."""

    command_id: UUID | None = Field(
        description="The new command. Null if another command of the number is open first."
    )
