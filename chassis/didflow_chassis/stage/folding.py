"""Folding a batch: what the inbox or the batch itself has seen goes no further.

An id that says something else than before is forged; a source's count that says something else is forgotten history
(its database lost what it had said). Neither is applied, and neither is dropped in silence.
"""

from collections.abc import Iterable

from didflow_chassis.stage.letters import add_poison
from didflow_chassis.stage.loading import Seen
from didflow_chassis.stage.messages import Message, Poison, poison
from didflow_chassis.stage.work import Work

ID_REUSED = ("id_reused", "the id was used before with another type, subject or data")
SEQUENCE_REUSED = ("sequence_reused", "the source has said another event under this sequence before")


def fold(work: Work, messages: Iterable[Message], poisons: Iterable[Poison], seen: Seen) -> list[Message]:
    """Return what is new; `work.reused` gets what contradicts what was said before."""
    digests, spots = dict(seen.digests), dict(seen.spots)
    fresh: list[Message] = []
    for message in messages:
        before = digests.get(message.inbox_id) if message.record else None
        if before is not None and before == message.digest:
            work.duplicates += 1
        elif before is not None:
            _reuse(work, message, *ID_REUSED)
        elif message.spot and spots.setdefault(message.spot, message.inbox_id) != message.inbox_id:
            _reuse(work, message, *SEQUENCE_REUSED)
        else:
            digests[message.inbox_id] = message.digest
            fresh.append(message)
    for bad in poisons:
        if bad.inbox_id not in digests:
            digests[bad.inbox_id] = b""
            add_poison(work, bad)
        else:
            work.duplicates += 1
    return fresh


def _reuse(work: Work, message: Message, code: str, why: str) -> None:
    if message.record is not None:
        work.reused.append((message, poison(message.record, code, why)))
