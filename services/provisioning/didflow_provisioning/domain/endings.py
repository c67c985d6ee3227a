"""The end of a DID: removed or refused. What was never ordered is released at once, the rest by its carrier."""

from datetime import datetime
from typing import Any

from msgspec.structs import replace

from didflow_chassis.decision import Decision, Known, TooEarly, Unchanged
from didflow_contracts.envelope import Event
from didflow_contracts.events import DidRemoved, PurchaseRefused
from didflow_provisioning.domain.carrier import moved
from didflow_provisioning.domain.desk import conclude, laid_out, serve
from didflow_provisioning.domain.effects import pruned
from didflow_provisioning.domain.hearing import START
from didflow_provisioning.domain.identity import fresh_id
from didflow_provisioning.domain.routing import Routing


def on_removed(routing: Routing | None, event: Event[DidRemoved], now: datetime, known: Known) -> Decision:
    """Release the number: `did.removed` is always applied and final, in whichever order it comes."""
    return _ended(routing, event.data.reason, event, now, known)


def on_refused(
    routing: Routing | None, event: Event[PurchaseRefused], now: datetime, known: Known
) -> Decision:
    """Undo a purchase that inventory refused: nothing had been ordered for it."""
    return _ended(routing, event.data.code, event, now, known)


def _ended(routing: Routing | None, reason: str, event: Event[Any], now: datetime, known: Known) -> Decision:
    if routing is None:
        return TooEarly(START)
    if routing.ended is not None:
        return Unchanged()
    desk = laid_out(routing, known, fresh_id(event), others=True)
    ended = replace(routing, ended=reason, due_at=None, voice=None, capacity=None, sms=None)
    if ended.carrier_state == "inactive":
        ended = replace(ended, carrier_state=moved("inactive", "released"))
    return conclude(desk, serve(desk.with_routing(pruned(ended)), now), routing.did_id)
