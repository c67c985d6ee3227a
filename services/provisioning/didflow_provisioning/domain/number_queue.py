"""The queue of a number: which of its DIDs a carrier may have, in order, and the one open carrier command.

The queue outlives the DIDs. The carrier commands of a number run one after another over all its DIDs.
"""

from datetime import datetime
from uuid import UUID

from msgspec import Struct


class NumberQueue(Struct, frozen=True, kw_only=True):
    """The carrier commands of one number.

    `did_ids` are the DIDs that were assigned the number and are not released yet, earliest first. Commands are sent
    for the first DID only. `commands_sent` counts the carrier commands of the number. `due_at` is the next instant of
    the open command. If no command is open, it is when the queue must be checked for something to send.
    `carrier` is that of the open command, or of the next one that waits for its turn. `turn_at` is the turn that an
    attempt has. Only carriers with a rate or a concurrency have turns.
    """

    number: str
    did_ids: tuple[UUID, ...] = ()
    open_command_id: UUID | None = None
    carrier: str | None = None
    commands_sent: int = 0
    turn_at: datetime | None = None
    due_at: datetime | None = None
