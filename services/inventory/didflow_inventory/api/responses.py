"""The bodies of answers, as JSON values."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from pydantic import TypeAdapter

from didflow_chassis.decision import Caller
from didflow_contracts.cloudevents import is_our_source
from didflow_contracts.events import EVENT_TYPES
from didflow_contracts.near_misses import near_misses
from didflow_contracts.roles import may
from didflow_inventory.domain.accounts.account import Account
from didflow_inventory.domain.did import DidAt
from didflow_inventory.domain.history.entry import HistoryEntry
from didflow_inventory.domain.history.things import MASKED
from didflow_inventory.domain.my_numbers.answer import DidAnswer, did_answer
from didflow_inventory.store.queries import entry_of_row

_DID: Final = TypeAdapter(DidAnswer)
_ACCOUNT: Final = TypeAdapter(Account)
_AMOUNTS: Final = ("price", "money")
_ENTRY_FIELDS: Final = (
    "thing",
    "did_id",
    "thing_id",
    "number",
    "at",
    "recorded_at",
    "type",
    "actor",
    "claimed_actor",
    "outcome",
    "code",
    "account",
    "changes",
    "extra",
)


def did_json(found: DidAt, caller: Caller) -> Mapping[str, Any]:
    """Return a DID as JSON values, as it is shown to a caller."""
    values: Mapping[str, Any] = _DID.dump_python(did_answer(found.did, found.at, caller), mode="json")
    return values


def places_of(rows: Iterable[Any]) -> list[dict[str, Any]]:
    """Return one item for each country, with its regions in the order of their names. No name comes last."""
    counts: dict[str | None, list[tuple[str | None, int]]] = defaultdict(list)
    for row in rows:
        counts[row["country"]].append((row["shown_region"], row["count"]))
    return [
        {
            "country": country,
            "count": sum(count for _, count in regions),
            "regions": [
                {"region": region, "count": count}
                for region, count in sorted(regions, key=lambda found: (found[0] is None, found[0] or ""))
            ],
        }
        for country, regions in counts.items()
    ]


def account_json(account: Account) -> Mapping[str, Any]:
    """Return an account as JSON values."""
    values: Mapping[str, Any] = _ACCOUNT.dump_python(account, mode="json")
    return values


def entry_json(row: Any, caller: Caller) -> Mapping[str, Any]:
    """Return a row of the history as JSON values, as it is shown to a caller.

    `cause` is the event; null for a command. Prices and charges are shown to those who may read the payer's ledger.
    """
    entry = entry_of_row(row)
    values: Mapping[str, Any] = msgspec.to_builtins(entry)
    fields = {name: values[name] for name in _ENTRY_FIELDS}
    return {
        "position": row["position"],
        **fields,
        "extra": _extra_shown(entry, caller),
        "near_misses": _near_misses(entry),
        "cause": _cause(entry),
    }


def _extra_shown(entry: HistoryEntry, caller: Caller) -> Mapping[str, Any]:
    payer = entry.extra.get("payer")
    if not isinstance(payer, str) or (may(caller.role, "read_billing") and caller.reaches(payer)):
        return entry.extra
    return {name: MASKED if name in _AMOUNTS else value for name, value in entry.extra.items()}


def _near_misses(entry: HistoryEntry) -> Mapping[str, str]:
    """Return the unknown fields of an outside event that resemble a known field: probably typing errors."""
    if entry.source is None or is_our_source(entry.source):
        return {}
    return dict(near_misses(EVENT_TYPES[entry.type], entry.extra))


def _cause(entry: HistoryEntry) -> Mapping[str, Any] | None:
    if entry.event_id is None:
        return None
    return {
        "source": entry.source,
        "id": entry.event_id,
        "sequence": entry.event_sequence,
        "causationid": entry.causation_id,
    }
