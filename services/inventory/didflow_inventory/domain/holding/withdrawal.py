"""The end of a DID that inventory decides: port-out, return, the end of a hold, a porting that failed.

The DID is removed at once and `did.withdrawn` is published. Billing then closes the term without refund and publishes
`did.removed`, after which provisioning releases the number. Source: spec lifecycle, Stock and holders.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from didflow_chassis.decision import Decision, Known
from didflow_contracts.event_data import EventData
from didflow_contracts.vocabulary import RemovalReason, WithdrawalReason
from didflow_inventory.domain.did import Did, conclude
from didflow_inventory.domain.events import did_changed, did_withdrawn
from didflow_inventory.domain.holding.commands import DidCommand, PortOut, ReturnDid
from didflow_inventory.domain.holding.holding import Holding, Step
from didflow_inventory.domain.holding.rules import NOT_FOUND, is_out_of_reach, refusal_of_action
from didflow_inventory.domain.holding.stock_axis import moved
from didflow_inventory.domain.stock.after_did import without_did
from didflow_inventory.domain.stock.number import Number
from didflow_inventory.domain.views import Views, term_after_removal


def port_out(did: Did | None, command: PortOut, now: datetime, known: Known) -> Decision:
    """End a DID whose number leaves for another operator. The number is in no stock any more.

    Refused `not_found`, `wrong_stock_state`.
    """
    if did is None or is_out_of_reach(did.holding, command.caller):
        return NOT_FOUND
    refusal = refusal_of_action("port_out", did.holding, did.views, command.caller)
    return refusal or withdrawn(did, "port_out", "ported_out", now, known)


def return_did(did: Did | None, command: ReturnDid, now: datetime, known: Known) -> Decision:
    """End a DID and return its number to the stock.

    Refused `not_found`, `wrong_stock_state`, `not_from_stock`, `in_use`.
    """
    if did is None or is_out_of_reach(did.holding, command.caller):
        return NOT_FOUND
    return returned(did, command, now, known)


def returned(did: Did, command: DidCommand, now: datetime, known: Known) -> Decision:
    """Return the decision of a return, or its refusal."""
    refusal = refusal_of_action("return", did.holding, did.views, command.caller)
    return refusal or withdrawn(did, "return", "returned", now, known)


def withdrawn(
    did: Did,
    step: Step,
    reason: WithdrawalReason,
    at: datetime,
    known: Known,
    *events: EventData,
    answer: Callable[[Did], Any] | None = None,
) -> Decision:
    """Remove a DID and withdraw it. The further events are published first."""
    ended, views, also = ended_did(did, step, reason, at, known)
    published = (*events, did_changed(ended), did_withdrawn(ended, reason))
    return conclude(ended, views, at, *published, also=also, answer=answer)


def ended_did(
    did: Did, step: Step, reason: RemovalReason, at: datetime, known: Known
) -> tuple[Holding, Views, tuple[Any, ...]]:
    """Return holding and views of a DID after its end, and its number, which goes where it belongs."""
    ended = replace(
        moved(did.holding, step, "removed"), assignment=None, removal_reason=reason, removed_at=at
    )
    views = replace(did.views, term=term_after_removal(did.views.term))
    number = known.get(Number, ended.number)
    if number is None or number.did_id != ended.did_id:
        return ended, views, ()
    return ended, views, (without_did(number, did, reason),)
