"""The table of the tenant matrix: which parameters and fields name things of accounts, and what they are answered.

`<name>` stands for the thing of that name in `estate.Things`. Everything else is read from the OpenAPI documents. A
route, a parameter or a field that is in a document and not in these tables fails the test.
"""

from collections.abc import Mapping
from typing import Final

PATH: Final = "path"
"""The place of a request that names a thing in its path."""


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
    "capacity_group_id": "capacity_group",
    "voice_trunk_group_id": "trunk_group",
    "configuration_profile_id": "profile",
    "sms_trunk_id": "sms_trunk",
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

OTHER_NAMES: Final[Mapping[str, str]] = {"did": "number", "carrier": "carrier_name"}
"""Thing -> another name by which a path can name it."""

PATHS_OF_SERVICES: Final[Mapping[str, str]] = {"job_id": "job", "dead_letter_id": "dead_letter"}
"""Parameter of a path -> what it names in its service."""

PATHS_OF_ROUTES: Final[Mapping[str, str]] = {
    "POST /v1/verifications/{verification_id}/approve": "pending_verification",
    "POST /v1/verifications/{verification_id}/reject": "pending_verification",
    "POST /v1/verifications/{verification_id}/claim": "pending_verification",
    "POST /v1/verifications/{verification_id}/release": "pending_verification",
    "POST /v1/verifications/{verification_id}/resubmit": "rejected_verification",
    "DELETE /v1/voice-trunks/{voice_trunk_id}": "spare_trunk",
    "DELETE /v1/capacity-groups/{capacity_group_id}": "spare_capacity_group",
    "DELETE /v1/voice-trunk-groups/{voice_trunk_group_id}": "spare_trunk_group",
    "DELETE /v1/configuration-profiles/{configuration_profile_id}": "spare_profile",
    "DELETE /v1/sms-trunks/{sms_trunk_id}": "spare_sms_trunk",
    "DELETE /v1/users/{user_id}": "spare_user",
    "POST /v1/portings/{did}/cancel": "leaving_did",
    "POST /v1/service-requests/{request_id}/correct": "faulty_request",
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
    "order_id": ("<order>",),
    "reference": ("<reference>",),
    "contains": ("<stock_number>",),
    "reservation_id": ("<reservation>",),
    "carrier": ("<carrier_name>",),
    "entity": ("<did>",),
}
"""Query parameter that names things -> its values."""

NEEDED_QUERIES: Final[Mapping[str, Mapping[str, str]]] = {
    f"GET /v1/invoices.{kind}": {"month": "2026-01"} for kind in ("csv", "jsonl")
}
"""Route -> the query parameters without which it is refused. They name nothing of an account."""

PLAIN_QUERIES: Final = _words(
    "filter description country region tag service service_state status expires_before expires_after limit "
    "cursor sort dry_run reason topic kind state outcome on number_type end_user_type since until action requirement "
    "area group_by stock operator actor type by month"
)
"""Query parameters that name nothing of an account."""

FIELDS: Final = _words(
    "commands "
    "dids did did_id number account path identity_id address_id document_ids voice_trunk_id "
    "voice_trunk_group_id trunks sms_trunk_id by dead_letters "
    "capacity_group_id configuration_profile_id automatic_for "
    "verifications numbers number_contains user_id default_did "
    "order_id carrier sms_carrier default_carrier default_sms_carrier"
)
"""Fields of bodies that name things of accounts. Each of them is in a body of `BODIES`."""

PLAIN_FIELDS: Final = _words(
    "name countries kind subject email sms_enabled extension "
    "allow_external_numbers may_set_prices "
    "number_type features end_user_type price "
    "billing_period billing_cycles country region area purchased_at acquired setup recurring "
    "amount currency effective_from "
    "service brand use_case sample_messages opt_in_text display_name caller_name state reasons "
    "code field message street city postal_code company_name company_registration_number vat_number tax_id first_name "
    "last_name birth_date national_id passport_number contact_email contact_phone type identity address remove "
    "http smpp url secret host port system_id password tls "
    "action sip forward_to priority weight ring_timeout_s failover uri transport codecs capacity issued_on "
    "channels overcommit "
    "expires_on states file only_this filter description tag status service_state "
    "expires_before expires_after limit cursor sort notes tags add_tags remove_tags after_hold days "
    "from to prefix operator count minutes expected_at losing_carrier selection hold_days"
)
"""Fields of bodies that name nothing of an account."""

