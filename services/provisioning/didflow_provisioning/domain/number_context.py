"""What a decision knows of one number: its queue, the DIDs that the message may change, and the changes so far.

Every decision takes the same steps: `load_context`, change the context, `send_next`, `decided`. A message sends at
most one new carrier command. The message determines its id, so deciding the message again sends nothing new.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from msgspec import Struct, field
from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known, Unchanged
from didflow_contracts.event_data import EventData
from didflow_contracts.vocabulary import CarrierAction
from didflow_provisioning.domain.capacity.reservations import changed_groups
from didflow_provisioning.domain.carrier_command import CarrierCommand, with_next_attempt
from didflow_provisioning.domain.carriers.turns import CarrierTurns, take
from didflow_provisioning.domain.effects import current_content, with_open_command
from didflow_provisioning.domain.events import carrier_command_issued, did_activated, routing_changed
from didflow_provisioning.domain.number_queue import NumberQueue
from didflow_provisioning.domain.routing import OpenCommand, Routing
from didflow_provisioning.domain.timing import Timings, give_up_at
from didflow_provisioning.domain.wanted_actions import actions_to_send, carrier_of


class Activation(Struct, frozen=True, kw_only=True):
    """An activation that succeeded while this message was decided."""

    did_id: UUID
    carrier_reference: str | None
    at: datetime


class NumberContext(Struct, frozen=True, kw_only=True):
    """The states of one number during a decision. `next_command_id` is the id of the one command that may be sent.

    `known` has the capacity groups of its DIDs. `commands` are the carrier commands that the decision changed, `issued`
    the command events that it publishes. `turns` are those of the carriers that may get a command, and `out` how many
    commands are out at them; `turns` is None unless the message is the timer of the queue.
    """

    queue: NumberQueue
    routings: Mapping[UUID, Routing]
    next_command_id: UUID
    timings: Timings
    known: Known
    commands: Mapping[UUID, CarrierCommand] = field(default_factory=dict)
    issued: tuple[EventData, ...] = ()
    activation: Activation | None = None
    turns: Mapping[str, CarrierTurns] | None = None
    out: Mapping[str, int] = field(default_factory=dict)

    def with_routing(self, routing: Routing) -> "NumberContext":
        """Return the context with this routing in place of the DID's previous one."""
        return replace(self, routings={**self.routings, routing.did_id: routing})

    def with_command(self, command: CarrierCommand) -> "NumberContext":
        """Return the context with this carrier command. While it is open, the queue is due when the command is."""
        queue = self.queue
        if command.is_open:
            queue = replace(
                queue,
                open_command_id=command.command_id,
                carrier=command.carrier,
                due_at=command.next_at,
                turn_at=None,
            )
        elif queue.open_command_id == command.command_id:
            queue = without_turn(replace(queue, open_command_id=None))
        return replace(self, queue=queue, commands={**self.commands, command.command_id: command})

    def with_code(self, command: CarrierCommand, code: str | None) -> "NumberContext":
        """Return the context whose routing shows this code for its open command."""
        routing = self.routings[command.did_id]
        opened = routing.open_command
        if opened is None or opened.command_id != command.command_id:
            return self
        return self.with_routing(replace(routing, open_command=replace(opened, code=code)))

    def with_attempt(self, command: CarrierCommand) -> "NumberContext":
        """Return the context with this carrier command and the event that publishes its current attempt."""
        return replace(self.with_command(command), issued=(*self.issued, carrier_command_issued(command)))


def load_context(
    routing: Routing, known: Known, next_command_id: UUID, timings: Timings, *, with_other_dids: bool = False
) -> NumberContext:
    """Return the context of the DID's number, if needed with the other DIDs of its queue."""
    queue = known.get(NumberQueue, routing.number) or NumberQueue(number=routing.number)
    routings = loaded_routings(queue, known) if with_other_dids else {}
    return NumberContext(
        queue=queue,
        routings={**routings, routing.did_id: routing},
        next_command_id=next_command_id,
        timings=timings,
        known=known,
    )


def loaded_routings(queue: NumberQueue, known: Known) -> Mapping[UUID, Routing]:
    """Return the routings of all DIDs in the queue."""
    routings = {did_id: known.get(Routing, did_id) for did_id in queue.did_ids}
    return {did_id: routing for did_id, routing in routings.items() if routing is not None}


def send_next(context: NumberContext, now: datetime) -> NumberContext:
    """Send the next carrier command for the first DID of the queue, unless a command is open.

    A later DID waits until every earlier one is released. Source: spec lifecycle, Carrier.
    """
    context = replace(context, queue=_without_released(context))
    queue = context.queue
    if queue.open_command_id is not None:
        return context
    if not queue.did_ids:
        return replace(context, queue=without_turn(queue))
    first = context.routings.get(queue.did_ids[0])
    if first is None:
        return context
    action = next(iter(actions_to_send(first)), None)
    if action is None:
        return replace(context, queue=without_turn(queue))
    command_id = _command_id(context, first, action)
    if command_id is None:
        return replace(context, queue=replace(queue, due_at=now))
    carrier = carrier_of(first, action) or ""
    context, may_leave = with_turn(context, carrier, now)
    if not may_leave:
        return context
    return _with_new_command(context, first, action, command_id=command_id, carrier=carrier, now=now)


