"""The table of the tenant matrix: which parameters and fields name things of accounts, and a valid body for each route.

`<name>` stands for the thing of that name in `estate.Things`. Everything else is read from the OpenAPI documents. A
route, a parameter or a field that is in a document and not in these tables fails the test.
"""

from collections.abc import Mapping
from typing import Any, Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PATHS: Final[Mapping[str, str]] = {
    "did": "did",
    "identity_id": "identity",
    "address_id": "address",
    "document_id": "document",
    "verification_id": "verification",
    "request_id": "request",
    "voice_trunk_id": "trunk",
    "command_id": "command",
    "path": "account",
    "user_id": "user",
    "carrier": "carrier",
    "operator_id": "operator",
    "number": "stock_number",
    "reservation_id": "reservation",
    "package_id": "package",
    "account": "account",
}
"""Parameter of a path -> the thing that it names."""

PATHS_OF_SERVICES: Final[Mapping[str, str]] = {"job_id": "job", "dead_letter_id": "dead_letter"}
"""Parameter of a path -> what it names in its service."""

PATHS_OF_ROUTES: Final[Mapping[str, str]] = {
    "POST /v1/verifications/{verification_id}/approve": "pending_verification",
    "POST /v1/verifications/{verification_id}/reject": "pending_verification",
    "POST /v1/verifications/{verification_id}/claim": "pending_verification",
    "POST /v1/verifications/{verification_id}/release": "pending_verification",
    "POST /v1/verifications/{verification_id}/resubmit": "rejected_verification",
    "DELETE /v1/voice-trunks/{voice_trunk_id}": "spare_trunk",
    "DELETE /v1/users/{user_id}": "spare_user",
    "POST /v1/portings/{did}/cancel": "leaving_did",
}
"""Routes about a thing in another state than that of `PATHS`."""

QUERIES: Final[Mapping[str, tuple[str, ...]]] = {
    "did": ("<did>", "<number>"),
    "did_id": ("<did>",),
    "number": ("<number>",),
    "numbers": ("<number>", "<number>,<pending_number>"),
    "number_contains": ("<number>",),
    "identity_id": ("<identity>",),
    "address_id": ("<address>",),
    "document_ids": ("<document>",),
    "ids": ("<identity>", "<address>", "<document>", "<identity>,<address>,<document>"),
    "account": ("<account>",),
    "payer": ("<account>",),
    "order_id": ("<order>",),
    "reference": ("<reference>",),
    "contains": ("<stock_number>",),
    "reservation_id": ("<reservation>",),
}
"""Query parameter that names things -> its values."""

PLAIN_QUERIES: Final = _words(
    "filter description country region tag carrier service service_state status expires_before expires_after limit "
    "cursor sort reason topic entity kind state outcome on number_type end_user_type since until action requirement "
    "area group_by stock operator actor type"
)
"""Query parameters that name nothing of an account."""

FIELDS: Final = _words(
    "dids did did_id number account path identity_id address_id document_ids voice_trunk_id by dead_letters "
    "verifications numbers number_contains user_id default_did default_carrier default_sms_carrier"
)
"""Fields of bodies that name things of accounts. Each of them is in a body of `BODIES`."""

PLAIN_FIELDS: Final = _words(
    "name countries kind subject email sms_enabled extension "
    "allow_external_numbers may_set_prices "
    "number_type features order_id end_user_type price "
    "billing_period billing_cycles country region area carrier sms_carrier purchased_at acquired setup recurring "
    "amount currency service brand use_case sample_messages opt_in_text display_name caller_name state reasons "
    "code field message street city postal_code company_name company_registration_number vat_number tax_id first_name "
    "last_name birth_date national_id passport_number contact_email contact_phone type identity address remove "
    "action sip forward_to priority weight ring_timeout_s failover uri transport codecs capacity issued_on "
    "expires_on states file only_this filter description tag status service_state "
    "expires_before expires_after limit cursor sort notes tags add_tags remove_tags after_hold days "
    "from to prefix operator count minutes expected_at losing_carrier selection hold_days"
)
"""Fields of bodies that name nothing of an account."""

DIDS: Final = ["<did>", "<number>"]
LEAVING: Final = ["<leaving_did>"]
"""A DID about which nothing but its holding is asked: it is ported out at the end."""
DETAILS: Final = {"identity_id": "<identity>", "address_id": "<address>", "document_ids": ["<document>"]}
PLACE: Final = {"street": "1 Quay", "city": "Cork", "postal_code": "T12 X0X0", "country": "IE"}
MONEY: Final = {"amount": "2.50", "currency": "EUR"}
PURCHASE: Final = {
    "account": "<account>",
    "number": "<new_number>",
    "number_type": "local",
    "features": ["voice_in"],
    "order_id": "order of <account>",
    "end_user_type": "business",
    "billing_period": 1,
    "price": {"setup": MONEY, "recurring": MONEY},
}
PORTING: Final = {
    name: value for name, value in PURCHASE.items() if name not in ("price", "number", "order_id")
} | {"number": "<new_porting>", "order_id": "porting of <account>"}
DEFAULT_CARRIERS: Final = {
    "default_carrier": "<carrier_name>",
    "default_sms_carrier": "<carrier_name>",
}
SIP: Final = {"uri": "sip:pbx.example.com"}

