"""The order inside a batch: one lane for each entity, its waiting messages first.

A lane that holds a message under retry or given up on keeps everything behind it waiting, in order.
"""

from dataclasses import dataclass, field
from datetime import datetime

from didflow_chassis.stage.messages import Message

RETRY = "retry"
DEAD = "dead"
EARLY = "early"
BEHIND = "behind"


@dataclass(frozen=True, slots=True)
class Waiter:
    """A parked row as it was loaded, with the message that waits in it."""

    reason: str
    due_at: datetime | None
    message: Message


@dataclass(slots=True)
class Lane:
    """One entity in a batch: the messages that came too early for it, and whether it is held back.

    `lost` when a message of it needs what is not loaded: this pass only finds out what else the batch needs.
    """

    early: list[Message] = field(default_factory=list)
    held: bool = False
    lost: bool = False


def held_by(waiter: Waiter, now: datetime) -> bool:
    """Whether this waiter holds back what comes after it."""
    if waiter.reason == RETRY:
        return waiter.due_at is not None and waiter.due_at > now
    return waiter.reason == DEAD
