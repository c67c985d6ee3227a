"""Where messages wait: the rows that a batch writes to and takes from the `parked` table and the inbox.

Every message is in the inbox once, from the first batch that saw it, whatever became of it then.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b

from msgspec import structs

from didflow_chassis.stage.lanes import DEAD, EARLY, RETRY
from didflow_chassis.stage.messages import Message
from didflow_chassis.stage.work import DeadLetter, Moved, ParkedRow, Work

MAX_ATTEMPTS = 4


@dataclass(slots=True)
class Parking:
    """Parks and unparks for one batch."""

    work: Work

    def park(self, message: Message, reason: str, *, missing: str | None = None) -> None:
        """Let a new message wait; its inbox row says why."""
        self._write(message, reason, missing=missing)
        self._note(message, reason)

    def await_others(self, message: Message, missing: str) -> None:
        """Let a message wait for what is missing; one that waited otherwise keeps its place."""
        if message.parked_id is None:
            self.park(message, EARLY, missing=missing)
        else:
            self.work.moved.append(Moved(message.parked_id, EARLY, message.attempts, None, missing))

    def done(self, message: Message, label: str) -> None:
        """A message was taken: it leaves its place, or is noted if it never waited."""
        if message.parked_id is not None:
            self.work.unparked.append(message.parked_id)
        elif message.record is not None and not self._withdraw(message):
            self._note(message, label)

    def set_aside(self, message: Message, error: str) -> None:
        """A decision raised: try again after a while, alone; after the last attempt dead-letter it.

        Source: spec events, "a defect in our own code": 3 retries, then the entity waits for an operator.
        """
        tried = structs.replace(message, attempts=message.attempts + 1)
        if tried.attempts >= MAX_ATTEMPTS:
            self._move(message, tried, DEAD, None, error)
            self.work.dead.append(DeadLetter("defect", error, message.record, entity=str(message.entity)))
        else:
            due = self.work.now + backoff(tried.attempts, message.inbox_id)
            self._move(message, tried, RETRY, due, error)

    def _move(self, message: Message, tried: Message, reason: str, due: datetime | None, error: str) -> None:
        """Change why a message waits; it keeps its place before those that came after it."""
        if message.parked_id is not None:
            self.work.moved.append(Moved(message.parked_id, reason, tried.attempts, due, error))
            return
        if not self._withdraw(message):
            self._note(message, reason)
        self._write(tried, reason, due_at=due, error=error)

    def _note(self, message: Message, label: str) -> None:
        if message.record is not None:
            self.work.inbox.append((message.inbox_id, message.digest, label, message.spot))

    def _withdraw(self, message: Message) -> bool:
        """Take back a row that this very batch parked."""
        return self.work.parked.pop(id(message.record), None) is not None

    def _write(
        self,
        message: Message,
        reason: str,
        *,
        missing: str | None = None,
        due_at: datetime | None = None,
        error: str | None = None,
    ) -> None:
        place = id(message.record) if message.record is not None else id(message)
        self.work.parked[place] = ParkedRow(
            entity=str(message.entity),
            subject=message.subject,
            model=message.model.__name__,
            reason=reason,
            missing=missing,
            attempts=message.attempts,
            due_at=due_at,
            last_error=error,
            inbox_id=message.inbox_id,
            record=message.record,
        )


def backoff(attempts: int, seed: bytes) -> timedelta:
    """Return how long to wait after so many attempts: 1, 4, 16 s, and by the message up to half of it more."""
    jitter = int.from_bytes(blake2b(seed + bytes([attempts]), digest_size=2).digest(), "big") / 65535
    return timedelta(seconds=4 ** (attempts - 1) * (1 + jitter / 2))
