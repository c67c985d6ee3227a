"""What the floor writes for a batch: the minimum (one row, one event), or all that a service writes.

Only the values that differ between rows are sent to the server. The others are constants in the statement.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import uuid4

from bench.floor_holdings import as_provisioning
from bench.floor_record import Record, Statement, Written, json_text, record

_TERMS = """
INSERT INTO terms AS t (did_id, number, account, payer, order_id, state, price, billing_period, purchased_at,
    period, period_start, expires_at, anchor, anchor_months, free_days, completed, accepted, charges, entry_count,
    sequences, changed_at, version, sequence, correlation_id)
SELECT d, n, a, a, o, 'active', p, b, s, 1, s, s + interval '1 month', s, b, 0, false, false, c, 2, '{}',
    s, 1, 3, e
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::jsonb[], $6::int[], $7::text[], $8::jsonb[])
    AS u (d, n, a, o, p, b, e, c), LATERAL (SELECT clock_timestamp() AS s) AS now
ON CONFLICT (did_id) DO UPDATE SET state = excluded.state, version = t.version + 1
"""
_LEDGER = """
INSERT INTO ledger (
    entry_id, did_id, number, position, order_id, payer, kind, amount, currency, period_start, period_end, posted_at,
    recorded_at)
SELECT i, d, n, l, o, a, k, m::numeric, c, p::timestamptz, p::timestamptz + interval '1 month', clock_timestamp(),
    clock_timestamp()
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::int[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
    $10::text[]) AS u (i, d, n, l, o, a, k, m, c, p)
"""
_DIDS = """
INSERT INTO dids AS t (did_id, number, number_type, country, area, order_id, purchased_at, stock, last_step, account,
    in_enterprise, payer, features, carrier, origin, tags, holders, registration, services, routing, term, sequences,
    status, in_all, in_active, in_not_configured, in_awaiting_registration, in_terminated, in_expiring_soon, in_porting,
    version, sequence, correlation_id)
SELECT d, n, y, 'GB', r, o, clock_timestamp(), 'assigned', 'purchase', a,
    false, a, f, 'simulator', 'purchased', '[]', '[]', $9, '{}', $10, $11, '{}',
    'awaiting_registration', true, false, true, true, false, false, false, 1, 1, e
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::jsonb[], $8::text[])
    AS u (d, n, y, r, o, a, f, e)
ON CONFLICT (did_id) DO UPDATE SET status = excluded.status, version = t.version + 1
"""
_NUMBERS = """
INSERT INTO numbers AS t (number, did_id, last_did_id, releasing, features, version)
SELECT n, d, d, false, '[]', 1 FROM unnest($1::text[], $2::uuid[]) AS u (n, d)
ON CONFLICT (number) DO UPDATE SET did_id = excluded.did_id, version = t.version + 1
"""
_ORDERS = """
INSERT INTO ordered_numbers (key, number, did_id, version)
SELECT k, n, d, 1 FROM unnest($1::text[], $2::text[], $3::uuid[]) AS u (k, n, d) ON CONFLICT (key) DO NOTHING
"""
_HISTORY = """
INSERT INTO history (
    thing, did_id, number, account, at, recorded_at, type, source, event_id, actor, outcome, changes, extra)
SELECT 'did', d, n, a, clock_timestamp(), clock_timestamp(), 'didflow.did.purchased.v1', s, e, s, 'applied', c, x
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::jsonb[])
    AS u (d, n, a, s, e, c, x)
