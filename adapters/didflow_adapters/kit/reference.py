"""What identifies a command that is being executed. A result can be built from it, in this process or another one."""

from contextvars import ContextVar
from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from didflow_contracts.envelope import Event
from didflow_contracts.events import CarrierCommandIssued


class CommandReference(BaseModel):
    """The fields of an attempt that its result repeats. It can be sent away as JSON and read back.

    `event_id` becomes the `causationid` of the result. Source: spec events, provisioning.results.
    """

    model_config = ConfigDict(frozen=True)

    carrier: str
    did_id: UUID
    number: str
    account: str
    command_id: UUID
    attempt: int
    event_id: str
    correlationid: str | None = None
    traceparent: str | None = None

    @classmethod
    def of(cls, command: Event[CarrierCommandIssued]) -> "CommandReference":
        """Return the reference of an attempt."""
        data = command.data
        return cls(
            carrier=data.carrier,
            did_id=data.did_id,
            number=data.number,
            account=data.account,
            command_id=data.command_id,
            attempt=data.attempt,
            event_id=command.id,
            correlationid=command.correlationid,
            traceparent=command.traceparent,
        )


PRESENT: Final[ContextVar[CommandReference | None]] = ContextVar("present_command", default=None)
"""The command that the carrier's method is being called for. A carrier that answers later passes it on."""
