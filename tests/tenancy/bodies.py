"""Valid bodies for each route of the tenant matrix.

`<name>` stands for the thing of that name in `estate.Things`; `<new_...>` is another one in each request.
"""

from collections.abc import Mapping
from typing import Any, Final

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
    "order_id": "<new_order>",
    "end_user_type": "business",
    "billing_period": 1,
    "price": {"setup": MONEY, "recurring": MONEY},
}
PRICE: Final = {
    "account": "<account>",
    "country": "*",
    "number_type": "*",
    "effective_from": "2026-01-01T00:00:00Z",
    "setup": MONEY,
    "recurring": MONEY,
}
PORTING: Final = {name: value for name, value in PURCHASE.items() if name != "price"}
CARRIERS: Final = {"carrier": "<carrier_name>", "sms_carrier": "<carrier_name>"}
WEBHOOK_SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
"""The example of Standard Webhooks."""
SIP: Final = {"uri": "sip:pbx.example.com"}

BODIES: Final[Mapping[str, list[Any]]] = {
    **{
        route: [
            order,
            order | CARRIERS,
            order | {"did_id": "<did>"},
            order | {"number": "<number>"},
            order | {"number": "<stock_number>"},
            order | {"order_id": "<order>"},
        ]
        for route, order in (("POST /v1/purchases", PURCHASE), ("POST /v1/portings", PORTING))
    },
    "POST /v1/accounts": [
        {"path": "<account>", "name": "Shop"},
        {"path": "<account>/new", "name": "Shop"},
        {
            "path": "<account>/<new_name>",
            "name": "Shop",
            "default_carrier": "<carrier_name>",
            "default_sms_carrier": "<carrier_name>",
        },
    ],
    "POST /v1/carriers": [{"account": "<account>", "name": "<new_name>"}, {"name": "<carrier_name>"}],
    "PATCH /v1/carriers/{carrier}": [{"kind": "voice"}],
    "POST /v1/operators": [{"account": "<account>", "name": "<new_name>"}, {"name": "<operator_name>"}],
    "PATCH /v1/operators/{operator_id}": [{"countries": ["IE"], "notes": "x"}],
    "POST /v1/users": [
        {"account": "<firm>", "name": "Desk", "kind": "sms"},
        {"account": "<firm>", "name": "Desk", "kind": "sms", "default_did": "<firm_did>"},
    ],
    "PATCH /v1/users/{user_id}": [{"name": "Front desk"}, {"default_did": "<firm_did>"}],
    "PATCH /v1/accounts/{path}": [
        {"name": "Shop"},
        {"default_carrier": "<carrier_name>", "default_sms_carrier": "<carrier_name>"},
    ],
    "POST /v1/dids/search": [
        {"numbers": ["<number>"], "number_contains": "<number>", "account": "<account>"},
        {"identity_id": "<identity>", "carrier": "<carrier_name>"},
    ],
    "PATCH /v1/dids/{did}": [{"description": "Main"}, CARRIERS],
    "POST /v1/dids/batch/edit": [
        {"dids": LEAVING, "notes": "None", "add_tags": ["a"]},
        {"dids": LEAVING, **CARRIERS},
    ],
    "POST /v1/dids/batch/assign-account": [{"dids": LEAVING, "account": "<firm>"}],
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
        {"numbers": "<new_number>", **CARRIERS},
    ],
    **{
        f"POST /v1/stock/batch/{action}": [{"numbers": ["<stock_number>"]}]
        for action in ("archive", "reserve", "release")
    },
    "POST /v1/stock/batch/hand-out": [
        {"numbers": ["<held_number>"], "account": "<firm>"},
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
    "POST /v1/stock/batch/edit": [{"numbers": ["<stock_number>"], "tag": "gold", **CARRIERS}],
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
        {"did": "<open_did>", "service": "emergency", "address_id": "<address>", "caller_name": "Bakery"},
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
        {"dids": ["<open_did>"], "service": "emergency", "address_id": "<address>", "caller_name": "Bakery"},
        {"dids": DIDS, "service": "cnam", "display_name": "Bakery"},
    ],
    "POST /v1/service-requests/{request_id}/correct": [{"address_id": "<address>"}],
    "POST /v1/service-requests/{request_id}/decide": [{"state": "in_process"}],
    "POST /v1/prices": [PRICE],
    "POST /v1/prices/quote": [
        {"numbers": ["<number>", "<stock_number>"], "billing_period": 1, "account": "<account>"}
    ],
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
    "PATCH /v1/voice-trunks/{voice_trunk_id}": [{"ring_timeout_s": 20}],
    "POST /v1/voice-trunks/{voice_trunk_id}/replace": [{"by": "<spare_trunk>"}],
    "POST /v1/commands/batch/retry": [{"commands": ["<command>"]}],
    "POST /v1/routing/batch/set-capacity": [
        {"dids": DIDS, "capacity": 2},
        {"dids": DIDS, "capacity_group_id": "<capacity_group>"},
    ],
    "POST /v1/capacity-groups": [{"name": "Shared", "channels": 10, "account": "<account>"}],
    "PATCH /v1/capacity-groups/{capacity_group_id}": [{"channels": 60, "overcommit": True}],
    "POST /v1/sms-trunks": [
        {
            "name": "Texts",
            "account": "<account>",
            "smpp": {
                "host": "smpp.example.com",
                "port": 2776,
                "system_id": "a",
                "password": "b",
                "tls": False,
            },
        },
        {"name": "Texts", "http": {"url": "https://sms.example.com", "secret": WEBHOOK_SECRET}},
        {"name": "Texts", "email": {"address": "sms@example.com"}},
    ],
    "PATCH /v1/sms-trunks/{sms_trunk_id}": [{"email": {"address": "sms@example.com"}}],
    "POST /v1/sms-trunks/{sms_trunk_id}/replace": [{"by": "<spare_sms_trunk>"}],
    "POST /v1/routing/batch/set-sms": [{"dids": DIDS, "sms_trunk_id": "<sms_trunk>"}],
    "POST /v1/voice-trunk-groups": [
        {"name": "Desks", "trunks": [{"voice_trunk_id": "<trunk>"}], "account": "<account>"}
    ],
    "PATCH /v1/voice-trunk-groups/{voice_trunk_group_id}": [
        {"trunks": [{"voice_trunk_id": "<trunk>", "priority": 2, "weight": 3}]}
    ],
    "POST /v1/voice-trunk-groups/{voice_trunk_group_id}/replace": [{"by": "<spare_trunk_group>"}],
    "POST /v1/routing/batch/set-voice": [
        {"dids": DIDS, "voice_trunk_id": "<trunk>"},
        {"dids": DIDS, "voice_trunk_group_id": "<trunk_group>"},
    ],
    "POST /v1/configuration-profiles": [
        {"name": "Desk", "account": "<account>", "capacity": 2, "automatic_for": "<account>/<new_name>"},
        {"name": "Desk", "voice_trunk_id": "<trunk>", "capacity_group_id": "<capacity_group>"},
        {"name": "Desk", "voice_trunk_group_id": "<trunk_group>", "sms_trunk_id": "<sms_trunk>"},
        {"name": "Desk", "automatic_for": "<account>"},
    ],
    "PATCH /v1/configuration-profiles/{configuration_profile_id}": [
        {"name": "Office", "voice_trunk_id": "<trunk>", "capacity_group_id": "<capacity_group>"},
        {"automatic_for": "<account>"},
        {"voice_trunk_group_id": "<trunk_group>", "sms_trunk_id": "<sms_trunk>"},
    ],
    "POST /v1/routing/batch/apply-profile": [{"dids": DIDS, "configuration_profile_id": "<profile>"}],
    "POST /v1/routing/batch/clear": [{"dids": DIDS}],
    **{
        f"POST /v1/{service}/dead-letters/batch/{action}": [{"dead_letters": [f"<{service}_dead_letter>"]}]
        for service in ("inventory", "verification", "billing", "provisioning")
        for action in ("retry", "drop")
    },
}
"""Route with a body -> valid bodies of it."""
