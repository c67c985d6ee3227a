"""The end of a DID: removed or refused. A DID without a carrier command is released at once, others by a command."""

from datetime import datetime
from typing import Any

from msgspec.structs import replace

from didflow_chassis.decision import Decision, Known, TooEarly, Unchanged
from didflow_contracts.envelope import Event
from didflow_contracts.events import DidRemoved, PurchaseRefused
from didflow_provisioning.domain.carrier_command import CarrierCommand, next_command_id
from didflow_provisioning.domain.carrier_state import transition
from didflow_provisioning.domain.effects import without_stale_failures
from didflow_provisioning.domain.number_context import NumberContext, decided, load_context, send_next
from didflow_provisioning.domain.purchase import PURCHASE
from didflow_provisioning.domain.results import is_superseded, with_superseded
from didflow_provisioning.domain.routing import Routing
from didflow_provisioning.domain.timing import Timings


def on_removed(
    routing: Routing | None, event: Event[DidRemoved], now: datetime, known: Known, *, timings: Timings
) -> Decision:
    """Release the number. `did.removed` is always applied and final, whatever its sequence."""
    return _ended(routing, event.data.reason, event, now, known, timings=timings)


def on_purchase_refused(
    routing: Routing | None, event: Event[PurchaseRefused], now: datetime, known: Known, *, timings: Timings
) -> Decision:
    """End a DID whose purchase inventory refused. No command was sent for it."""
    return _ended(routing, event.data.code, event, now, known, timings=timings)


def _ended(
    routing: Routing | None, reason: str, event: Event[Any], now: datetime, known: Known, *, timings: Timings
) -> Decision:
    if routing is None:
        return TooEarly(PURCHASE)
    if routing.end_reason is not None:
        return Unchanged()
    ended = replace(routing.cleared(), end_reason=reason, due_at=None)
    if ended.carrier_state == "inactive":
        ended = replace(ended, carrier_state=transition("inactive", "released"))
    before = load_context(routing, known, next_command_id(event), timings, with_other_dids=True)
    after = _without_waiting_command(before.with_routing(without_stale_failures(ended)), now)
    return decided(before, send_next(after, now), routing.did_id)


def _without_waiting_command(context: NumberContext, now: datetime) -> NumberContext:
    """Return the context without a command of the DID that waits for its next attempt: the release replaces it.

    One that is out has its result or its deadline first. Source: spec lifecycle, Carrier.
    """
    open_id = context.queue.open_command_id
    command = context.known.get(CarrierCommand, open_id) if open_id is not None else None
    if command is None or command.state != "waiting":
        return context
    routing = context.routings.get(command.did_id)
    is_replaced = routing is not None and is_superseded(routing, command)
    return with_superseded(context, command, now) if is_replaced else context
