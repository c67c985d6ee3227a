"""Orders to carriers and their answers. Each action has a parameter model of its own."""

from typing import Any, ClassVar
from uuid import UUID

from pydantic import ConfigDict, Field, JsonValue, ValidationInfo, field_validator

from didflow_contracts.event import EventData, Part
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
    VoiceKind,
)


class Endpoint(Part):
    """Where calls or messages are to be delivered, one hop of a trunk."""

    kind: Name = Field(description="How to reach it, e.g. `sip`, `pstn`, `http`, `smpp`, `email`.")
    address: Name = Field(description="SIP URI, forward number, URL, host or mail address, by kind.")
    settings: dict[str, JsonValue] = Field(
        default_factory=dict, description="Transport, codecs, priority, weight and the like."
    )


class VoiceDelivery(Part):
    """A voice trunk or trunk group, with its endpoints in the order in which to try them."""

    kind: VoiceKind = Field(description="A single trunk, or a group.")
    id: UUID = Field(description="The trunk or group.")
    name: str = Field(description="Its name, for people.")
    endpoints: tuple[Endpoint, ...] = Field(default=(), description="Where to deliver calls, first first.")


class SmsDelivery(Part):
    """An SMS trunk with its endpoints."""

    id: UUID = Field(description="The trunk.")
    name: str = Field(description="Its name, for people.")
    endpoints: tuple[Endpoint, ...] = Field(default=(), description="Where to deliver messages.")


class ActivateParameters(Part):
    """Put the number into service, with the routing that is already set."""

    features: Features = Field(description="What the number has to do.")
    voice: VoiceDelivery | None = Field(default=None, description="Voice target, or null while unset.")
    capacity: Channels | None = Field(default=None, description="Concurrent calls, or null while unset.")
    sms: SmsDelivery | None = Field(default=None, description="SMS target, or null while unset.")


class SuspendParameters(Part):
    """Stop calls and messages; the number stays."""

    reason: str | None = Field(default=None, description="Why.")


class ResumeParameters(Part):
    """Let calls and messages through again."""


class ReleaseParameters(Part):
    """End the service of the number."""

    keep: Flag = Field(default=False, description="True when the number itself stays ours.")
    reason: str | None = Field(default=None, description="Why.")


class SetVoiceParameters(Part):
    """Deliver calls elsewhere."""

    voice: VoiceDelivery | None = Field(description="The new voice target; null for none.")


class SetCapacityParameters(Part):
    """Allow another number of concurrent calls."""

    capacity: Channels | None = Field(description="Concurrent calls; null for none set.")


class SetSmsParameters(Part):
    """Deliver messages elsewhere."""

    sms: SmsDelivery | None = Field(description="The new SMS target; null for none.")


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
"""Which action takes which parameters."""


def _parameters_by_action(schema: dict[str, Any]) -> None:
    """Say in the JSON Schema, too, what the parameters of each action must have."""
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


class CommandIssued(EventData):
    """One order to a carrier. The same `command_id` may come again; it is to be done once."""

    model_config = ConfigDict(json_schema_extra=_parameters_by_action)
    topic: ClassVar[str] = "provisioning.commands"

    command_id: UUID = Field(description="The order; its repeats have the same.")
    carrier: Name = Field(description="The carrier that is to act; others pass over it.")
    action: CarrierAction = Field(description="What to do.")
    parameters: Parameters = Field(description="What the action needs; its shape follows from `action`.")
    attempt: Ordinal = Field(description="Which attempt at this order, from 1.")
    deadline: Instant = Field(description="When the answer to this attempt is due.")
    give_up_at: Instant = Field(description="When the order is given up for good.")

    @field_validator("parameters", mode="before")
    @classmethod
    def _as_the_action_asks(cls, value: Any, info: ValidationInfo) -> Any:
        shape = PARAMETERS.get(info.data.get("action", ""))
        return value if shape is None else shape.model_validate(value)


class ResultReported(EventData):
    """A carrier's answer to one order, with the DID, number and account of the order."""

    topic: ClassVar[str] = "provisioning.results"

    command_id: UUID = Field(description="The order that is answered.")
    attempt: Ordinal | None = Field(default=None, description="The attempt answered; null for the open one.")
    outcome: ResultOutcome = Field(description="What came of it.")
    retryable: Flag = Field(default=False, description="Whether a failure may pass when tried again.")
    retry_after_s: Count | None = Field(default=None, description="Seconds to wait before trying again.")
    code: Name | None = Field(default=None, description="Code of a failure, e.g. `rate_limited`, `rejected`.")
    message: str | None = Field(default=None, description="The same for people.")
    carrier_reference: str | None = Field(default=None, description="The carrier's own name for the result.")
    completed_at: Instant | None = Field(default=None, description="When the carrier was done.")
