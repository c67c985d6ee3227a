"""What a batch of timers leaves for later: each entity that needs a state which someone else has locked.

The entity is left as a whole, with all its messages. The other entities of the batch are decided.
"""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, TypeVar

from didflow_chassis.database import hash64
from didflow_chassis.service import Ref, Service
from didflow_chassis.stage.messages import Batch, Message, lock_name, refs_of

T = TypeVar("T", bound=Any)


@dataclass(frozen=True, slots=True)
class Busy:
    """The numbers of the locks that others hold. There are none in a batch that has waited for its locks."""

    service: Service
    batch: Batch
    locks: AbstractSet[int]

    def without(self, refs: set[Ref]) -> set[Ref]:
        """Return the states that this transaction has locked."""
        return {ref for ref in refs if not self._holds(ref)} if self.locks else refs

    def entities(self, messages: Iterable[Message]) -> set[str]:
        """Return the entities that are left: a message, or a parked one, needs a state that others have locked."""
        if not self.locks:
            return set()
        named = {name for name, subject in self.batch.entities.items() if hash64(subject) in self.locks}
        return named | {
            str(message.entity) for message in messages if any(map(self._holds, self._refs(message)))
        }

    def _refs(self, message: Message) -> Iterable[Ref]:
        return refs_of(self.service, message) | self.batch.discovered.get(str(message.entity), set())

    def _holds(self, ref: Ref) -> bool:
        return hash64(lock_name(self.service, ref)) in self.locks


def without(left: AbstractSet[str], things: Sequence[T]) -> list[T]:
    """Return the messages, or rows of parked messages, whose entities are not left."""
    return list(things) if not left else [thing for thing in things if str(thing.entity) not in left]
