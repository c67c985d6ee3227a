"""What an order asks of a carrier, kept as one plain value, and said in the shape of its action."""

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


class Asked(Struct, frozen=True, kw_only=True):
    """The content of an order; an action uses of it what its parameters have."""

    features: tuple[Feature, ...] = ()
    voice: VoiceDelivery | None = None
    capacity: Channels | None = None
    sms: SmsDelivery | None = None
    keep: bool = False
    reason: str | None = None


def parameters(action: CarrierAction, asked: Asked) -> Parameters:
    """Say it as the action's parameters. Source: spec events, provisioning.commands."""
    return _SHAPES[action](asked)


_SHAPES: Final[Mapping[CarrierAction, Callable[[Asked], Parameters]]] = {
    "activate": lambda asked: ActivateParameters(
        features=asked.features, voice=asked.voice, capacity=asked.capacity, sms=asked.sms
    ),
    "suspend": lambda asked: SuspendParameters(reason=asked.reason),
    "resume": lambda _: ResumeParameters(),
    "release": lambda asked: ReleaseParameters(keep=asked.keep, reason=asked.reason),
    "set_voice": lambda asked: SetVoiceParameters(voice=asked.voice),
    "set_capacity": lambda asked: SetCapacityParameters(capacity=asked.capacity),
    "set_sms": lambda asked: SetSmsParameters(sms=asked.sms),
}
