"""A DID is handed down to an account below, and taken back. The payer stays.

Each handover appends to the holders, on which the rule of assignments depends (`didflow_contracts.assignments`).
Source: spec lifecycle, Stock and holders.
"""

from datetime import datetime

from msgspec.structs import replace

from didflow_chassis.decision import OPERATOR, Caller, Decision, Known, Refused, Unchanged
from didflow_contracts.accounts import is_within
from didflow_contracts.ownership import Holder
from didflow_inventory.domain.accounts.account import Account, is_enterprise
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.holding.changes import changed
from didflow_inventory.domain.holding.commands import AssignAccount, TakeBack
from didflow_inventory.domain.holding.holding import Holding
from didflow_inventory.domain.holding.rules import NOT_FOUND, is_out_of_reach, refusal_of_action
from didflow_inventory.domain.holding.withdrawal import returned
from didflow_inventory.domain.packages.package import account_of_client
from didflow_inventory.domain.stock.number import Number


def assign_account(did: Did | None, command: AssignAccount, now: datetime, known: Known) -> Decision:
    """Hand a DID to an account below the caller's. The present holder again is unchanged.

    Refused `not_found` for the DID or the account, `not_below`, `wrong_stock_state`, `in_use`, `term_ended`.
    """
    if did is None or is_out_of_reach(did.holding, command.caller):
        return NOT_FOUND
    holding, account = did.holding, command.account
    if not command.caller.reaches(account) or known.get(Account, account) is None:
        return Refused("not_found", "No such account in your reach.", "account")
    if account == holding.account:
        return Unchanged()
    if not _is_below(account, command.caller, holding):
        return Refused(
            "not_below", "A number is handed to an account below yours. Use take-back to get it.", "account"
        )
    refusal = refusal_of_action("assign_account", holding, did.views, command.caller)
    return refusal or changed(did, _handed_over(holding, account, now, known), now)


def take_back(did: Did | None, command: TakeBack, now: datetime, known: Known) -> Decision:
    """Make the account of the caller the holder of a DID that an account below has.

    If that account uploaded the number to the stock, the DID is withdrawn and the number returns.
    Refused `not_found`, `wrong_stock_state`, `in_use`, `not_below`.
    """
    if did is None or is_out_of_reach(did.holding, command.caller):
        return NOT_FOUND
    holding, account = did.holding, command.caller.account
    if holding.account == account and _was_taken_back(holding):
        return Unchanged()
    refusal = refusal_of_action("take_back", holding, did.views, command.caller)
    if refusal is not None:
        return refusal
    number = known.get(Number, holding.number)
    if holding.origin == "stock" and number is not None and number.uploaded_by == account:
        return returned(did, command, now, known)
    return changed(did, _handed_over(holding, account, now, known), now)


def _handed_over(holding: Holding, account: str, now: datetime, known: Known) -> Holding:
    """Return the holding of another account.

    What its holder wrote about a DID does not leave the accounts of this holder. The next holder may be its rival.
    Outside the client that picked it, a DID follows no package any more.
    """
    key = holding.package_key
    if key is not None and not is_within(account, account_of_client(key)):
        key = None
    if not is_within(account, holding.account):
        holding = replace(holding, description=None, notes=None, tags=(), next_after_hold=None)
    return replace(
        holding,
        account=account,
        in_enterprise=is_enterprise(known.get(Account, account)),
        holders=(*holding.all_holders, Holder(account=account, since=now)),
        package_key=key,
    )


def _is_below(account: str, caller: Caller, holding: Holding) -> bool:
    """Return True if the account is below the caller's. An operator stays within the tree of the holder."""
    if caller.role == OPERATOR:
        return is_within(account, holding.account.partition("/")[0])
    return account != caller.account


def _was_taken_back(holding: Holding) -> bool:
    """Return True if the last handover was from an account below the holder."""
    holders = holding.all_holders
    return len(holders) > 1 and is_within(holders[-2].account, holding.account)
