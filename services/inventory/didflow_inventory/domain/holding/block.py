"""Block and unblock. A blocked DID has no calls; its term goes on. Source: spec lifecycle, Stock and holders."""

from datetime import datetime

from didflow_chassis.decision import Decision, Unchanged
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.holding.changes import changed
from didflow_inventory.domain.holding.commands import BlockDid, UnblockDid
from didflow_inventory.domain.holding.rules import NOT_FOUND, is_out_of_reach, refusal_of_action
from didflow_inventory.domain.holding.stock_axis import moved


def block(did: Did | None, command: BlockDid, now: datetime) -> Decision:
    """Block a DID for the account of the caller. Refused `not_found`, `wrong_stock_state`."""
    if did is None or is_out_of_reach(did.holding, command.caller):
        return NOT_FOUND
    holding, account = did.holding, command.caller.account
    if (holding.last_step, holding.blocked_by) == ("block", account):
        return Unchanged()
    refusal = refusal_of_action("block", holding, did.views, command.caller)
    return refusal or changed(did, moved(holding, "block", "blocked", blocked_by=account), now)


def unblock(did: Did | None, command: UnblockDid, now: datetime) -> Decision:
    """Unblock a DID. Refused `not_found`, `wrong_stock_state`, `blocked_above`."""
    if did is None or is_out_of_reach(did.holding, command.caller):
        return NOT_FOUND
    if did.holding.last_step == "unblock":
        return Unchanged()
    refusal = refusal_of_action("unblock", did.holding, did.views, command.caller)
    return refusal or changed(did, moved(did.holding, "unblock", "assigned"), now)
