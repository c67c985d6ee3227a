"""The line of a number: which of its DIDs have it at a carrier, in order, and the one command that is open.

A line outlives its DIDs: what is ordered for a number is strictly one after another over all of them.
"""

from datetime import datetime
from uuid import UUID

from msgspec import Struct


class Line(Struct, frozen=True, kw_only=True):
    """One number towards its carriers.

    `lives` are the DIDs that were given the number and are not released yet, earliest first; only the
    first is served. `sent` counts the commands of the number. `due_at` is when the open command wants
    attention, or, with none open, when the line has something to send.
    """

    number: str
    lives: tuple[UUID, ...] = ()
    open: UUID | None = None
    sent: int = 0
    due_at: datetime | None = None
