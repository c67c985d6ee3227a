"""A DID is assigned to a user of its holder, and unassigned. Source: spec inventory, Accounts and holders."""

from datetime import datetime

from msgspec.structs import replace

from didflow_chassis.decision import Decision, Known, Refused, Unchanged
from didflow_inventory.domain.accounts import users
from didflow_inventory.domain.accounts.reach import is_managed
from didflow_inventory.domain.accounts.users import User, user_with_did
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.holding.changes import changed
from didflow_inventory.domain.holding.commands import AssignUser
from didflow_inventory.domain.holding.rules import NOT_FOUND, is_out_of_reach, refusal_of_action


def assign_user(did: Did | None, command: AssignUser, now: datetime, known: Known) -> Decision:
    """Assign a DID to a user, or unassign it. A DID of another user of the account moves to this one.

    Refused `not_found` for the DID or the user, `wrong_stock_state`, `not_an_enterprise`, `user_has_default`.
    """
    if did is None or is_out_of_reach(did.holding, command.caller):
        return NOT_FOUND
    holding, user_id = did.holding, command.user_id
    if holding.user == (None if user_id is None else str(user_id)):
        return Unchanged()
    refusal = refusal_of_action("assign_user", holding, did.views, command.caller)
    if refusal is not None:
        return refusal
    if user_id is None:
        return changed(did, replace(holding, user=None), now)
    user = known.get(User, user_id)
    if not is_managed(user, command.caller):
        return users.NOT_FOUND
    after = user_with_did(user, holding, known)
    if isinstance(after, Refused):
        return after
    return changed(did, replace(holding, user=str(user_id)), now, also=() if after == user else (after,))
