"""Decisions on due timers: missed deadlines, finished pauses, commands to give up, and the end of a grace period."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known
from didflow_provisioning.domain.carrier_command import (
    NO_ANSWER,
    CarrierCommand,
    next_command_id_of_queue,
    waiting,
    with_next_attempt,
)
from didflow_provisioning.domain.carriers.silence import CarrierContact, with_silence
from didflow_provisioning.domain.carriers.turns import CarrierLoad, CarrierTurns
from didflow_provisioning.domain.effects import without_stale_failures
from didflow_provisioning.domain.events import routing_changed
from didflow_provisioning.domain.number_context import (
    NumberContext,
    decided,
    loaded_routings,
    send_next,
    with_turn,
)
from didflow_provisioning.domain.number_queue import NumberQueue
from didflow_provisioning.domain.results import is_superseded, with_failed, with_superseded, with_waiting
from didflow_provisioning.domain.routing import Routing
from didflow_provisioning.domain.timing import Timings


def on_routing_due(routing: Routing, at: datetime, known: Known) -> Decision:
    """End the grace period of a registration. The queue becomes due at once and sends what follows."""
    after = without_stale_failures(replace(routing, due_at=None))
    queue = known.get(NumberQueue, routing.number)
    is_queued = queue is not None and queue.open_command_id is None and routing.did_id in queue.did_ids
    axis = routing_changed(after)
    return Decided(
        state=after,
        also=(replace(queue, due_at=at),) if queue is not None and is_queued else (),
        events=(axis,) if axis != routing_changed(routing) else (),
    )


def on_queue_due(queue: NumberQueue, at: datetime, known: Known, *, timings: Timings) -> Decision:
    """Continue the open carrier command, or send the next one."""
    routings = loaded_routings(queue, known)
    carriers = timings.with_turns(carriers_of(queue, routings.values()))
    loads = {name: known.get(CarrierLoad, name) for name in carriers if timings.of(name).concurrency}
    before = NumberContext(
        queue=queue,
        routings=routings,
        next_command_id=next_command_id_of_queue(queue),
        timings=timings,
        known=known,
        turns={name: known.get(CarrierTurns, name) or CarrierTurns(carrier=name) for name in carriers},
        out={name: load.out for name, load in loads.items() if load is not None},
    )
    open_id = queue.open_command_id
    command = known.get(CarrierCommand, open_id) if open_id is not None else None
    if command is None:
        return decided(before, send_next(before, at), None)
    after = _continued(before, command, at)
    contact = known.get(CarrierContact, command.carrier)
    return decided(before, send_next(with_silence(after, command, contact, at), at), None)


def carriers_of(queue: NumberQueue, routings: Iterable[Routing]) -> Iterator[str | None]:
    """Yield the carriers that may get the next attempt of a queue."""
    yield queue.carrier
    for routing in routings:
        yield from (routing.carrier, routing.sms_carrier, routing.served_by)


def _continued(context: NumberContext, command: CarrierCommand, at: datetime) -> NumberContext:
    """Return the context after the next step of the open command: missed, tried again, or given up."""
    if command.next_at is not None and at < command.next_at:
        return replace(context, queue=replace(context.queue, due_at=command.next_at))
    if is_superseded(context.routings[command.did_id], command):
        return with_superseded(context, command, at)
    if at >= command.give_up_at:
        return with_failed(context, command, at, code=command.code or NO_ANSWER, message=command.message)
    timing = context.timings.of(command.carrier)
    if command.state == "out":
        message = "The carrier did not answer before the deadline."
        return with_waiting(context, waiting(command, at, timing, code=NO_ANSWER, message=message))
    context, may_leave = with_turn(context, command.carrier, at)
    if may_leave:
        return context.with_attempt(with_next_attempt(command, at, timing))
    turn_at = context.queue.turn_at
    next_at = command.give_up_at if turn_at is None else min(turn_at, command.give_up_at)
    waits = context.with_command(replace(command, next_at=next_at))
    return replace(waits, queue=replace(waits.queue, turn_at=turn_at))