"""
_CHANGES = """
INSERT INTO did_changes (did_id, number, account, status)
SELECT d, n, a, 'awaiting_registration' FROM unnest($1::uuid[], $2::text[], $3::text[]) AS u (d, n, a)
"""
_REGISTRATION: Final[Mapping[str, Any]] = {
    **dict.fromkeys(
        ("since", "attempt", "reference", "address_id", "grace_until", "identity_id", "requirement")
    ),
    **dict.fromkeys(("valid_until", "verification_id", "requirement_version")),
    "state": "awaiting",
    "completed": False,
    "reasons": [],
}
_ROUTING: Final[Mapping[str, Any]] = {
    **dict.fromkeys(("sms", "voice", "reason", "capacity", "capacity_group")),
    "missing": {"sms": None, "voice": None},
    "sms_ready": False,
    "voice_ready": False,
    "unapplied": [],
    "carrier_state": "inactive",
}
_TERM: Final[Mapping[str, Any]] = {
    **dict.fromkeys(("expires_at", "aging_until", "cycles_left", "period_start", "billing_period")),
    "state": "none",
}
_NOT_KEPT: Final = ("acquired", "billing_period", "end_user_type", "price")
"""What a purchase says and no column of a DID keeps. The history keeps it beside the changes."""
_FIRST: Final[Mapping[str, Any]] = {
    "carrier": "simulator",
    "country": "GB",
    "last_step": "purchase",
    "origin": "purchased",
    "registration.state": "awaiting",
    "routing.carrier_state": "inactive",
    "routing.missing": {"sms": None, "voice": None},
    "status": "awaiting_registration",
    "stock": "assigned",
    "term.state": "none",
}
"""The first values of a DID that its purchase does not say."""


def least(events: Sequence[Any]) -> tuple[list[Statement], list[Record]]:
    """Write a term and its event: the minimum of a stage with one table and one event."""
    return [_terms(events, ["[]"] * len(events))], [_term_changed(event) for event in events]


def as_billing(events: Sequence[Any]) -> tuple[list[Statement], list[Record]]:
    """Write a term with its charges, two ledger entries, and an event for each of the three."""
    lines: list[tuple[Any, ...]] = []
    charges: list[str] = []
    records: list[Record] = []
    for event in events:
        data, price = event["data"], event["data"]["price"]
        two = []
        records.append(_term_changed(event))
        for number, kind in ((1, "setup"), (2, "recurring")):
            money, entry = price[kind], str(uuid4())
            period = event["time"] if kind == "recurring" else None
            dates = {"period_start": period, "period_end": period, "posted_at": event["time"]}
            two.append({"money": money, "entry_id": entry, **dates})
            place = (data["did_id"], data["number"], number, data["order_id"], data["account"])
            lines.append((entry, *place, kind, money["amount"], money["currency"], period))
            records.append(_ledger_posted(event, str(number + 1), entry, kind, money, period))
        charges.append(json_text(two))
    columns = tuple(list(column) for column in zip(*lines, strict=True))
    return [_terms(events, charges), (_LEDGER, columns)], records


def as_inventory(events: Sequence[Any]) -> tuple[list[Statement], list[Record]]:
    """Write a DID, its number, its purchase, its history and its change, and the event of the DID."""
    data = [event["data"] for event in events]
    ids, numbers = [d["did_id"] for d in data], [d["number"] for d in data]
    accounts, orders = [d["account"] for d in data], [d["order_id"] for d in data]
    events_ids, sources = [event["id"] for event in events], [event["source"] for event in events]
    views = (json_text(_REGISTRATION), json_text(_ROUTING), json_text(_TERM))
    dids = (
        ids,
        numbers,
        [d["number_type"] for d in data],
        [d["area"] for d in data],
        orders,
        accounts,
        [json_text(d["features"]) for d in data],
        events_ids,
        *views,
    )
    keys = [f"{d['account']}|{d['order_id']}|{d['number']}" for d in data]
    changed = [json_text(_changes(event)) for event in events]
    extra = [json_text({n: d[n] for n in _NOT_KEPT} | {"payer": d["account"]}) for d in data]
    statements: list[Statement] = [
        (_DIDS, dids),
        (_NUMBERS, (numbers, ids)),
        (_ORDERS, (keys, numbers, ids)),
        (_HISTORY, (ids, numbers, accounts, sources, events_ids, changed, extra)),
        (_CHANGES, (ids, numbers, accounts)),
    ]
    return statements, [_did_changed(event) for event in events]


WRITTEN: Final[Mapping[str, Written]] = {
    "least": least,
    "billing": as_billing,
    "inventory": as_inventory,
    "provisioning": as_provisioning,
}
"""By service: what it writes for a batch of purchases, or provisioning for a batch of holdings."""


def _changes(event: Any) -> dict[str, Any]:
    said = {name: value for name, value in event["data"].items() if value and name not in _NOT_KEPT}
    first = {"payer": event["data"]["account"], "purchased_at": event["time"], **_FIRST}
    return {name: {"before": None, "after": value} for name, value in (said | first).items()}


def _terms(events: Sequence[Any], charges: list[str]) -> Statement:
    data = [event["data"] for event in events]
    columns = (
        [d["did_id"] for d in data],
        [d["number"] for d in data],
        [d["account"] for d in data],
        [d["order_id"] for d in data],
        [json_text(d["price"]) for d in data],
        [d["billing_period"] for d in data],
        [event["id"] for event in events],
        charges,
    )
    return _TERMS, columns


def _term_changed(event: Any) -> Record:
    data = {
        "state": "active",
        "cycles_left": None,
        "billing_period": event["data"]["billing_period"],
        "period_start": event["time"],
        "expires_at": event["time"],
        "aging_until": None,
        "reason": "started",
    }
    return record(event, "term.changed", "billing", "1", data)


def _ledger_posted(  # noqa: PLR0917 - what differs between two charges
    event: Any, sequence: str, entry: str, kind: str, money: Any, period: str | None
) -> Record:
    data = {
        "entry_id": entry,
        "order_id": event["data"]["order_id"],
        "payer": event["data"]["account"],
        "kind": kind,
        "money": money,
        "period_start": period,
        "period_end": period,
        "reverses": None,
    }
    return record(event, "ledger.posted", "billing", sequence, data)


def _did_changed(event: Any) -> Record:
    data = {
        "stock": "assigned",
        "until": None,
        "after_hold": None,
        "payer": event["data"]["account"],
        "user": None,
        "features": event["data"]["features"],
        "carrier": "simulator",
        "sms_carrier": None,
        "origin": "purchased",
        "tags": [],
        "description": None,
    }
    return record(event, "did.changed", "inventory", "1", data)
