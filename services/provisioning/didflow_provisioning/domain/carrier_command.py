"""One carrier command from its first attempt to its end. All attempts have the same id and the same content."""

from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from didflow_contracts.envelope import Event
from didflow_contracts.ids import derived_id
from didflow_contracts.instants import later
from didflow_contracts.vocabulary import CarrierAction
from didflow_provisioning.domain.command_content import CommandContent
from didflow_provisioning.domain.commands import RoutingCommand
from didflow_provisioning.domain.number_queue import NumberQueue
from didflow_provisioning.domain.timing import Timing, deadline, pause

CommandState: TypeAlias = Literal["out", "waiting", "succeeded", "failed", "superseded"]
"""`out`: a result is due. `waiting`: the next attempt is due later. `superseded`: a release replaced the command."""

OPEN_STATES: frozenset[CommandState] = frozenset(("out", "waiting"))
NO_ANSWER = "no_answer"
_ID_NAMESPACE = "provisioning.command"


class CarrierCommand(Struct, frozen=True, kw_only=True):
    """One carrier command. `next_at` is the deadline while it is out, and the next attempt while it is waiting.

    `answered_at` is when the carrier last answered an attempt, in time or late.
    """

    command_id: UUID
    did_id: UUID
    number: str
    account: str
    carrier: str
    action: CarrierAction
    content: CommandContent
    state: CommandState
    attempt: int
    issued_at: datetime
    deadline: datetime
    next_at: datetime | None
    give_up_at: datetime
    code: str | None = None
    message: str | None = None
    carrier_reference: str | None = None
    answered_at: datetime | None = None
    closed_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Return True while the number's queue waits for this command."""
        return self.state in OPEN_STATES


def next_command_id(message: Event[Any] | RoutingCommand) -> UUID:
    """Return the id of the one carrier command that an event or an HTTP command may cause.

    The id is derived from the message. If the same message is decided again, the id is the same.
    """
    if isinstance(message, Event):
        return derived_id(_ID_NAMESPACE, message.source, message.id)
    return message.next_command_id


def next_command_id_of_queue(queue: NumberQueue) -> UUID:
    """Return the id of the one carrier command that a due timer of this queue may cause."""
    return derived_id(_ID_NAMESPACE, queue.number, str(queue.commands_sent))


def with_next_attempt(command: CarrierCommand, at: datetime, timing: Timing) -> CarrierCommand:
    """Return the command with its next attempt sent now."""
    due_at = deadline(timing, at, command.give_up_at)
    attempt = command.attempt + 1
    return replace(command, state="out", attempt=attempt, deadline=due_at, next_at=due_at)


def waiting(
    command: CarrierCommand,
    at: datetime,
    timing: Timing,
    *,
    code: str,
    message: str | None,
    retry_after_s: int | None = None,
) -> CarrierCommand:
    """Return the command with a failed attempt, waiting for the next one or for `give_up_at` if that is earlier."""
    own_pause = pause(timing, command.command_id, command.attempt, retry_after_s)
    next_at = min(later(at, own_pause), command.give_up_at)
    return replace(command, state="waiting", next_at=next_at, code=code, message=message)


def closed(
    command: CarrierCommand,
    state: CommandState,
    at: datetime,
    *,
    code: str | None = None,
    message: str | None = None,
    carrier_reference: str | None = None,
) -> CarrierCommand:
    """Return the command in its final state. Without new ones, code and message of the last failure stay."""
    return replace(
        command,
        state=state,
        next_at=None,
        closed_at=at,
        code=code or command.code,
        message=message or command.message,
        carrier_reference=carrier_reference or command.carrier_reference,
    )
