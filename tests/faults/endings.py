"""How a DID ended, in words that are the same for DIDs that ended the same, whatever they are called."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from faults.four import Four, answers, event_of
from faults.stories import Life

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
"""What `did.status_changed` tells of the instant at which the status changed, by whatever way it came there."""
ENDED: Final = ("ended", "carrier_state", "open", "out")
"""What is promised of a DID that is at its end: what is heard of it afterwards is not written down."""
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_REFERENCE: Final = re.compile(r"V-[A-Z0-9]{10}")
_RECENT: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?")


def plain(value: Any, of: Life) -> str:
    """Write a value without what differs from DID to DID: its names, ids, and instants of this very run."""
    text = json.dumps(value, default=str, sort_keys=True).replace(of.number, "NUMBER")
    text = _REFERENCE.sub("REFERENCE", _UUID.sub("ID", text))
    today = datetime.now(UTC) - timedelta(days=1)
    return _RECENT.sub(lambda found: "NOW" if _instant(found[0]) > today else found[0], text)


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def facts(said: Iterable[Event[Any]], of: Life) -> tuple[dict[str, str], Counter[tuple[str, str]]]:
    """What was said of a DID: each axis as it was said last, and how often each fact of none was."""
    last: dict[str, tuple[int, str]] = {}
    others: Counter[tuple[str, str]] = Counter()
    for event in said:
        topic = event.data.topic
        axis = "registration" if topic.startswith("verification.") else AXES.get(topic)
        words = plain({k: v for k, v in event.data.wire().items() if k not in OF_THE_WAY}, of)
        if axis is None:
            others[topic, words] += 1
        else:
            last[axis] = max(last.get(axis, (0, "")), (event.sequence or 0, words))
    return {axis: words for axis, (_, words) in last.items()}, others


async def answered(house: Four) -> None:
    """Let the carrier answer until nothing is ordered any more."""
    while orders := answers(await house.publish(), datetime.now(UTC)):
        await house.hear(orders)


async def endings(
    house: Four, name: str, lives: Iterable[Life], *, without: Iterable[str] = ()
) -> dict[int, Any]:
    """How each DID ended at a service; `without` names fields that may tell by which way."""
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
        shown = {k: whole[k] for k in ENDED if k in whole} if state.get("ended") else whole
        found[n] = {**shown, "said": others}
    return found


def differing(found: Mapping[int, Any], orders: Sequence[Any]) -> str:
    """Say which order ended otherwise than the straight one, and how."""
    first, *rest = found.items()
    lines = [
        f"{orders[n]}: {key} is {one.get(key)}, not {first[1].get(key)}"
        for n, one in rest
        for key in one.keys() | first[1].keys()
        if one.get(key) != first[1].get(key)
    ]
    return "\n".join(lines[:20])
