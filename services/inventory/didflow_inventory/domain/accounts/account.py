"""The accounts: the tree, and what each account says about itself.

An account is created only below an existing one, and its path and kind never change.
"""

from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Final, Literal

from didflow_chassis.decision import Caller, Known
from didflow_contracts.roles import Role, may
from didflow_inventory.domain.history.things import Thing, recorded_fields

ALWAYS_NAME_PRICES: Final[frozenset[Role]] = frozenset(("operator", "service"))
"""The roles that may name a price for every account in their reach."""

AccountKind = Literal["master_reseller", "reseller", "enterprise"]
"""A root is a master reseller. An enterprise has no accounts below it; its numbers are assigned to its users."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """One account. It is never deleted.

    `default_carrier` also serves the accounts below that have no default of their own, and messages too if there is no
    `default_sms_carrier`. `may_set_prices` lets the callers of this account name prices. It does not extend to the
    accounts below.
    """

    path: str
    name: str
    kind: AccountKind = "reseller"
    default_carrier: str | None = None
    default_sms_carrier: str | None = None
    allow_external_numbers: bool = False
    may_set_prices: bool = False
    created_at: datetime


THING: Final = Thing(
    name="account",
    model=Account,
    key_of=attrgetter("path"),
    account_of=attrgetter("path"),
    changes=recorded_fields(Account),
)


def is_enterprise(account: Account | None) -> bool:
    """Return True if the account is an enterprise: it has users and no accounts below it."""
    return account is not None and account.kind == "enterprise"


def parent_of(path: str) -> str | None:
    """Return the account directly above; None for a root."""
    return path.rpartition("/")[0] or None


def may_name_price(caller: Caller, known: Known) -> bool:
    """Return True if the caller may name a price. The account of its token counts, not the account that buys.

    So an account never names prices by the permission of an account below it. Source: spec roles, `name_price`.
    """
    if caller.role in ALWAYS_NAME_PRICES:
        return True
    own = known.get(Account, caller.account)
    return may(caller.role, "name_price") and own is not None and own.may_set_prices


def kind_of_new(path: str, kind: AccountKind | None) -> AccountKind | None:
    """Return the kind of a new account, by default a reseller; None if it cannot have the kind.

    A root, and no other account, is a master reseller.
    """
    if parent_of(path) is None:
        return "master_reseller" if kind in (None, "master_reseller") else None
    return None if kind == "master_reseller" else kind or "reseller"
