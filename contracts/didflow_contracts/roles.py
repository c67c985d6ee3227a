"""Which role may do which action. Every HTTP route has one action, and its caller's role is checked first.

The table holds roles only. Rules about accounts (the caller's reach, `allow_external_numbers`, `may_set_prices`)
are decided by the services and can only narrow the table.
Source: spec roles, Roles x actions.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, TypeAlias, get_args

Role: TypeAlias = Literal[
    "operator", "master_reseller", "reseller", "enterprise_admin", "user", "reviewer", "service"
]
Action: TypeAlias = Literal[
    "see_numbers",
    "edit_description",
    "edit",
    "purchase",
    "port_in",
    "cancel_porting",
    "name_price",
    "assign_end_user",
    "assign_account",
    "take_back",
    "assign_user",
    "hold",
    "unhold",
    "block",
    "unblock",
    "port_out",
    "return",
    "read_stock",
    "upload",
    "delete_stock",
    "hand_out",
    "read_accounts",
    "manage_accounts",
    "manage_users",
    "manage_operators",
    "manage_packages",
    "manage_carriers",
    "pick",
    "read_audit_log",
    "manage_webhooks",
    "read_requirements",
    "evaluate",
    "read_details",
    "read_verifications",
    "read_service_requests",
    "write_details",
    "resubmit",
    "request_service",
    "decide_verifications",
    "decide_service",
    "read_billing",
    "change_terms",
    "manage_prices",
    "read_routing",
    "manage_routing",
    "read_credentials",
    "retry_carrier",
    "read_carrier_settings",
    "operate",
]

ROLES: Final[tuple[Role, ...]] = get_args(Role)
ACTIONS: Final[tuple[Action, ...]] = get_args(Action)

_ALL: Final = frozenset(ROLES)
_RESELLERS: Final[frozenset[Role]] = frozenset({"operator", "master_reseller", "reseller"})
_ADMINISTRATORS: Final[frozenset[Role]] = _RESELLERS | {"enterprise_admin"}
_MANAGERS: Final[frozenset[Role]] = _ADMINISTRATORS | {"service"}
_READERS: Final[frozenset[Role]] = _MANAGERS | {"reviewer"}

ROLES_OF: Final[Mapping[Action, frozenset[Role]]] = MappingProxyType(
    {
        # Numbers. A `user` sees and edits only the DIDs whose `user` field names it.
        "see_numbers": _ALL,
        "edit_description": _MANAGERS | {"user"},
        "edit": _MANAGERS,
        # With `acquired: external`, `enterprise_admin` and `service` need an account with `allow_external_numbers`.
        "purchase": _MANAGERS,
        "port_in": _MANAGERS,
        "cancel_porting": _MANAGERS,
        # `operator` and `service` always; the other roles need an account with `may_set_prices`.
        "name_price": _MANAGERS,
        "assign_end_user": _MANAGERS,
        "assign_account": _RESELLERS,
        "take_back": _RESELLERS,
        "assign_user": _MANAGERS,
        "hold": _MANAGERS,
        "unhold": _MANAGERS,
        "block": _MANAGERS,
        "unblock": _MANAGERS,
        "port_out": _MANAGERS,
        "return": _MANAGERS,
        # Stock. For `upload`, `enterprise_admin` and `service` need an account with `allow_external_numbers`.
        "read_stock": _MANAGERS,
        "upload": _MANAGERS,
        # As `upload`. The caller's account must be the uploader, else 409 `not_uploader`; an operator may always.
        "delete_stock": _MANAGERS,
        # `enterprise_admin` hands out to its own users only.
        "hand_out": _ADMINISTRATORS,
        # Accounts. `manage_accounts` is for accounts below the caller's own; of its own: `name` and carriers.
        "read_accounts": _READERS,
        "manage_accounts": _RESELLERS,
        "manage_users": _MANAGERS,
        "manage_operators": _RESELLERS,
        "manage_packages": _RESELLERS,
        "manage_carriers": frozenset({"operator", "master_reseller"}),
        "pick": _MANAGERS,
        "read_audit_log": _MANAGERS,
        "manage_webhooks": _MANAGERS,
        # Verification. A reviewer never decides a verification that it submitted itself.
        "read_requirements": _ALL,
        "evaluate": _READERS,
        "read_details": _READERS,
        "read_verifications": _READERS,
        "read_service_requests": _READERS,
        "write_details": _MANAGERS,
        "resubmit": _MANAGERS,
        "request_service": _MANAGERS,
        "decide_verifications": frozenset({"reviewer"}),
        "decide_service": frozenset({"reviewer", "service"}),
        # Billing.
        "read_billing": _MANAGERS,
        "change_terms": _MANAGERS,
        "manage_prices": _RESELLERS,
        # Provisioning.
        "read_routing": _MANAGERS,
        "manage_routing": _MANAGERS,
        "read_credentials": frozenset({"service"}),
        "retry_carrier": frozenset({"operator", "service"}),
        "read_carrier_settings": frozenset({"operator", "master_reseller", "service"}),
        # Every service: dead letters, parked messages and registered sources.
        "operate": frozenset({"operator"}),
    }
)


TIERS: Final[Mapping[Role, str]] = MappingProxyType(
    {
        "operator": "runs the installation; reaches all accounts",
        "master_reseller": "the master reseller at the root of a tree, and all below it",
        "reseller": "a reseller, and the resellers and enterprises below it",
        "enterprise_admin": "the administrator of an enterprise, and of its users",
        "user": "a person; sees only the DIDs of the users whose `subject` is the `sub` of the token",
        "reviewer": "decides verifications of its accounts, never one that it submitted itself",
        "service": "a program of an account, such as an order system or a carrier's back office",
    }
)
"""Whom each role is for."""

_EXTERNAL: Final = "`enterprise_admin` and `service` only for an account with `allow_external_numbers`"
RULES_OF_ACCOUNTS: Final[Mapping[Action, str]] = MappingProxyType(
    {
        "see_numbers": "`user`: only the DIDs whose `user` it is",
        "edit_description": "`user`: only the DIDs whose `user` it is",
        "purchase": f"with `acquired: external`, {_EXTERNAL}",
        "name_price": "`operator` and `service` always; the others if the account of their token has `may_set_prices`",
        "assign_account": "to an account below the own",
        "take_back": "from an account below the own, while no user has the number",
        "assign_user": "to a user of the enterprise that holds the DID",
        "unblock": "the account that blocked, or one above",
        "upload": _EXTERNAL,
        "delete_stock": "the account that uploaded the number, and an operator; else `not_uploader`",
        "hand_out": "to an account below the own; `enterprise_admin` to its own users",
        "manage_accounts": "accounts below the own; of the own only the name and the default carriers",
        "manage_users": "users of enterprises; `extension` of a new user only by `operator` and `service`",
        "manage_carriers": "carriers of the own account and below; those above serve it and are only seen",
        "manage_operators": "operators of the own account and below; those above serve it and are only seen",
        "manage_prices": "accounts below the own; `operator`: all accounts",
        "decide_verifications": "never a verification that the reviewer submitted itself",
    }
)
"""What a rule about accounts takes away from what the roles of an action may do. The services decide it."""


def may(role: str, action: Action) -> bool:
    """Return True if the role may do the action."""
    return role in ROLES_OF[action]


def permissions(role: str) -> tuple[Action, ...]:
    """Return the actions that the role may do, in the order of the table."""
    return tuple(action for action in ACTIONS if role in ROLES_OF[action])
