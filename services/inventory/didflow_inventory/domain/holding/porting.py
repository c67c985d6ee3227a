"""The porting of a number: its start, its end without success, and its cancellation.

The purchase with the same `did_id` completes it (`purchase.py`). Source: spec events, Topics.
"""

from datetime import datetime
from functools import partial

from didflow_chassis.decision import Decision, Known, Refused, Unchanged
from didflow_contracts.envelope import Event
from didflow_contracts.events import DidPortingEnded, DidPortingStarted
from didflow_contracts.ownership import contradicts_owner
from didflow_inventory.domain.commands import StartPorting
from didflow_inventory.domain.did import Did, DidAt
from didflow_inventory.domain.events import porting_ended
from didflow_inventory.domain.holding.commands import CancelPorting
from didflow_inventory.domain.holding.rules import NOT_FOUND, is_out_of_reach, refusal_of_action
from didflow_inventory.domain.holding.withdrawal import withdrawn
from didflow_inventory.domain.purchase import (
    acquired_by_event,
    acquired_over_http,
    earlier_did,
    refusal_of_caller,
    repeat_by_event,
    repeat_over_http,
)
from didflow_inventory.domain.view_updates import NOT_YOURS, did_of_event

COMPLETED = Refused("porting_completed", "The porting of this number is completed.", "did_id")


def on_porting_started(
    did: Did | None, event: Event[DidPortingStarted], now: datetime, known: Known, *, deployment_carrier: str
) -> Decision:
    """Make the number a DID that is being ported in. Refusals are those of a purchase.

    After the purchase that completes the porting it changes nothing.
    """
    if did is not None:
        return repeat_by_event(did, event)
    return acquired_by_event(event, now, known, deployment_carrier=deployment_carrier, stock="porting_in")


def start_porting(
    did: Did | None, command: StartPorting, now: datetime, known: Known, *, deployment_carrier: str
) -> Decision:
    """Start a porting over HTTP. Answer with the DID, or with the DID that the same order made before.

    The refusals are those of a purchase over HTTP. A porting needs no price: it comes with the purchase.
    """
    data = command.data
    refusal = refusal_of_caller(command, data, known, deployment_carrier)
    if refusal is not None:
        return refusal
    earlier = did or earlier_did(data, known)
    if earlier is not None:
        return repeat_over_http(earlier, command, now)
    return acquired_over_http(command, now, known, deployment_carrier=deployment_carrier, stock="porting_in")


def on_porting_ended(did: Did | None, event: Event[DidPortingEnded], now: datetime, known: Known) -> Decision:
    """End a porting that failed or was canceled: the DID is withdrawn. Again, it changes nothing.

    Refused `porting_completed` if the number is assigned already.
    """
    found = did_of_event(did, event)
    if not isinstance(found, Did):
        return found
    if contradicts_owner(event, found.holding.account):
        return NOT_YOURS
    if found.holding.stock == "removed":
        return Unchanged()
    if found.holding.stock != "porting_in":
        return COMPLETED
    return withdrawn(found, "porting_end", "porting_failed", now, known)


def cancel_porting(did: Did | None, command: CancelPorting, now: datetime, known: Known) -> Decision:
    """Cancel a porting over HTTP. Again, it is unchanged.

    Refused `not_found`, `porting_completed`, and `wrong_stock_state` for a number that was not ported in.
    """
    if did is None or not command.caller.reaches(did.holding.account):
        return NOT_FOUND
    if did.holding.last_step == "porting_end":
        return Unchanged(answer=DidAt(did, now))
    if is_out_of_reach(did.holding, command.caller):
        return NOT_FOUND
    refusal = refusal_of_action("cancel_porting", did.holding, did.views, command.caller)
    if refusal is not None:
        return COMPLETED if did.holding.origin == "ported_in" else refusal
    ended = porting_ended(did.holding, "canceled")
    return withdrawn(did, "porting_end", "porting_failed", now, known, ended, answer=partial(DidAt, at=now))
