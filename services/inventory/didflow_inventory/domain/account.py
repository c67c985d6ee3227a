"""The accounts. An account is created only below an existing one, and its path and kind never change."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final, Literal

from msgspec import Struct

from didflow_chassis.decision import OPERATOR, Caller, Decided, Decision, Known, Refused, Unchanged
from didflow_contracts.roles import Role, may
from didflow_contracts.vocabulary import Features
from didflow_inventory.domain.commands import ChangeAccount, CreateAccount
from didflow_inventory.domain.history.things import Thing, recorded_fields

CALLS: Final = frozenset(("voice_in", "voice_out", "fax", "emergency", "cnam"))
MESSAGES: Final = frozenset(("sms_in", "sms_out", "a2p_sms"))
ALWAYS_NAME_PRICES: Final[frozenset[Role]] = frozenset(("operator", "service"))
"""The roles that may name a price for every account in their reach."""


AccountKind = Literal["master_reseller", "reseller", "enterprise"]
"""A root is a master reseller. An enterprise has no accounts below it; its numbers are assigned to its users."""

OWN_CHANGES: Final = frozenset(("name", "default_carrier", "default_sms_carrier"))
"""What a caller can change in its own account. The rest is changed from above.

Source: spec roles, `manage_accounts`."""


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


class Carriers(Struct, frozen=True, kw_only=True):
    """The carriers of calls and of messages; None where the number needs no such carrier."""

    carrier: str | None
    sms_carrier: str | None


def is_enterprise(account: Account | None) -> bool:
    """Return True if the account is an enterprise: it has users and no accounts below it."""
    return account is not None and account.kind == "enterprise"


@lru_cache(maxsize=1_024)
def lineage(path: str) -> tuple[str, ...]:
    """Return an account and all accounts above it, the nearest first."""
    parts = path.split("/")
    return tuple("/".join(parts[:depth]) for depth in range(len(parts), 0, -1))


def parent_of(path: str) -> str | None:
    """Return the account directly above; None for a root."""
    return path.rpartition("/")[0] or None


def default_carriers(path: str, known: Known, deployment_default: str) -> Carriers:
    """Return the default carriers of an account: of the nearest account from it upwards, else the deployment's.

    Calls and messages are looked up one by one. An account with a carrier for calls alone has it for messages too.
    Source: spec lifecycle, Stock and holders; spec inventory, `account`.
    """
    accounts = [account for above in lineage(path) if (account := known.get(Account, above)) is not None]
    calls = next((a.default_carrier for a in accounts if a.default_carrier), deployment_default)
    messages = (a.default_sms_carrier or a.default_carrier for a in accounts)
    return Carriers(carrier=calls, sms_carrier=next(filter(None, messages), deployment_default))


def carriers_for(features: Features, given: Carriers, default: Carriers) -> Carriers:
    """Return the carriers of a number, with the defaults for calls and messages where none is given.

    Fax counts as calls. A number without features for calls or messages still has a carrier that activates it.
    """
    messages = not MESSAGES.isdisjoint(features)
    calls = not messages or not CALLS.isdisjoint(features)
    return Carriers(
        carrier=given.carrier or (default.carrier if calls else None),
        sms_carrier=given.sms_carrier or (default.sms_carrier if messages else None),
    )


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


def create_account(account: Account | None, command: CreateAccount, now: datetime, known: Known) -> Decision:
    """Create an account below the caller's own. Only an operator creates a root.

    Refused with `not_found` outside the caller's reach, with `parent_unknown` if the account above does not exist,
    with `parent_is_enterprise` if it is an enterprise, with `account_exists` if the account exists with other
    properties, and with `price_not_allowed` if the account may set prices and the caller may not.
    """
    if not _may_create(command):
        return Refused("not_found", "You can create accounts only below your own account.", "path")
    if account is not None:
        if _properties(account) == command.properties:
            return Unchanged(answer=account)
        return Refused("account_exists", f"The account {account.path} exists with other properties.", "path")
    refusal = _refusal_by_parent(command.path, known)
    if refusal is None and command.properties["may_set_prices"]:
        refusal = _refusal_of_prices(command.caller, known)
    if refusal is not None:
        return refusal
    created = Account(path=command.path, created_at=now, **command.properties)
    return Decided(state=created, answer=created)


def change_account(account: Account | None, command: ChangeAccount, now: datetime, known: Known) -> Decision:  # noqa: ARG001
    """Change an account. Of its own, a caller that is no operator changes the name and the carriers only.

    Refused with `not_found` outside the caller's reach, with `own_account`, and with `price_not_allowed` if the account
    is to set prices and the caller may not.
    """
    caller = command.caller
    if account is None or not caller.reaches(account.path):
        return Refused("not_found", "No such account among your accounts.", "path")
    changed = replace(account, **command.changes)
    fields = [name for name in command.changes if getattr(changed, name) != getattr(account, name)]
    above = next((name for name in fields if name not in OWN_CHANGES), None)
    if above is not None and caller.role != OPERATOR and account.path == caller.account:
        return Refused("own_account", "Only an account above can change this in your own account.", above)
    if "may_set_prices" in fields and changed.may_set_prices:
        refusal = _refusal_of_prices(caller, known)
        if refusal is not None:
            return refusal
    return Decided(state=changed, answer=changed) if fields else Unchanged(answer=account)


def _refusal_by_parent(path: str, known: Known) -> Refused | None:
    above = parent_of(path)
    if above is None:
        return None
    parent = known.get(Account, above)
    if parent is None:
        return Refused("parent_unknown", f"The account {above} does not exist. Create it first.", "path")
    if parent.kind == "enterprise":
        return Refused(
            "parent_is_enterprise", f"{above} is an enterprise. It has no accounts below it.", "path"
        )
    return None


def _refusal_of_prices(caller: Caller, known: Known) -> Refused | None:
    if may_name_price(caller, known):
        return None
    return Refused(
        "price_not_allowed", "Only a caller that may name prices can allow this.", "may_set_prices"
    )


def _may_create(command: CreateAccount) -> bool:
    caller = command.caller
    return caller.reaches(command.path) and (caller.role == OPERATOR or command.path != caller.account)


def _properties(account: Account) -> Mapping[str, Any]:
    return {name: value for name, value in asdict(account).items() if name not in ("path", "created_at")}
