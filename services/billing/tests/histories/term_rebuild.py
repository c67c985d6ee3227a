"""Read the published events as another service does, and rebuild the terms and the ledger from them."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final
from uuid import UUID

from didflow_contracts.envelope import Event

FIELDS: Final = ("state", "cycles_left", "billing_period", "period_start", "expires_at", "aging_until")


def check_rebuilt(
    terms: Mapping[UUID, Any],
    ledger: Mapping[UUID, Sequence[Any]],
    published: Sequence[Event[Any]],
    *,
    seed: int,
) -> None:
    """Check that the events of all topics, mixed as a consumer may receive them, give the terms and the ledger."""
    axes: dict[UUID, Event[Any]] = {}
    sums: dict[UUID, dict[UUID, str]] = {}
    removed: set[UUID] = set()
    for event in _mixed(published, Random(seed)):
        did_id = event.data.entity_id
        if event.data.topic in ("term.changed", "cycle.expired"):
            if did_id not in axes or (event.sequence or 0) > (axes[did_id].sequence or 0):
                axes[did_id] = event
        elif event.data.topic == "ledger.posted":
            sums.setdefault(did_id, {})[event.data.entry_id] = str(event.data.money.amount)
        elif event.data.topic == "did.removed":
            removed.add(did_id)
    assert axes.keys() == terms.keys()
    for did_id, term in terms.items():
        rebuilt = axes[did_id].data
        assert [getattr(rebuilt, name) for name in FIELDS] == [getattr(term, name) for name in FIELDS]
        assert did_id not in removed or term.state == "closed"
        entries = {each.entry_id: str(each.money.amount) for each in ledger.get(did_id, ())}
        assert sums.get(did_id, {}) == entries


def _mixed(published: Sequence[Event[Any]], random: Random) -> list[Event[Any]]:
    """Return the events in an order in which they can arrive: each topic in its own order, and some of them twice."""
    topics: dict[str, list[Event[Any]]] = {}
    for event in published:
        topics.setdefault(event.data.topic, []).append(event)
    mixed = []
    while queues := [queue for queue in topics.values() if queue]:
        queue = random.choice(queues)
        event = queue.pop(0)
        mixed += [event] * random.choice((1, 1, 1, 2))
    return mixed
