"""Groups of the published events: by DID, by sequence, by cause, by type, and without repeats."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from faults.evidence import Evidence, PublishedEvent

from didflow_contracts import events as e
from didflow_contracts.topics import SOURCES


def topics_of(evidence: Evidence) -> Mapping[UUID, set[str]]:
    """Return DID -> the topics with an event about it."""
    found: dict[UUID, set[str]] = defaultdict(set)
    for published in evidence.records:
        found[published.did_id].add(published.topic)
    return found


def by_sequence(evidence: Evidence) -> defaultdict[tuple[str, UUID], dict[int, set[str]]]:
    """Return (service, DID) -> sequence -> event ids, for the events of didflow's services."""
    names = {source: name for name, source in SOURCES.items()}
    found: defaultdict[tuple[str, UUID], dict[int, set[str]]] = defaultdict(dict)
    for published in evidence.records:
        name = names.get(published.event.source, "")
        if name in evidence.services and published.event.sequence is not None:
            found[name, published.did_id].setdefault(published.event.sequence, set()).add(published.event.id)
    return found


def by_cause(evidence: Evidence) -> Mapping[tuple[str, str, str, UUID], set[str]]:
    """Return (source, cause, type, DID) -> event ids. An event of a timer has no cause."""
    found: dict[tuple[str, str, str, UUID], set[str]] = defaultdict(set)
    for published in evidence.records:
        cause = published.event.causationid
        if cause is not None and published.event.source in SOURCES.values():
            event_type = f"{published.topic} {getattr(published.event.data, 'kind', '')}".strip()
            found[published.event.source, cause, event_type, published.did_id].add(published.event.id)
    return found


def commands_by_action(evidence: Evidence) -> Mapping[tuple[UUID, str], set[UUID]]:
    """Return (DID, action) -> the ids of its carrier commands."""
    found: dict[tuple[UUID, str], set[UUID]] = defaultdict(set)
    for published in of_type(evidence, e.CarrierCommandIssued):
        found[published.did_id, published.event.data.action].add(published.event.data.command_id)
    return found


def of_type(evidence: Evidence, model: type[Any]) -> Iterator[PublishedEvent]:
    """Return the records of one event type."""
    return (published for published in evidence.records if isinstance(published.event.data, model))


def without_repeats(records: Iterable[PublishedEvent]) -> Iterator[PublishedEvent]:
    """Return each event at its first place on its topic. The events of a partition are in order."""
    seen: set[tuple[str, tuple[str, str]]] = set()
    for published in sorted(records, key=lambda one: one.place):
        if (published.topic, published.id) not in seen:
            seen.add((published.topic, published.id))
            yield published
