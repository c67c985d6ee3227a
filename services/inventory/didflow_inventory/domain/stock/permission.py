"""Which accounts may have numbers of their own, that no account above gave them.

Source: spec inventory, Accounts and holders; spec roles, `purchase` and `upload`.
"""

from typing import Final

from didflow_chassis.decision import Caller, Refused
from didflow_inventory.domain.accounts.account import Account

NEED_PERMISSION: Final = frozenset(("enterprise_admin", "service"))
"""The roles that need an account with `allow_external_numbers`."""


def refusal_of_external_numbers(caller: Caller, account: Account | None) -> Refused | None:
    """Return why a caller may not add numbers to an account that the account brings itself; None if it may."""
    if caller.role not in NEED_PERMISSION or (account is not None and account.allow_external_numbers):
        return None
    return Refused("external_numbers_not_allowed", "This account may not add numbers of its own.", "account")
