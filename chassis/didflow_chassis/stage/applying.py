"""Taking over what a decision says into the batch: its states, its rows, its events. All of it or nothing."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from didflow_chassis.decision import Decided, Refused
from didflow_chassis.stage.events import Emitter
from didflow_chassis.stage.messages import Message
from didflow_chassis.stage.work import Place, Work
from didflow_chassis.states import Kind


def apply(
    work: Work, emitter: Emitter, decided: Decided[Any], message: Message, at: datetime
) -> Decided[Any] | Refused:
    """Apply a decision about the message's entity; refused `too_large` when an event would not fit a record.

    Raises KeyError for a state that the handler did not declare as written: a defect in `handlers.py`.
    """
    said = emitter.written(decided.events)
    if said is None:
        return Refused("too_large", "what this would publish is larger than a record may be")
    kinds = work.service.kind_of
    changes = _changes(work, kinds, decided, message)
    correlation = emitter.correlation(message)
    for place, state in changes:
        work.change(place, state, correlation)
    if decided.also:
        work.appended.extend(other for other in decided.also if kinds[type(other)].append_only)
    emitter.emit(work, said, message, at)
    return decided


def _changes(
    work: Work, kinds: Mapping[type, Kind[Any]], decided: Decided[Any], message: Message
) -> list[tuple[Place, Any]]:
    changes: list[tuple[Place, Any]] = []
    if decided.state is not None:
        own = kinds[message.model]
        if own.key_of(decided.state) != message.entity:
            raise KeyError(f"decided on another {own.model.__name__} than {message.entity}")
        changes.append(((own.model, message.entity), decided.state))
    for other in decided.also:
        kind = kinds[type(other)]
        if kind.append_only:
            continue
        place = (kind.model, kind.key_of(other))
        if place not in work.writable:
            raise KeyError(f"{kind.model.__name__} {place[1]} was not declared to be written")
        changes.append((place, other))
    return changes
