"""The tenancy tree. An account exists only under one that exists, and its path never changes."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from msgspec import Struct

from didflow_chassis.decision import Caller, Decided, Decision, Known, Refused, Unchanged
from didflow_contracts.accounts import is_within
from didflow_contracts.vocabulary import Features
from didflow_inventory.domain.commands import CreateAccount

CALLS: Final = frozenset(("voice_in", "voice_out", "fax", "emergency", "cnam"))
MESSAGES: Final = frozenset(("sms_in", "sms_out", "a2p_sms"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """One node of the tree. `default_carrier` serves it and those below that have none of their own."""

    path: str
    name: str
    default_carrier: str | None = None
    allow_external_numbers: bool = False
    created_at: datetime


class Carriers(Struct, frozen=True, kw_only=True):
    """Who carries calls and who carries messages; None where the number has no use for it."""

    carrier: str | None
    sms_carrier: str | None


@lru_cache(maxsize=1_024)
def lineage(path: str) -> tuple[str, ...]:
    """List an account and all above it, the nearest first."""
    parts = path.split("/")
    return tuple("/".join(parts[:depth]) for depth in range(len(parts), 0, -1))


def parent_of(path: str) -> str | None:
    """Name the account right above, or None for a root."""
    return path.rpartition("/")[0] or None


def default_carrier(path: str, known: Known, deployment_default: str) -> str:
    """Find the nearest account's default carrier, else the deployment's. Source: spec lifecycle, Stock."""
    accounts = (known.get(Account, above) for above in lineage(path))
    return next((a.default_carrier for a in accounts if a and a.default_carrier), deployment_default)


def carriers_for(features: Features, given: Carriers, default: str) -> Carriers:
    """Fill in the default per capability: calls (fax with them) and messages.

    A number that can do neither still has a carrier, who puts it into service.
    """
    messages = not MESSAGES.isdisjoint(features)
    calls = not messages or not CALLS.isdisjoint(features)
    return Carriers(
        carrier=given.carrier or (default if calls else None),
        sms_carrier=given.sms_carrier or (default if messages else None),
    )


def create_account(account: Account | None, command: CreateAccount, now: datetime, known: Known) -> Decision:
    """Create an account below the caller's own; a root is the operator's to create.

    Refused `not_found` outside the caller's subtree, `parent_unknown`, `account_exists` with other fields.
    """
    if not _may_create(command):
        return Refused("not_found", "no such place in your tree", "path")
    if account is not None:
        if _fields(account) == _fields(command):
            return Unchanged(answer=account)
        return Refused("account_exists", f"{account.path} exists with other properties", "path")
    parent = parent_of(command.path)
    if parent is not None and known.get(Account, parent) is None:
        return Refused("parent_unknown", f"{parent} does not exist", "path")
    created = Account(
        path=command.path,
        name=command.name,
        default_carrier=command.default_carrier,
        allow_external_numbers=command.allow_external_numbers,
        created_at=now,
    )
    return Decided(state=created, answer=created)


def reaches(caller: Caller, path: str) -> bool:
    """Say whether a caller may touch what belongs to an account. Source: spec http, Authentication."""
    return caller.role == "operator" or is_within(path, caller.account)


def _may_create(command: CreateAccount) -> bool:
    caller = command.caller
    return caller.role == "operator" or (reaches(caller, command.path) and command.path != caller.account)


def _fields(account: Account | CreateAccount) -> tuple[str, str | None, bool]:
    return account.name, account.default_carrier, account.allow_external_numbers
