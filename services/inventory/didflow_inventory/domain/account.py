"""The accounts. An account is created only below an existing one, and its path never changes."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Final

from msgspec import Struct

from didflow_chassis.decision import OPERATOR, Caller, Decided, Decision, Known, Refused, Unchanged
from didflow_contracts.roles import Role, may
from didflow_contracts.vocabulary import Features
from didflow_inventory.domain.commands import CreateAccount
from didflow_inventory.domain.history.things import Thing, recorded_fields

CALLS: Final = frozenset(("voice_in", "voice_out", "fax", "emergency", "cnam"))
MESSAGES: Final = frozenset(("sms_in", "sms_out", "a2p_sms"))
ALWAYS_NAME_PRICES: Final[frozenset[Role]] = frozenset(("operator", "service"))
"""The roles that may name a price for every account in their reach."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """One account. `default_carrier` also serves the accounts below that have no default of their own.

    `may_set_prices` lets the callers of this account name prices. It does not extend to the accounts below.
    """

    path: str
    name: str
    default_carrier: str | None = None
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


class Carriers(Struct, frozen=True, kw_only=True):
    """The carriers of calls and of messages; None where the number needs no such carrier."""

    carrier: str | None
    sms_carrier: str | None


@lru_cache(maxsize=1_024)
def lineage(path: str) -> tuple[str, ...]:
    """Return an account and all accounts above it, the nearest first."""
    parts = path.split("/")
    return tuple("/".join(parts[:depth]) for depth in range(len(parts), 0, -1))


def parent_of(path: str) -> str | None:
    """Return the account directly above; None for a root."""
    return path.rpartition("/")[0] or None


def default_carrier(path: str, known: Known, deployment_default: str) -> str:
    """Return the default carrier of the nearest account that has one, else the deployment's.

    Source: spec lifecycle, Stock and holders.
    """
    accounts = (known.get(Account, above) for above in lineage(path))
    return next((a.default_carrier for a in accounts if a and a.default_carrier), deployment_default)


def carriers_for(features: Features, given: Carriers, default: str) -> Carriers:
    """Return the carriers of a number, with the default for calls and messages where none is given.

    Fax counts as calls. A number without features for calls or messages still has a carrier that activates it.
    """
    messages = not MESSAGES.isdisjoint(features)
    calls = not messages or not CALLS.isdisjoint(features)
    return Carriers(
        carrier=given.carrier or (default if calls else None),
        sms_carrier=given.sms_carrier or (default if messages else None),
    )


def may_name_price(caller: Caller, known: Known) -> bool:
    """Return True if the caller may name a price. The account of its token counts, not the account that buys.

    So an account never names prices by the permission of an account below it. Source: spec roles, `name_price`.
    """
    if caller.role in ALWAYS_NAME_PRICES:
        return True
    own = known.get(Account, caller.account)
    return may(caller.role, "name_price") and own is not None and own.may_set_prices


def create_account(account: Account | None, command: CreateAccount, now: datetime, known: Known) -> Decision:
    """Create an account below the caller's own. Only an operator creates a root.

    Refused with `not_found` outside the caller's reach, with `parent_unknown` if the account above does not exist,
    with `account_exists` if the account exists with other properties, and with `price_not_allowed` if the account
    may set prices and the caller may not.
    """
    if not _may_create(command):
        return Refused("not_found", "You can create accounts only below your own account.", "path")
    if account is not None:
        if _properties(account) == _properties(command):
            return Unchanged(answer=account)
        return Refused("account_exists", f"The account {account.path} exists with other properties.", "path")
    parent = parent_of(command.path)
    if parent is not None and known.get(Account, parent) is None:
        return Refused("parent_unknown", f"The account {parent} does not exist. Create it first.", "path")
    if command.may_set_prices and not may_name_price(command.caller, known):
        return Refused(
            "price_not_allowed", "Only a caller that may name prices can allow this.", "may_set_prices"
        )
    created = Account(
        path=command.path,
        name=command.name,
        default_carrier=command.default_carrier,
        allow_external_numbers=command.allow_external_numbers,
        may_set_prices=command.may_set_prices,
        created_at=now,
    )
    return Decided(state=created, answer=created)


def _may_create(command: CreateAccount) -> bool:
    caller = command.caller
    return caller.reaches(command.path) and (caller.role == OPERATOR or command.path != caller.account)


def _properties(account: Account | CreateAccount) -> tuple[str, str | None, bool, bool]:
    return account.name, account.default_carrier, account.allow_external_numbers, account.may_set_prices
