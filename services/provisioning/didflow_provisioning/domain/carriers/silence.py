"""Whether a carrier is silent: a command is past its deadline, and the carrier has answered nothing for ten minutes.

Source: spec provisioning, Commands to carriers.
"""

from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from didflow_contracts.instants import later
from didflow_provisioning.domain.carrier_command import NO_ANSWER, CarrierCommand
from didflow_provisioning.domain.number_context import NumberContext
from didflow_provisioning.domain.routing import Routing

SILENT_AFTER: Final = timedelta(minutes=10)
CARRIER_SILENT: Final = "carrier_silent"
"""The code in `unapplied` of a command that its silent carrier has not answered."""


class CarrierContact(Struct, frozen=True, kw_only=True):
    """When a carrier last answered. A carrier that no command was sent to has no such state.

    `last_result_at`: when it last answered any command. `unanswered_since`: when the oldest of its open commands that
    are past their deadline was sent first.
    """

    carrier: str
    last_result_at: datetime | None
    unanswered_since: datetime | None


def with_silence(
    context: NumberContext, loaded: CarrierCommand, contact: CarrierContact | None, at: datetime
) -> NumberContext:
    """Return the context whose routing shows if the carrier of its open command is silent.

    If it will be silent before the next instant of the command, the queue is due at that time. `loaded` is the command
    as it was before.
    """
    command = context.commands.get(loaded.command_id, loaded)
    if not command.is_open:
        return context
    silent_from = _silent_from(_with_command(contact, command)) if command.code == NO_ANSWER else None
    if silent_from is None:
        return context.with_code(command, command.code)
    if silent_from <= at:
        return context.with_code(command, CARRIER_SILENT)
    due_at = min(silent_from, command.next_at or silent_from)
    return replace(context, queue=replace(context.queue, due_at=due_at)).with_code(command, command.code)


def is_shown_as_silent(routing: Routing) -> bool:
    """Return True if the carrier of the DID was silent when its open command was last decided."""
    return routing.open_command is not None and routing.open_command.code == CARRIER_SILENT


def without_ended_silence(routing: Routing, contact: CarrierContact, now: datetime) -> Routing:
    """Return the routing as it is shown now. A carrier that has answered for another number is not silent any more.

    The stored code stays until the next attempt at the command, so that an answer changes no other number.
    """
    opened = routing.open_command
    if opened is None or opened.code != CARRIER_SILENT or is_silent(contact, now):
        return routing
    return replace(routing, open_command=replace(opened, code=NO_ANSWER))


def is_silent(contact: CarrierContact, now: datetime) -> bool:
    """Return True if a command for the carrier is past its deadline, and it has answered nothing for ten minutes."""
    silent_from = _silent_from(contact)
    return silent_from is not None and silent_from <= now


def _silent_from(contact: CarrierContact) -> datetime | None:
    """Return from when on the carrier is silent if it answers nothing. None if no command is past its deadline."""
    if contact.unanswered_since is None:
        return None
    return later(
        max(contact.unanswered_since, contact.last_result_at or contact.unanswered_since), SILENT_AFTER
    )


def _with_command(contact: CarrierContact | None, command: CarrierCommand) -> CarrierContact:
    """Return the contact of the carrier, with a command of this decision."""
    known = contact or CarrierContact(carrier=command.carrier, last_result_at=None, unanswered_since=None)
    return replace(
        known,
        last_result_at=max(filter(None, (known.last_result_at, command.answered_at)), default=None),
        unanswered_since=min(known.unanswered_since or command.issued_at, command.issued_at),
    )