BODIES: Final[Mapping[str, list[Any]]] = {
    "POST /v1/purchases": [PURCHASE, PURCHASE | {"did_id": "<did>"}, PURCHASE | {"number": "<number>"}],
    "POST /v1/portings": [PORTING, PORTING | {"did_id": "<did>"}, PORTING | {"number": "<number>"}],
    "POST /v1/accounts": [
        {"path": "<account>", "name": "Shop"},
        {"path": "<account>/new", "name": "Shop"},
        {"path": "<account>/served", "name": "Shop", **DEFAULT_CARRIERS},
    ],
    "POST /v1/carriers": [{"account": "<account>", "name": "net of <account>"}],
    "PATCH /v1/carriers/{carrier}": [{"kind": "voice"}],
    "POST /v1/operators": [{"account": "<account>", "name": "Telco"}],
    "PATCH /v1/operators/{operator_id}": [{"countries": ["IE"], "notes": "x"}],
    "POST /v1/users": [
        {"account": "<firm>", "name": "Desk", "kind": "sms"},
        {"account": "<firm>", "name": "Desk", "kind": "sms", "default_did": "<firm_did>"},
    ],
    "PATCH /v1/users/{user_id}": [{"name": "Front desk"}, {"default_did": "<firm_did>"}],
    "PATCH /v1/accounts/{path}": [{"name": "Shop", **DEFAULT_CARRIERS}],
    "POST /v1/dids/search": [
        {"numbers": ["<number>"], "number_contains": "<number>", "account": "<account>"},
        {"identity_id": "<identity>"},
    ],
    "PATCH /v1/dids/{did}": [{"description": "Main"}],
    "POST /v1/dids/batch/edit": [{"dids": LEAVING, "notes": "None", "add_tags": ["a"]}],
    "POST /v1/dids/batch/assign-account": [{"dids": LEAVING, "account": "<account>"}],
    "POST /v1/dids/batch/assign-user": [{"dids": ["<firm_did>"], "user_id": "<user>"}],
    "POST /v1/dids/batch/hold": [{"dids": LEAVING, "days": 1, "after_hold": "back"}],
    **{
        f"POST /v1/dids/batch/{action}": [{"dids": LEAVING}]
        for action in ("take-back", "unhold", "block", "unblock", "return", "port-out")
    },
    "POST /v1/dids/batch/assign-end-user": [{"dids": DIDS, **DETAILS}],
    "POST /v1/stock": [
        {"numbers": "<stock_number>"},
        {"numbers": ["<new_number>", "<number>"]},
    ],
    **{
        f"POST /v1/stock/batch/{action}": [{"numbers": ["<stock_number>"]}]
        for action in ("archive", "reserve", "release")
    },
    "POST /v1/stock/batch/hand-out": [
        {"numbers": ["<held_number>"], "account": "<account>"},
        {"numbers": ["<held_number>"], "account": "<firm>", "user_id": "<user>"},
    ],
    "POST /v1/packages": [{"account": "<account>", "name": "Ten", "count": 10, "hold_days": 3}],
    "PATCH /v1/packages/{package_id}": [{"name": "Nine", "selection": {"country": "IE"}}],
    "POST /v1/packages/{package_id}/clients": [{"account": "<account>"}],
    "POST /v1/packages/{package_id}/picks": [
        {"numbers": ["<stock_number>"], "account": "<account>"},
        {"count": 1, "account": "<account>"},
    ],
    "POST /v1/reservations": [{"numbers": ["<stock_number>"]}, {"country": "IE", "count": 1}],
    "POST /v1/stock/batch/delete": [{"numbers": ["<spare_stock_number>"]}],
    "POST /v1/stock/batch/edit": [{"numbers": ["<stock_number>"], "tag": "gold"}],
    "POST /v1/identities": [{"type": "business", "company_name": "Example", "account": "<account>"}],
    "PATCH /v1/identities/{identity_id}": [{"contact_email": "new@bakery.example"}],
    "POST /v1/addresses": [{"identity_id": "<identity>", **PLACE}],
    "PATCH /v1/addresses/{address_id}": [{"street": "2 Quay"}],
    "POST /v1/documents": [{"identity_id": "<identity>", "type": "utility_bill"}],
    "POST /v1/requirements/evaluate": [
        {"dids": DIDS, **DETAILS},
        {"country": "IE", "number_type": "local", "area": "Cork", **DETAILS},
    ],
    **{
        f"POST /v1/verifications/batch/{action}": [{"verifications": ["<pending_verification>"]}]
        for action in ("claim", "release", "approve")
    },
    "POST /v1/verifications/batch/reject": [
        {"verifications": ["<pending_verification>"], "reasons": [{"code": "mismatch"}]}
    ],
    "POST /v1/verifications/{verification_id}/reject": [{"reasons": [{"code": "mismatch"}]}],
    "POST /v1/verifications/{verification_id}/resubmit": [
        {"identity_id": "<identity>", "address_id": "<address>", "document_ids": ["<document>"]},
        {"address_id": "<spare_address>"},
        {"document_ids": ["<spare_document>"]},
    ],
    "POST /v1/verifications/{verification_id}/revoke": [{"reasons": [{"code": "suspected_fraud"}]}],
    "POST /v1/service-requests": [
        {"did": "<did>", "service": "emergency", "address_id": "<address>", "caller_name": "Bakery"},
        {"did": "<number>", "service": "cnam", "display_name": "Bakery"},
        {
            "did": "<did>",
            "service": "a2p_sms",
            "brand": "Bakery",
            "use_case": "mixed",
            "sample_messages": ["Bread"],
            "opt_in_text": "Yes",
        },
    ],
    "POST /v1/service-requests/batch/request": [
        {"dids": DIDS, "service": "emergency", "address_id": "<address>", "caller_name": "Bakery"},
        {"dids": DIDS, "service": "cnam", "display_name": "Bakery"},
    ],
    "POST /v1/service-requests/{request_id}/correct": [{"address_id": "<address>"}],
    "POST /v1/service-requests/{request_id}/decide": [{"state": "in_process"}],
    "POST /v1/terms/batch/set-cycles": [{"dids": DIDS, "billing_cycles": 3}],
    "POST /v1/terms/batch/renew": [{"dids": DIDS, "billing_period": 1}],
    "POST /v1/terms/batch/cancel": [{"dids": DIDS}],
    "POST /v1/terms/batch/restore": [{"dids": DIDS}],
    "POST /v1/terms/quote": [
        {"dids": DIDS, "action": "set-cycles", "billing_cycles": 3},
        {"dids": DIDS, "action": "renew", "billing_period": 1},
        {"dids": DIDS, "action": "cancel"},
        {"dids": DIDS, "action": "restore"},
    ],
    "POST /v1/voice-trunks": [{"name": "Desk", "sip": SIP, "account": "<account>"}],
    "POST /v1/voice-trunks/{voice_trunk_id}/replace": [{"by": "<spare_trunk>"}],
    "POST /v1/routing/batch/set-voice": [{"dids": DIDS, "voice_trunk_id": "<trunk>"}],
    "POST /v1/routing/batch/set-capacity": [{"dids": DIDS, "capacity": 2}],
    "POST /v1/routing/batch/clear": [{"dids": DIDS}],
    **{
        f"POST /v1/{service}/dead-letters/batch/{action}": [{"dead_letters": [f"<{service}_dead_letter>"]}]
        for service in ("inventory", "verification", "billing", "provisioning")
        for action in ("retry", "drop")
    },
}
"""Route with a body -> valid bodies of it."""

