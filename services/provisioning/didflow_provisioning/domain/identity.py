"""The id of the command that a message may cause: made from the message, the same whenever it is decided again."""

from typing import Any
from uuid import UUID

from didflow_contracts.envelope import Event
from didflow_contracts.ids import derived_id
from didflow_provisioning.domain.commands import NumberCommand
from didflow_provisioning.domain.line import Line

_KIND = "provisioning.command"


def fresh_id(message: Event[Any] | NumberCommand) -> UUID:
    """Name the command that an event or an HTTP wish may cause."""
    if isinstance(message, Event):
        return derived_id(_KIND, message.source, message.id)
    return message.fresh_id


def fresh_id_of_line(line: Line) -> UUID:
    """Name the command that the clock may cause on a line."""
    return derived_id(_KIND, line.number, str(line.sent))
