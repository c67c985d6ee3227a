"""The one class that a new carrier needs: an async method for each action, each giving an outcome.

Methods may be called again for an order that failed retryably, never for one that was answered for good
while this process lives; a carrier that must not do things twice passes `command_id` on as its own key.
"""

from dataclasses import dataclass
from typing import Protocol, TypeAlias

from didflow_contracts.events import CarrierCommandIssued
from didflow_contracts.events.carrier import (
    ActivateParameters,
    ReleaseParameters,
    ResumeParameters,
    SetCapacityParameters,
    SetSmsParameters,
    SetVoiceParameters,
    SuspendParameters,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Succeeded:
    """The carrier did it; `carrier_reference` is its own name for that."""

    carrier_reference: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Failed:
    """The carrier did not do it. `retryable`: it may pass when tried again, after `retry_after_s` at least."""

    code: str
    message: str | None = None
    retryable: bool = False
    retry_after_s: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Later:
    """Nothing is answered now: the carrier reports by another way, or the order is sent again in time."""


Outcome: TypeAlias = Succeeded | Failed | Later


class Carrier(Protocol):
    """A carrier. `name` is what orders name it by; `command` is the order with number, account and attempt.

    What a method raises counts as a retryable failure `adapter_error`.
    """

    @property
    def name(self) -> str:
        """The carrier's name in orders."""

    async def activate(self, command: CarrierCommandIssued, asked: ActivateParameters) -> Outcome:
        """Put the number into service, with the routing that is asked."""

    async def suspend(self, command: CarrierCommandIssued, asked: SuspendParameters) -> Outcome:
        """Stop calls and messages; keep the number."""

    async def resume(self, command: CarrierCommandIssued, asked: ResumeParameters) -> Outcome:
        """Let calls and messages through again."""

    async def release(self, command: CarrierCommandIssued, asked: ReleaseParameters) -> Outcome:
        """End the number's service; give the number back unless `keep`."""

    async def set_voice(self, command: CarrierCommandIssued, asked: SetVoiceParameters) -> Outcome:
        """Deliver calls elsewhere."""

    async def set_capacity(self, command: CarrierCommandIssued, asked: SetCapacityParameters) -> Outcome:
        """Allow another number of calls at once."""

    async def set_sms(self, command: CarrierCommandIssued, asked: SetSmsParameters) -> Outcome:
        """Deliver messages elsewhere."""
