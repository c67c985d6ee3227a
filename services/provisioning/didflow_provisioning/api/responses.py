"""The responses of the API about carriers. Other resources have modules of their own."""

from datetime import datetime
from typing import Any, Final, Self
from uuid import UUID

from pydantic import BaseModel, Field, JsonValue

from didflow_chassis.decision import Caller
from didflow_chassis.http import ItemResult
from didflow_contracts.vocabulary import CarrierAction
from didflow_provisioning.domain.carrier_command import CarrierCommand, CommandState
from didflow_provisioning.domain.carriers.silence import CarrierContact
from didflow_provisioning.domain.command_content import parameters
from didflow_provisioning.domain.timing import Timing

_NEW_COMMAND: Final = "The new command. `GET /v1/commands` lists it as soon as it is sent."


class CarrierSettingsResponse(BaseModel):
    """The settings of a carrier that are in force, and whether it answers."""

    carrier: str
    deadline_s: float = Field(description="How long it has to answer an attempt.")
    first_pause_s: float = Field(
        description="The pause after the first failed attempt. It doubles each time."
    )
    longest_pause_s: float
    give_up_s: dict[CarrierAction, float] = Field(description="By action: after this a command is given up.")
    rate_per_s: float | None = Field(description="The most attempts that leave in a second. Null: no limit.")
    concurrency: int | None = Field(description="The most commands that are out at a time. Null: no limit.")
    last_result_at: datetime | None = Field(description="When it last answered. Null if it never has.")
    silent: bool = Field(
        description="A command is past its deadline, and the carrier has answered nothing for 10 minutes."
    )

    @classmethod
    def of(cls, carrier: str, timing: Timing, contact: CarrierContact | None, *, silent: bool) -> Self:
        """Return the response for a carrier. `contact` is None if no command was sent to it."""
        return cls(
            carrier=carrier,
            deadline_s=timing.answer_within.total_seconds(),
            first_pause_s=timing.first_pause.total_seconds(),
            longest_pause_s=timing.longest_pause.total_seconds(),
            give_up_s={action: after.total_seconds() for action, after in timing.give_up_after.items()},
            rate_per_s=timing.rate_per_s,
            concurrency=timing.concurrency,
            last_result_at=contact.last_result_at if contact else None,
            silent=silent,
        )


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
    parameters: dict[str, JsonValue] = Field(
        description="As the carrier got them. The `endpoints` of a target of an account above yours are null, and `id` "
        "and `name` too in a command for an earlier holder of the number."
    )
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
    def of(cls, command: CarrierCommand, caller: Caller) -> Self:
        """Return the response for a caller that reaches the DID of the command."""
        failure = LastFailure(code=command.code, message=command.message) if command.code else None
        return cls(
            command_id=command.command_id,
            did_id=command.did_id,
            number=command.number,
            carrier=command.carrier,
            action=command.action,
            parameters=_parameters_shown_to(caller, command),
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

    command_id: UUID = Field(description=_NEW_COMMAND)


class RetryResult(ItemResult):
    """The result of a retry by hand in a batch."""

    command_id: UUID | None = Field(default=None, description=f"{_NEW_COMMAND} Null if nothing was done.")


def new_command(command_id: UUID) -> dict[str, Any]:
    """Return the answer of a retry as JSON values."""
    return {"command_id": str(command_id)}


def _parameters_shown_to(caller: Caller, command: CarrierCommand) -> dict[str, Any]:
    """Return the parameters without what the caller must not see. Source: spec provisioning, Routing.

    Endpoints of accounts above are hidden. What was set by an earlier holder, whom the caller does not reach, has no
    name and no id either.
    """
    content = command.content
    shown = parameters(command.action, content).model_dump(mode="json")
    for name, owner in (("voice", content.voice_account), ("sms", content.sms_account)):
        if shown.get(name) and not (owner and caller.reaches(owner)):
            shown[name]["endpoints"] = None
            if not caller.reaches(command.account):
                shown[name] |= {"id": None, "name": None}
    return shown
