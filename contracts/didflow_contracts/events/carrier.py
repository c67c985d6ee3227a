"""Carrier commands and their results. Each action has its own model of parameters."""

from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import ConfigDict, Field, JsonValue, ValidationInfo, field_validator

from didflow_contracts.bounds import ITEMS
from didflow_contracts.event_data import EventData, Part
from didflow_contracts.instants import Instant
from didflow_contracts.vocabulary import (
    CarrierAction,
    Channels,
    Count,
    Features,
    Flag,
    Name,
    Ordinal,
    ResultOutcome,
    Text,
    VoiceKind,
)


class Endpoint(Part):
    """One place where a trunk delivers calls or messages."""

    kind: Name = Field(description="Kind of endpoint, e.g. `sip`, `pstn`, `http`, `smpp`, `email`.")
    address: Name = Field(
        description="SIP URI, forward number, URL, host or mail address, depending on the kind."
    )
    settings: dict[Name, JsonValue] = Field(
        default_factory=dict,
        max_length=ITEMS.most,
        description="Further settings, such as transport, codecs, priority and weight.",
    )


Endpoints = Annotated[tuple[Endpoint, ...], Field(max_length=ITEMS.most)]


class VoiceDelivery(Part):
    """A voice trunk or trunk group. Try its endpoints in their order."""

    kind: VoiceKind = Field(description="A single trunk, or a group.")
    id: UUID = Field(description="The trunk or group.")
    name: Name = Field(description="Its name, for people.")
    endpoints: Endpoints = Field(default=(), description="Where to deliver calls, in this order.")


class SmsDelivery(Part):
    """An SMS trunk with its endpoints."""

    id: UUID = Field(description="The trunk.")
    name: Name = Field(description="Its name, for people.")
    endpoints: Endpoints = Field(default=(), description="Where to deliver messages.")


class ActivateParameters(Part):
    """Put the number into service with the current routing."""

    features: Features = Field(description="The features that the number must have.")
    voice: VoiceDelivery | None = Field(default=None, description="Voice target; null if not set.")
    capacity: Channels | None = Field(default=None, description="Concurrent calls; null if not set.")
    sms: SmsDelivery | None = Field(default=None, description="SMS target; null if not set.")


class SuspendParameters(Part):
    """Stop calls and messages. The number is kept."""

    reason: Text | None = Field(default=None, description="Why.")


class ResumeParameters(Part):
    """Allow calls and messages again."""


class ReleaseParameters(Part):
    """End the service of the number."""

    keep: Flag = Field(default=False, description="True if the number stays in our stock.")
    reason: Text | None = Field(default=None, description="Why.")


class SetVoiceParameters(Part):
    """Deliver calls to another voice target."""

    voice: VoiceDelivery | None = Field(description="The new voice target, or null.")


class SetCapacityParameters(Part):
    """Change the number of concurrent calls."""

    capacity: Channels | None = Field(description="Concurrent calls; null if not set.")


class SetSmsParameters(Part):
    """Deliver messages to another SMS target."""

    sms: SmsDelivery | None = Field(description="The new SMS target, or null.")


Parameters = (
    ActivateParameters
    | SetVoiceParameters
    | SetCapacityParameters
    | SetSmsParameters
    | ReleaseParameters
    | SuspendParameters
    | ResumeParameters
)

PARAMETERS: dict[CarrierAction, type[Part]] = {
    "activate": ActivateParameters,
    "suspend": SuspendParameters,
    "resume": ResumeParameters,
    "release": ReleaseParameters,
    "set_voice": SetVoiceParameters,
    "set_capacity": SetCapacityParameters,
    "set_sms": SetSmsParameters,
}
"""Action -> the model of its parameters."""


def _parameters_by_action(schema: dict[str, Any]) -> None:
    """Add the required parameters of each action to the JSON Schema."""
    schema["allOf"] = [
        {
            "if": {"properties": {"action": {"const": action}}, "required": ["action"]},
            "then": {"properties": {"parameters": {"required": _required(shape)}}},
        }
        for action, shape in PARAMETERS.items()
        if _required(shape)
    ]


def _required(shape: type[Part]) -> list[str]:
    return [name for name, field in shape.model_fields.items() if field.is_required()]


class CarrierCommandIssued(EventData):
    """One carrier command. The same `command_id` can be received again; carry it out once."""

    model_config = ConfigDict(json_schema_extra=_parameters_by_action)
    topic: ClassVar[str] = "provisioning.commands"

    command_id: UUID = Field(description="The id of the carrier command. Repeats have the same id.")
    carrier: Name = Field(
        description="The carrier that must act. Adapters of other carriers ignore the command."
    )
    action: CarrierAction = Field(description="What the carrier must do.")
    parameters: Parameters = Field(description="Parameters of the action. `action` decides which ones.")
    attempt: Ordinal = Field(description="The number of the attempt, from 1.")
    deadline: Instant = Field(description="When the result of this attempt is due.")
    give_up_at: Instant = Field(description="When the command is given up.")

    @field_validator("parameters", mode="before")
    @classmethod
    def _as_the_action_asks(cls, value: Any, info: ValidationInfo) -> Any:
        shape = PARAMETERS.get(info.data.get("action", ""))
        return value if shape is None else shape.model_validate(value)


class ResultReported(EventData):
    """The result of one carrier command, with the DID, number and account of the command."""

    topic: ClassVar[str] = "provisioning.results"

    command_id: UUID = Field(description="The id of the carrier command.")
    attempt: Ordinal | None = Field(
        default=None, description="The attempt that this is the result of; null for the open one."
    )
    outcome: ResultOutcome = Field(description="Whether the carrier carried the command out.")
    retryable: Flag = Field(
        default=False, description="True if a failed command can succeed when it is tried again."
    )
    retry_after_s: Count | None = Field(default=None, description="Seconds to wait before the next attempt.")
    code: Name | None = Field(default=None, description="Code of a failure, e.g. `rate_limited`, `rejected`.")
    message: Text | None = Field(default=None, description="The failure in words.")
    carrier_reference: Text | None = Field(default=None, description="The reference that the carrier gave.")
    completed_at: Instant | None = Field(default=None, description="When the carrier finished.")
