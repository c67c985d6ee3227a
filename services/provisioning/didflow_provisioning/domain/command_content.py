"""The content of a carrier command, stored as one value and turned into the parameters of its action."""

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from didflow_contracts.events.carrier import (
    ActivateParameters,
    Parameters,
    ReleaseParameters,
    ResumeParameters,
    SetCapacityParameters,
    SetSmsParameters,
    SetVoiceParameters,
    SmsDelivery,
    SuspendParameters,
    VoiceDelivery,
)
from didflow_contracts.vocabulary import CarrierAction, Channels, Feature


class CommandContent(Struct, frozen=True, kw_only=True):
    """Everything that a carrier command may carry. Each action uses the fields that its parameters have.

    `voice_account` and `sms_account` are the owners of the endpoints. Carriers do not get them.
    """

    features: tuple[Feature, ...] = ()
    voice: VoiceDelivery | None = None
    voice_account: str | None = None
    capacity: Channels | None = None
    sms: SmsDelivery | None = None
    sms_account: str | None = None
    keep: bool = False
    reason: str | None = None


def parameters(action: CarrierAction, content: CommandContent) -> Parameters:
    """Return the content as the parameters of the action. Source: spec events, provisioning.commands."""
    return _PARAMETERS_OF[action](content)


_PARAMETERS_OF: Final[Mapping[CarrierAction, Callable[[CommandContent], Parameters]]] = {
    "activate": lambda content: ActivateParameters(
        features=content.features, voice=content.voice, capacity=content.capacity, sms=content.sms
    ),
    "suspend": lambda content: SuspendParameters(reason=content.reason),
    "resume": lambda _: ResumeParameters(),
    "release": lambda content: ReleaseParameters(keep=content.keep, reason=content.reason),
    "set_voice": lambda content: SetVoiceParameters(voice=content.voice),
    "set_capacity": lambda content: SetCapacityParameters(capacity=content.capacity),
    "set_sms": lambda content: SetSmsParameters(sms=content.sms),
}
