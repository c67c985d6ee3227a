"""Evidence in groups: what was published about each DID, under which number, because of what, and first."""

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
    for said in evidence.records:
        found[said.did_id].add(said.topic)
    return found


def numbered(evidence: Evidence) -> defaultdict[tuple[str, UUID], dict[int, set[str]]]:
    """Return (service, DID) -> sequence -> event ids, for the events of didflow's services."""
    names = {source: name for name, source in SOURCES.items()}
    found: defaultdict[tuple[str, UUID], dict[int, set[str]]] = defaultdict(dict)
    for said in evidence.records:
        name = names.get(said.event.source, "")
        if name in evidence.services and said.event.sequence is not None:
            found[name, said.did_id].setdefault(said.event.sequence, set()).add(said.event.id)
    return found


def caused(evidence: Evidence) -> Mapping[tuple[str, str, str, UUID], set[str]]:
    """Return (source, cause, type, DID) -> event ids. An event of a timer has no cause."""
    found: dict[tuple[str, str, str, UUID], set[str]] = defaultdict(set)
    for said in evidence.records:
        cause = said.event.causationid
        if cause is not None and said.event.source in SOURCES.values():
            what = f"{said.topic} {getattr(said.event.data, 'kind', '')}".strip()
            found[said.event.source, cause, what, said.did_id].add(said.event.id)
    return found


def commands_by_action(evidence: Evidence) -> Mapping[tuple[UUID, str], set[UUID]]:
    """Return (DID, action) -> the ids of its carrier commands."""
    found: dict[tuple[UUID, str], set[UUID]] = defaultdict(set)
    for said in of(evidence, e.CarrierCommandIssued):
        found[said.did_id, said.event.data.action].add(said.event.data.command_id)
    return found


def of(evidence: Evidence, model: type[Any]) -> Iterator[PublishedEvent]:
    """Return the records of one event type."""
    return (said for said in evidence.records if isinstance(said.event.data, model))


def firsts(records: Iterable[PublishedEvent]) -> Iterator[PublishedEvent]:
    """Return each event at its first place on its topic. The events of a partition are in order."""
    seen: set[tuple[str, tuple[str, str]]] = set()
    for said in sorted(records, key=lambda one: one.place):
        if (said.topic, said.id) not in seen:
            seen.add((said.topic, said.id))
            yield said
