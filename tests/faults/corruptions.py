"""Wrong values in the databases: a name, the service, a statement, and the code with which the check finds it.

`$live`, `$refused` and `$removed` stand for the ids of three DIDs.
"""

from collections.abc import Mapping
from typing import Final

UNPROTECTED: Final[Mapping[str, tuple[str, ...]]] = {
    "billing": (
        "ALTER TABLE ledger DISABLE TRIGGER USER, DROP CONSTRAINT ledger_signs",
        "DROP INDEX ledger_charged_once",
    )
}
"""By service: what makes its database accept wrong values that it refuses otherwise."""

CORRUPTIONS: Final[Mapping[str, tuple[str, str, str]]] = {
    "inventory's view of the term": (
        "inventory",
        ("UPDATE dids SET term = jsonb_set(term, '{state}', '\"canceled\"') WHERE did_id = $live"),
        "term_differs",
    ),
    "inventory's view of the registration": (
        "inventory",
        (
            "UPDATE dids SET registration = jsonb_set(registration, '{state}', '\"pending\"') WHERE did_id = $live"
        ),
        "registration_differs",
    ),
    "inventory's view of the routing": (
        "inventory",
        (
            "UPDATE dids SET routing = jsonb_set(routing, '{carrier_state}', '\"failed\"') WHERE did_id = $live"
        ),
        "routing_differs",
    ),
    "inventory's view of the routing of a removed DID": (
        "inventory",
        (
            "UPDATE dids SET routing = jsonb_set(routing, '{carrier_state}', '\"active\"') WHERE did_id = $removed"
        ),
        "routing_differs",
    ),
    "the holder in inventory": (
        "inventory",
        ("UPDATE dids SET account = 'master/other' WHERE did_id = $live"),
        "view_behind",
    ),
    "the payer in inventory": (
        "inventory",
        ("UPDATE dids SET payer = 'master/other' WHERE did_id = $live"),
        "payer_differs",
    ),
    "a DID that is removed in inventory only": (
        "inventory",
        ("UPDATE dids SET stock = 'removed' WHERE did_id = $live"),
        "end_differs",
    ),
    "a DID that is lost in inventory": ("inventory", "DELETE FROM dids WHERE did_id = $live", "did_unknown"),
    "a number without its DID": (
        "inventory",
        ("UPDATE numbers SET did_id = NULL WHERE did_id = $live"),
        "number_row_differs",
    ),
    "a number with a removed DID": (
        "inventory",
        ("UPDATE numbers SET did_id = last_did_id WHERE last_did_id = $removed"),
        "number_row_differs",
    ),
    "the number of a DID in verification": (
        "verification",
        ("UPDATE registrations SET number = '+12122000009' WHERE did_id = $live"),
        "number_differs",
    ),
    "the holder in verification": (
        "verification",
        ("UPDATE registrations SET account = 'master/other' WHERE did_id = $live"),
        "holding_differs",
    ),
    "the registration": (
        "verification",
        ("UPDATE registrations SET state = 'awaiting' WHERE did_id = $live"),
        "registration_differs",
    ),
    "a registration that has ended": (
        "verification",
        ("UPDATE registrations SET ended = 'removed' WHERE did_id = $live"),
        "end_differs",
    ),
    "two live DIDs of a number": (
        "verification",
        ("UPDATE registrations SET ended = NULL WHERE did_id = $refused"),
        "number_twice",
    ),
    "a service request that nobody has heard of": (
        "verification",
        """INSERT INTO service_requests (request_id, did_id, number, account, service, state, identity_id,
        identity_account, reasons, requested_at, requested_by, version)
        SELECT $live, did_id, number, account, 'cnam', 'pending', did_id, account, '[]', now(), 'x', 1
        FROM registrations WHERE did_id = $live""",
        "service_differs",
    ),
    "a service of a removed DID that inventory still shows": (
        "inventory",
        (
            "UPDATE dids SET services = jsonb_set(services, '{cnam}', '{\"state\": \"active\"}')"
            " WHERE did_id = $removed"
        ),
        "service_differs",
    ),
    "the cycles of a term": (
        "billing",
        ("UPDATE terms SET cycles_left = 7 WHERE did_id = $live"),
        "term_differs",
    ),
    "the end of a term": (
        "billing",
        ("UPDATE terms SET expires_at = expires_at + interval '1 month' WHERE did_id = $live"),
        "period_not_charged",
    ),
    "a view of an event that inventory does not know": (
        "billing",
        (
            "UPDATE terms SET sequences = jsonb_set(sequences, '{stock:/didflow/inventory}', '999')"
            " WHERE did_id = $live"
        ),
        "view_ahead",
    ),
    "a term that is closed in billing only": (
        "billing",
        ("UPDATE terms SET state = 'closed' WHERE did_id = $live"),
        "end_differs",
    ),
    "a charge that is lost": (
        "billing",
        ("DELETE FROM ledger WHERE did_id = $live AND position = 2"),
        "entries_missing",
    ),
    "a setup that was never charged": (
        "billing",
        (
            "UPDATE ledger SET kind = 'renewal', period_start = now(), period_end = period_start"
            " WHERE did_id = $live AND kind = 'setup'"
        ),
        "period_not_charged",
    ),
    "a period that is charged twice": (
        "billing",
        (
            "INSERT INTO ledger SELECT (jsonb_populate_record(l, jsonb_build_object('entry_id', gen_random_uuid(), "
            "'position', 3))).* FROM ledger l WHERE did_id = $live AND position = 2"
        ),
        "period_charged_twice",
    ),
    "a charge of another amount": (
        "billing",
        ("UPDATE ledger SET amount = amount + 0.01 WHERE did_id = $live AND position = 2"),
        "charge_differs",
    ),
    "a charge of another payer": (
        "billing",
        ("UPDATE ledger SET payer = 'master/other' WHERE did_id = $live AND position = 2"),
        "charge_differs",
    ),
    "a refund of another amount": (
        "billing",
        ("UPDATE ledger SET amount = amount + 0.01 WHERE did_id = $refused AND position = 3"),
        "refund_differs",
    ),
    "a refusal that was not refunded": (
        "billing",
        ("DELETE FROM ledger WHERE did_id = $refused AND kind = 'refund'"),
        "refusal_not_refunded",
    ),
    "more refunds than charges": (
        "billing",
        ("UPDATE ledger SET amount = -100 WHERE did_id = $refused AND position = 4"),
        "refund_above_charges",
    ),
    "entries without a term": ("billing", "DELETE FROM terms WHERE did_id = $live", "did_unknown"),
    "a total of an account": (
        "billing",
        "UPDATE account_totals SET charged = charged + 0.01 WHERE period = 'all'",
        "totals_differ",
    ),
    "the totals of an order that are lost": (
        "billing",
        "DELETE FROM order_totals WHERE order_id = 'order live'",
        "totals_differ",
    ),
    "the holder in provisioning": (
        "provisioning",
        ("UPDATE routings SET account = 'master/other' WHERE did_id = $live"),
        "holding_differs",
    ),
    "provisioning's view of the term": (
        "provisioning",
        ("UPDATE routings SET term = 'canceled' WHERE did_id = $live"),
        "term_differs",
    ),
    "provisioning's view of the registration": (
        "provisioning",
        ("UPDATE routings SET registration = 'pending' WHERE did_id = $live"),
        "registration_differs",
    ),
    "the carrier state": (
        "provisioning",
        ("UPDATE routings SET carrier_state = 'suspended' WHERE did_id = $live"),
        "routing_differs",
    ),
    "a DID that goes on in provisioning": (
        "provisioning",
        ("UPDATE routings SET end_reason = NULL WHERE did_id = $removed"),
        "end_differs",
    ),
    "a term that provisioning has not received": (
        "provisioning",
        (
            "UPDATE routings SET term = NULL, sequences = sequences - 'term:/didflow/billing' WHERE did_id = $live"
        ),
        "view_behind",
    ),
}
