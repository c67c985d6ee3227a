"""What is done with accounts: they are created and changed, and never deleted."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Final

from didflow_chassis.decision import OPERATOR, Caller, Decided, Decision, Known, Refused, Unchanged
from didflow_inventory.domain.accounts.account import Account, may_name_price, parent_of
from didflow_inventory.domain.accounts.carriers import refusal_of_carriers
from didflow_inventory.domain.accounts.commands import ChangeAccount, CreateAccount
from didflow_inventory.domain.accounts.default_carriers import Carriers, own_carriers

OWN_CHANGES: Final = frozenset(("name", "default_carrier", "default_sms_carrier"))
"""What a caller can change in its own account. The rest is changed from above.

Source: spec roles, `manage_accounts`."""


def create_account(
    account: Account | None, command: CreateAccount, now: datetime, known: Known, *, deployment_carrier: str
) -> Decision:
    """Create an account below the caller's own. Only an operator creates a root.

    Refused with `not_found` outside the caller's reach, with `parent_unknown` if the account above does not exist,
    with `parent_is_enterprise` if it is an enterprise, with `account_exists` if the account exists with other
    properties, with `price_not_allowed` if the account may set prices and the caller may not, and with
    `carrier_unknown` for a default carrier that does not serve the account.
    """
    if not _may_create(command):
        return Refused("not_found", "You can create accounts only below your own account.", "path")
    if account is not None:
        if _properties(account) == command.properties:
            return Unchanged(answer=account)
        return Refused("account_exists", f"The account {account.path} exists with other properties.", "path")
    created = Account(path=command.path, created_at=now, **command.properties)
    refusal = _refusal_by_parent(command.path, known)
    if refusal is None and created.may_set_prices:
        refusal = _refusal_of_prices(command.caller, known)
    if refusal is None:
        refusal = _refusal_of_carriers(None, created, known, deployment_carrier)
    return refusal or Decided(state=created, answer=created)


def change_account(
    account: Account | None,
    command: ChangeAccount,
    now: datetime,  # noqa: ARG001
    known: Known,
    *,
    deployment_carrier: str,
) -> Decision:
    """Change an account. Of its own, a caller that is no operator changes the name and the carriers only.

    Refused with `not_found` outside the caller's reach, with `own_account`, with `price_not_allowed` if the account is
    to set prices and the caller may not, and with `carrier_unknown` for a new default carrier that does not serve it.
    """
    caller = command.caller
    if account is None or not caller.reaches(account.path):
        return Refused("not_found", "No such account among your accounts.", "path")
    changed = changed_account(account, command)
    fields = [name for name in command.changes if getattr(changed, name) != getattr(account, name)]
    above = next((name for name in fields if name not in OWN_CHANGES), None)
    if above is not None and caller.role != OPERATOR and account.path == caller.account:
        return Refused("own_account", "Only an account above can change this in your own account.", above)
    refusal = None
    if "may_set_prices" in fields and changed.may_set_prices:
        refusal = _refusal_of_prices(caller, known)
    refusal = refusal or _refusal_of_carriers(account, changed, known, deployment_carrier)
    if refusal is not None:
        return refusal
    return Decided(state=changed, answer=changed) if fields else Unchanged(answer=account)


def changed_account(account: Account, command: ChangeAccount) -> Account:
    """Return an account with the changes of a command."""
    return replace(account, **command.changes)


def new_carriers(before: Account | None, after: Account) -> Carriers:
    """Return the carriers of an account that it did not have for the same use before; None where nothing changed."""
    new = own_carriers(after)
    if before is None:
        return new
    old = own_carriers(before)
    return Carriers(
        carrier=None if new.carrier == old.carrier else new.carrier,
        sms_carrier=None if new.sms_carrier == old.sms_carrier else new.sms_carrier,
    )


def _refusal_of_carriers(
    before: Account | None, after: Account, known: Known, deployment_carrier: str
) -> Refused | None:
    """Return why an account cannot have its default carriers. They must serve it; those below are served then too."""
    refusal = refusal_of_carriers(new_carriers(before, after), after.path, known, deployment_carrier)
    if refusal is None:
        return None
    return Refused(refusal.code, refusal.message, f"default_{refusal.field}")


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
