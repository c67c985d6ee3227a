"""Decisions on due timers: missed deadlines, finished pauses, commands to give up, and the end of a grace period."""

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
from didflow_provisioning.domain.effects import without_stale_failures
from didflow_provisioning.domain.events import routing_changed
from didflow_provisioning.domain.number_context import NumberContext, decided, loaded_routings, send_next
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
    before = NumberContext(
        queue=queue,
        routings=loaded_routings(queue, known),
        next_command_id=next_command_id_of_queue(queue),
        timings=timings,
        known=known,
    )
    open_id = queue.open_command_id
    command = known.get(CarrierCommand, open_id) if open_id is not None else None
    after = before if command is None else _continued(before, command, at)
    return decided(before, send_next(after, at), None)


def _continued(context: NumberContext, command: CarrierCommand, at: datetime) -> NumberContext:
    if is_superseded(context.routings[command.did_id], command):
        return with_superseded(context, command, at)
    if at >= command.give_up_at:
        return with_failed(context, command, at, code=command.code or NO_ANSWER, message=command.message)
    if command.state == "out":
        missed = waiting(
            command,
            at,
            context.timings.of(command.carrier),
            code=NO_ANSWER,
            message="The carrier did not answer before the deadline.",
        )
        return with_waiting(context, missed)
    return context.with_attempt(with_next_attempt(command, at, context.timings.of(command.carrier)))