SERVES_BELOW: Final = frozenset(
    {
        ("POST /v1/purchases", "number"),
        ("POST /v1/portings", "number"),
        ("GET /v1/dids", "?account"),
        ("GET /v1/dids.csv", "?account"),
        ("GET /v1/dids/summary", "?account"),
        ("GET /v1/history", "?account"),
        ("GET /v1/balances", "?account"),
        ("GET /v1/carriers/{carrier}", "path"),
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
        ("GET /v1/voice-trunk-groups/{voice_trunk_group_id}", "path"),
        ("POST /v1/voice-trunk-groups", "trunks"),
        ("PATCH /v1/voice-trunk-groups/{voice_trunk_group_id}", "trunks"),
        ("POST /v1/voice-trunk-groups/{voice_trunk_group_id}/replace", "by"),
        ("POST /v1/routing/batch/set-voice", "voice_trunk_id"),
        ("GET /v1/capacity-groups/{capacity_group_id}", "path"),
        ("POST /v1/routing/batch/set-capacity", "capacity_group_id"),
        ("POST /v1/routing/batch/set-voice", "voice_trunk_group_id"),
        ("GET /v1/configuration-profiles/{configuration_profile_id}", "path"),
        ("POST /v1/routing/batch/apply-profile", "configuration_profile_id"),
        *(
            (route, name)
            for route in (
                "POST /v1/configuration-profiles",
                "PATCH /v1/configuration-profiles/{configuration_profile_id}",
            )
            for name in ("voice_trunk_id", "voice_trunk_group_id", "capacity_group_id", "sms_trunk_id")
        ),
        ("GET /v1/sms-trunks/{sms_trunk_id}", "path"),
        ("POST /v1/sms-trunks/{sms_trunk_id}/replace", "by"),
        ("POST /v1/routing/batch/set-sms", "sms_trunk_id"),
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

CARRIERS: Final = _words("carrier sms_carrier default_carrier default_sms_carrier")
"""Fields that name a carrier. A carrier serves its account and the accounts below it."""

TAKEN: Final[Mapping[tuple[str, str], str]] = {
    ("POST /v1/purchases", "number"): "number_taken",
    ("POST /v1/portings", "number"): "number_taken",
    ("POST /v1/stock", "numbers"): "number_taken",
    ("POST /v1/purchases", "did_id"): "did_id_taken",
    ("POST /v1/portings", "did_id"): "did_id_taken",
    ("POST /v1/carriers", "name"): "carrier_exists",
}
"""Route and place where the answer says that a name is taken, whoever has it: the name is unique in the installation.

Source: spec events, `number_taken`; spec inventory, carrier."""

_DETAILS: Final = _words("identity_id address_id document_ids")
ANSWERS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    **dict.fromkeys(
        (
            ("POST /v1/purchases", "order_id"),
            ("POST /v1/portings", "order_id"),
            ("POST /v1/operators", "name"),
        ),
        ("201", "200"),
    ),
    ("POST /v1/reservations", "numbers"): ("409 not_enough_numbers",),
    # Every number has a price, whoever has the number.
    ("POST /v1/prices/quote", "numbers"): ("200",),
    ("POST /v1/routing/batch/set-voice", "voice_trunk_id"): ("200 voice_trunk_not_found",),
    ("POST /v1/routing/batch/set-capacity", "capacity_group_id"): ("200 capacity_group_not_found",),
    ("POST /v1/routing/batch/set-voice", "voice_trunk_group_id"): ("200 voice_trunk_group_not_found",),
    ("POST /v1/routing/batch/apply-profile", "configuration_profile_id"): (
        "200 configuration_profile_not_found",
    ),
    ("POST /v1/routing/batch/set-sms", "sms_trunk_id"): ("200 sms_trunk_not_found",),
    # Inventory does not know details. Verification refuses the assignment that it receives.
    **{("POST /v1/dids/batch/assign-end-user", place): ("200",) for place in _DETAILS},
    **{("POST /v1/requirements/evaluate", place): ("200 not_yours",) for place in _DETAILS},
    **{
        ("POST /v1/verifications/{verification_id}/resubmit", place): ("201 not_yours",) for place in _DETAILS
    },
    ("POST /v1/service-requests", "address_id"): ("409 not_yours",),
    ("POST /v1/service-requests/batch/request", "address_id"): ("200 not_yours",),
    ("POST /v1/service-requests/{request_id}/correct", "address_id"): ("409 not_yours",),
}
"""Route and place -> what is answered about an absent thing, if it is not that nothing was found.

An order and the name of an operator are unique in their account: one of another account is as good as a new one."""

CARRIER_UNKNOWN: Final = ("409 carrier_unknown", "200 carrier_unknown")
"""What is answered about an absent carrier, alone or in a batch."""

LOADED_FIRST: Final = frozenset(
    {
        ("POST /v1/packages/{package_id}/picks", "numbers"),
        ("POST /v1/stock/batch/hand-out", "numbers"),
    }
)
"""Route and place where a foreign thing takes more statements than an absent one.

A decision gets all states that it may need before it is asked, also those of a number that it then refuses. That a
number is taken everybody may know (`TAKEN`)."""

NOTHING_THERE: Final = "/v1/billing/jobs/"
"""Billing starts no jobs, so none can be shown."""

ROLES_OF_ROUTES: Final = {"POST /v1/accounts": "operator", "POST /v1/prices": "operator"}
"""Routes that not every role of the owner may use for all of its bodies: for its own account."""

KEYED: Final = frozenset({"POST /v1/purchases", "POST /v1/portings"})
"""Routes that need an Idempotency-Key."""
