"""How a DID ended, in a form that is equal for DIDs that ended alike, whatever their ids."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from faults.four import Four, answers, event_of
from faults.lives import Life

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
OF_THE_WAY: Final = ("previous", "next_step")
"""Fields of `did.status_changed` that depend on the way to the status, not on the status."""
ENDED: Final = ("ended", "end_reason", "carrier_state", "open", "open_command")
"""The fields that are promised for an ended DID. Later events about it change nothing else."""
ORDER_DEPENDENT: Final = frozenset({"message.refused"})
"""Topics whose events depend on the order of arrival: only what comes after the end of a DID is refused."""
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_REFERENCE: Final = re.compile(r"V-[A-Z0-9]{10}")
_RECENT: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?")


def plain(value: Any, of: Life) -> str:
    """Return a value without what differs between DIDs: names, ids and instants of this run."""
    text = json.dumps(value, default=str, sort_keys=True).replace(of.number, "NUMBER")
    text = _REFERENCE.sub("REFERENCE", _UUID.sub("ID", text))
    today = datetime.now(UTC) - timedelta(days=1)
    return _RECENT.sub(lambda found: "NOW" if _instant(found[0]) > today else found[0], text)


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def facts(said: Iterable[Event[Any]], of: Life) -> tuple[dict[str, str], Counter[tuple[str, str]]]:
    """Return what was published about a DID: the last event of each axis, and the count of each other event."""
    last: dict[str, tuple[int, str]] = {}
    others: Counter[tuple[str, str]] = Counter()
    for event in said:
        topic = event.data.topic
        axis = "registration" if topic.startswith("verification.") else AXES.get(topic)
        words = plain({k: v for k, v in event.data.wire().items() if k not in OF_THE_WAY}, of)
        if topic in ORDER_DEPENDENT:
            continue
        if axis is None:
            others[topic, words] += 1
        else:
            last[axis] = max(last.get(axis, (0, "")), (event.sequence or 0, words))
    return {axis: words for axis, (_, words) in last.items()}, others


async def answered(house: Four) -> None:
    """Let the carrier answer until no carrier command is open."""
    while orders := answers(await house.publish(), datetime.now(UTC)):
        await house.receive(orders)


async def endings(
    house: Four, name: str, lives: Iterable[Life], *, without: Iterable[str] = ()
) -> dict[int, Any]:
    """Return how each DID ended in a service. `without` names fields that depend on the order of arrival."""
    states = await house.states(name)
    said: dict[UUID, list[Event[Any]]] = defaultdict(list)
    for event in map(event_of, house.said.get(name, ())):
        if event.data.topic != "provisioning.commands":
            said[event.data.did_id].append(event)
    found = {}
    kind = service(name).kind_of[service(name).main]
    for n, one in enumerate(lives):
        axes, others = facts(said[one.did_id], one)
        kept = dict(zip(kind.columns, kind.to_columns([states[one.did_id]]), strict=True))
        state = {k: v for k, (v,) in kept.items() if k in kind.names and k not in without}
        whole = {k: plain(v, one) for k, v in state.items()} | {f"said of {k}": v for k, v in axes.items()}
        shown = (
            {k: whole[k] for k in ENDED if k in whole}
            if state.get("ended") or state.get("end_reason")
            else whole
        )
        found[n] = {**shown, "said": others}
    return found


def differing(found: Mapping[int, Any], orders: Sequence[Any]) -> str:
    """Return which order ended differently from the straight one, and how."""
    first, *rest = found.items()
    lines = [
        f"{orders[n]}: {key} is {one.get(key)}, not {first[1].get(key)}"
        for n, one in rest
        for key in one.keys() | first[1].keys()
        if one.get(key) != first[1].get(key)
    ]
    return "\n".join(lines[:20])
