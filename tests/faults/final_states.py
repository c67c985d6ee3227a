"""Final states of DIDs in a form without ids, so that equal final states of different DIDs compare equal."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from faults.example_events import ExampleDid
from faults.services_in_process import ServicesInProcess, carrier_results, event_of

from didflow.services import service
from didflow_contracts.envelope import Event

AXES: Final = {
    "did.changed": "holding",
    "did.status_changed": "status",
    "term.changed": "term",
    "cycle.expired": "term",
    "routing.changed": "routing",
    "did.activated": "routing",
}
DEPENDS_ON_PATH: Final = ("previous", "next_step")
"""Fields of `did.status_changed` that depend on the earlier statuses, not only on the current one."""
ENDED: Final = ("ended", "end_reason", "carrier_state", "open", "open_command")
"""The fields of an ended DID that are compared. Its other fields may depend on the order of events."""
ORDER_DEPENDENT: Final = frozenset({"message.refused", "term.expiring"})
"""Topics whose events depend on the order of arrival. A message that comes before the end of the DID is not refused.

A registration that arrives outdated is not reminded of.
"""
ORDER_DEPENDENT_FIELDS: Final = frozenset({"reminded"})
"""Fields of states that depend on the order of arrival, as those topics do."""
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_REFERENCE: Final = re.compile(r"V-[A-Z0-9]{10}")
_RECENT: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?")


def without_identity(value: Any, did: ExampleDid) -> str:
    """Return a value as text, without the number, the ids and the instants of this run, which differ between DIDs."""
    text = json.dumps(value, default=str, sort_keys=True).replace(did.number, "NUMBER")
    text = _REFERENCE.sub("REFERENCE", _UUID.sub("ID", text))
    today = datetime.now(UTC) - timedelta(days=1)
    return _RECENT.sub(lambda found: "NOW" if _instant(found[0]) > today else found[0], text)


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def last_and_other_events(
    events: Iterable[Event[Any]], did: ExampleDid
) -> tuple[dict[str, str], Counter[tuple[str, str]]]:
    """Return the last event of each axis of a DID, and the count of each of its other events."""
    last: dict[str, tuple[int, str]] = {}
    others: Counter[tuple[str, str]] = Counter()
    for event in events:
        topic = event.data.topic
        axis = "registration" if topic.startswith("verification.") else AXES.get(topic)
        text = without_identity({k: v for k, v in event.data.wire().items() if k not in DEPENDS_ON_PATH}, did)
        if topic in ORDER_DEPENDENT:
            continue
        if axis is None:
            others[topic, text] += 1
        else:
            last[axis] = max(last.get(axis, (0, "")), (event.sequence or 0, text))
    return {axis: text for axis, (_, text) in last.items()}, others


async def answer_carrier_commands(services: ServicesInProcess) -> None:
    """Publish results for carrier commands until no carrier command is open."""
    while results := carrier_results(await services.publish(), datetime.now(UTC)):
        await services.receive(results)


async def final_states(
    services: ServicesInProcess, name: str, dids: Iterable[ExampleDid], *, without: Iterable[str] = ()
) -> dict[int, Any]:
    """Return the final state of each DID in a service. `without` names more fields that depend on the order."""
    states = await services.states(name)
    events: dict[UUID, list[Event[Any]]] = defaultdict(list)
    for event in map(event_of, services.published.get(name, ())):
        if event.data.topic != "provisioning.commands":
            events[event.data.did_id].append(event)
    found = {}
    hidden = ORDER_DEPENDENT_FIELDS.union(without)
    kind = service(name).kind_of[service(name).main]
    for n, did in enumerate(dids):
        axes, others = last_and_other_events(events[did.did_id], did)
        columns = dict(zip(kind.columns, kind.to_columns([states[did.did_id]]), strict=True))
        state = {k: v for k, (v,) in columns.items() if k in kind.names and k not in hidden}
        complete = {k: without_identity(v, did) for k, v in state.items()} | {
            f"event of {k}": v for k, v in axes.items()
        }
        result = (
            {k: complete[k] for k in ENDED if k in complete}
            if state.get("ended") or state.get("end_reason")
            else complete
        )
        found[n] = {**result, "other events": others}
    return found


def differences(found: Mapping[int, Any], orders: Sequence[Any]) -> str:
    """Return the orders whose final state differs from that of the first one, and the differences."""
    first, *rest = found.items()
    lines = [
        f"{orders[n]}: {key} is {did.get(key)}, not {first[1].get(key)}"
        for n, did in rest
        for key in did.keys() | first[1].keys()
        if did.get(key) != first[1].get(key)
    ]
    return "\n".join(lines[:20])
