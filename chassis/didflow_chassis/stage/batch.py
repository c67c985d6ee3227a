"""What one transaction is asked to take, and how a batch is cut where a row of it cannot be written."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from didflow_chassis.service import Ref, Service
from didflow_chassis.stage.messages import Message, Poison
from didflow_chassis.stage.work import refs_of

MAX_LOCKS = 2_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Messages in order, poison, and waiting rows to try: by entity (with its subject), or by row id.

    `struck` batches come from the clock: they never wait for a lock, what is busy is left for next time.
    `origin` is kafka, http or clock. `rejected` is why the database refused the one message that is left in the batch.
    """

    origin: str
    messages: tuple[Message, ...] = ()
    poisons: tuple[Poison, ...] = ()
    opened: dict[str, str] = field(default_factory=dict)
    bare: tuple[int, ...] = ()
    struck: bool = False
    rejected: str | None = None

    @property
    def size(self) -> int:
        """How many things can be told apart in it."""
        return len(self.messages) + len(self.poisons) + len(self.opened) + len(self.bare)

    def inbox_ids(self) -> list[bytes]:
        """The inbox keys of all records in it."""
        return [m.inbox_id for m in self.messages if m.record] + [p.inbox_id for p in self.poisons]

    def entities(self) -> list[str]:
        """The entities whose waiters belong to this batch."""
        return list({str(m.entity) for m in self.messages} | self.opened.keys())


def halves(batch: Batch) -> tuple[Batch, Batch]:
    """Cut a batch in two: its messages from the rest, or else each kind of thing in the middle."""
    if 0 < len(batch.messages) < batch.size:
        return Batch(origin=batch.origin, messages=batch.messages, struck=batch.struck), replace(
            batch, messages=()
        )
    opened = list(batch.opened.items())
    m, p, o, b = ((len(x) + 1) // 2 for x in (batch.messages, batch.poisons, opened, batch.bare))
    first = replace(
        batch,
        messages=batch.messages[:m],
        poisons=batch.poisons[:p],
        opened=dict(opened[:o]),
        bare=batch.bare[:b],
    )
    second = replace(
        batch,
        messages=batch.messages[m:],
        poisons=batch.poisons[p:],
        opened=dict(opened[o:]),
        bare=batch.bare[b:],
    )
    return first, second


def required_refs(service: Service, messages: Iterable[Message]) -> set[Ref]:
    """Return all states that these messages say themselves that they need."""
    return set[Ref]().union(*(refs_of(service, message) for message in messages))
