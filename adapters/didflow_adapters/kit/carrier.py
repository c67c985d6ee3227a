"""The class that a new carrier needs: an async method for each action. Each method returns an outcome.

The kit calls a method again for a command that failed retryably. It does not call a method again for a command whose
final result is published. If the process dies after the call and before that, the next process calls the method again
with the same `command_id`. If a carrier must never do a command twice, pass `command_id` to it as its idempotency key.
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
    """The carrier carried the command out. `carrier_reference` is the carrier's own name for it."""

    carrier_reference: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Failed:
    """The carrier did not carry the command out.

    If `retryable`, the command is tried again after at least `retry_after_s` seconds. Otherwise the failure is final.
    """

    code: str
    message: str | None = None
    retryable: bool = False
    retry_after_s: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Later:
    """No result is published now. The carrier reports in another way, or the command is sent again."""


Outcome: TypeAlias = Succeeded | Failed | Later


class Carrier(Protocol):
    """A carrier. `command` is the carrier command with its number, account and attempt.

    If a method raises an exception, the command fails retryably with the code `adapter_error`.
    """

    @property
    def name(self) -> str:
        """The name of the carrier in carrier commands."""

    async def activate(self, command: CarrierCommandIssued, parameters: ActivateParameters) -> Outcome:
        """Put the number into service with this routing."""

    async def suspend(self, command: CarrierCommandIssued, parameters: SuspendParameters) -> Outcome:
        """Stop calls and messages, and keep the number."""

    async def resume(self, command: CarrierCommandIssued, parameters: ResumeParameters) -> Outcome:
        """Allow calls and messages again."""

    async def release(self, command: CarrierCommandIssued, parameters: ReleaseParameters) -> Outcome:
        """End the service of the number. Give the number back unless `keep` is true."""

    async def set_voice(self, command: CarrierCommandIssued, parameters: SetVoiceParameters) -> Outcome:
        """Change where calls are delivered."""

    async def set_capacity(self, command: CarrierCommandIssued, parameters: SetCapacityParameters) -> Outcome:
        """Change the number of concurrent calls."""

    async def set_sms(self, command: CarrierCommandIssued, parameters: SetSmsParameters) -> Outcome:
        """Change where messages are delivered."""
