"""Which of two events about the same axis is newer. Events of different topics can arrive in any order.

A service keeps the last applied sequence of each axis and source in a `Sequences` mapping.
Source: spec events, "Across topics there is no order".
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

from didflow_contracts.envelope import Event

Sequences: TypeAlias = Mapping[str, int]
"""`<axis>:<source>` -> the last applied sequence."""


def is_newer(sequences: Sequences, axis: str, event: Event[Any]) -> bool:
    """Return True if the event is newer than the last applied event of its axis and source.

    An event without a sequence is always newer: there is nothing to compare.
    """
    return event.sequence is None or event.sequence > sequences.get(_key(axis, event), 0)


def with_sequence(sequences: Sequences, axis: str, event: Event[Any]) -> Sequences:
    """Return the mapping with this event as the last applied one of its axis and source."""
    return sequences if event.sequence is None else {**sequences, _key(axis, event): event.sequence}


def _key(axis: str, event: Event[Any]) -> str:
    return f"{axis}:{event.source}"