def with_turn(context: NumberContext, carrier: str, now: datetime) -> tuple[NumberContext, bool]:
    """Take a turn for an attempt at this carrier. Return the context after it, and True if the attempt leaves now.

    Only the timer of the queue takes turns, so that no other message waits for the lock of the carrier's turns. Other
    messages make the queue due.
    """
    timing, queue = context.timings.of(carrier), context.queue
    if not timing.has_turns:
        return context, True
    turn_at = queue.turn_at if queue.carrier == carrier else None
    if context.turns is None:
        waiting = replace(queue, carrier=carrier, turn_at=turn_at, due_at=turn_at or now)
        return replace(context, queue=waiting), False
    known = context.turns.get(carrier) or CarrierTurns(carrier=carrier)
    turns, at = take(known, timing, now, turn_at=turn_at, out=context.out.get(carrier, 0))
    waiting = replace(queue, carrier=carrier, turn_at=at, due_at=at)
    return replace(context, turns={**context.turns, carrier: turns}, queue=waiting), at <= now


def without_turn(queue: NumberQueue) -> NumberQueue:
    """Return the queue with nothing to send: no timer, no carrier and no turn."""
    return replace(queue, carrier=None, turn_at=None, due_at=None)


def decided(before: NumberContext, after: NumberContext, own: UUID | None) -> Decision:
    """Return the decision that saves every changed state and publishes every changed axis and issued command.

    The capacity groups in which channels were reserved or freed are among the changed states.

    `own` is the DID that the message is about. It is None if the message is a due timer of the queue.
    """
    routings = [r for did_id, r in after.routings.items() if r != before.routings.get(did_id)]
    queue = [after.queue] if after.queue != before.queue else []
    primary: list[Routing] | list[NumberQueue] = (
        queue if own is None else [r for r in routings if r.did_id == own]
    )
    others = [r for r in routings if r.did_id != own] + (queue if own is not None else [])
    groups = changed_groups(((before.routings.get(r.did_id), r) for r in routings), before.known)
    turns = [each for name, each in (after.turns or {}).items() if each != (before.turns or {}).get(name)]
    also = (*others, *after.commands.values(), *groups, *turns)
    if not primary and not also:
        return Unchanged()
    events = [event for routing in routings for event in _axis_events(before, after, routing)]
    return Decided(state=primary[0] if primary else None, also=also, events=(*events, *after.issued))


def _axis_events(before: NumberContext, after: NumberContext, routing: Routing) -> list[EventData]:
    previous, axis, activation = (
        before.routings.get(routing.did_id),
        routing_changed(routing),
        after.activation,
    )
    if previous is not None and routing_changed(previous) == axis:
        return []
    if activation is None or activation.did_id != routing.did_id:
        return [axis]
    return [did_activated(axis, activation.carrier_reference, activation.at), axis]


def _without_released(context: NumberContext) -> NumberQueue:
    """Return the queue without the DIDs that are released. One whose command is still open stays until that ends."""
    queue = context.queue
    ended = (r for r in context.routings.values() if r.carrier_state == "released" and r.open_command is None)
    released = {routing.did_id for routing in ended}
    if released.isdisjoint(queue.did_ids):
        return queue
    return replace(queue, did_ids=tuple(did_id for did_id in queue.did_ids if did_id not in released))


def _command_id(context: NumberContext, routing: Routing, action: CarrierAction) -> UUID | None:
    """Return the id of the next command. None if only the timer of the queue may send it.

    The timer has loaded the ids that were promised to who retried an action. Other messages have only their own one.
    """
    own, promised = context.next_command_id, routing.retry_ids
    command_id = promised.get(action, own)
    if context.turns is None and (command_id != own or (action not in promised and own in promised.values())):
        return None
    return command_id


def _with_new_command(
    context: NumberContext,
    routing: Routing,
    action: CarrierAction,
    *,
    command_id: UUID,
    carrier: str,
    now: datetime,
) -> NumberContext:
    content = current_content(routing, action)
    timing = context.timings.of(carrier)
    command = CarrierCommand(
        command_id=command_id,
        did_id=routing.did_id,
        number=routing.number,
        account=routing.account,
        carrier=carrier,
        action=action,
        content=content,
        state="waiting",
        attempt=0,
        issued_at=now,
        deadline=now,
        next_at=now,
        give_up_at=give_up_at(timing, action, now),
    )
    opened = OpenCommand(command_id=command.command_id, action=action, content=content)
    failures = tuple(f for f in routing.failures if f.retry_id != command_id)
    sent = context.with_routing(with_open_command(replace(routing, failures=failures), opened, carrier))
    sent = sent.with_attempt(with_next_attempt(command, now, timing))
    return replace(sent, queue=replace(sent.queue, commands_sent=sent.queue.commands_sent + 1))