SERVES_BELOW: Final = frozenset(
    {
        ("GET /v1/dids", "?account"),
        ("GET /v1/dids/summary", "?account"),
        ("GET /v1/history", "?account"),
        ("GET /v1/carriers/{carrier}", "path"),
        *(
            (route, name)
            for route in ("POST /v1/accounts", "PATCH /v1/accounts/{path}")
            for name in DEFAULT_CARRIERS
        ),
        ("GET /v1/operators/{operator_id}", "path"),
        ("POST /v1/dids/search", "account"),
        ("DELETE /v1/stock/{number}", "path"),
        ("POST /v1/stock/batch/delete", "numbers"),
        ("GET /v1/available", "?contains"),
        ("POST /v1/reservations", "numbers"),
        ("POST /v1/packages/{package_id}/picks", "numbers"),
        ("GET /v1/stock", "?account"),
        ("GET /v1/stock.csv", "?account"),
        ("GET /v1/voice-trunks/{voice_trunk_id}", "path"),
        ("POST /v1/voice-trunks/{voice_trunk_id}/replace", "by"),
        ("POST /v1/routing/batch/set-voice", "voice_trunk_id"),
        ("POST /v1/dids/batch/assign-end-user", "identity_id"),
        *(
            (route, name)
            for route in (
                "POST /v1/requirements/evaluate",
                "POST /v1/verifications/{verification_id}/resubmit",
                "POST /v1/service-requests",
                "POST /v1/service-requests/batch/request",
                "POST /v1/service-requests/{request_id}/correct",
            )
            for name in ("identity_id", "address_id", "document_ids")
        ),
    }
)
"""Route and place where a thing of an account also serves the accounts below it, or selects their own.

Source: spec verification, Evaluation; spec provisioning, Routing."""

AUDIT_LOG: Final = "GET /v1/history"
"""The list that also has what the callers of the matrix did to their own things, with the ids that they sent."""

TAKEN: Final = frozenset(
    {("POST /v1/purchases", "number"), ("POST /v1/portings", "number"), ("POST /v1/stock", "numbers")}
)
"""Route and place where the answer says that a number is taken, whoever has it. Source: spec events, `number_taken`."""

NOTHING_THERE: Final = "/v1/billing/jobs/"
"""Billing starts no jobs, so none can be shown."""

ROLES_OF_ROUTES: Final = {"POST /v1/purchases": "service", "POST /v1/accounts": "operator"}
"""Routes that not every role of the owner may use for all of its bodies: with a price, for its own account."""
