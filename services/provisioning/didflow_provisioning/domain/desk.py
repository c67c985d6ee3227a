"""One number on the desk: its line, those of its DIDs that a message may touch, and what is made of them.

Every decision goes the same way: lay out, change, `serve`, `conclude`. At most one command leaves for each
message, named by that message, so that a message decided again orders nothing new.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from msgspec import Struct, field
from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known, Unchanged
from didflow_contracts.event_data import EventData
from didflow_contracts.vocabulary import CarrierAction
from didflow_provisioning.domain import timing
from didflow_provisioning.domain.axis import activation, axis
from didflow_provisioning.domain.carrier_command import CarrierCommand, attempted
from didflow_provisioning.domain.effects import asked_now, ordered
from didflow_provisioning.domain.line import Line
from didflow_provisioning.domain.routing import Order, Routing
from didflow_provisioning.domain.wanted import carrier_of, wishes


class Activated(Struct, frozen=True, kw_only=True):
    """A DID that went into service while this message was decided."""

    did_id: UUID
    carrier_reference: str | None
    at: datetime


class Desk(Struct, frozen=True, kw_only=True):
    """What lies on the desk. `fresh_id` is the id of the one command that may leave."""

    line: Line
    routings: Mapping[UUID, Routing]
    fresh_id: UUID
    commands: Mapping[UUID, CarrierCommand] = field(default_factory=dict)
    said: tuple[EventData, ...] = ()
    activated: Activated | None = None

    def with_routing(self, routing: Routing) -> "Desk":
        """Lay a routing on the desk, in place of what was known of that DID."""
        return replace(self, routings={**self.routings, routing.did_id: routing})

    def with_command(self, command: CarrierCommand) -> "Desk":
        """Lay a command on the desk; while it is open, the line wants attention when the command does."""
        line = self.line
        if command.is_open:
            line = replace(line, open=command.command_id, due_at=command.next_at)
        elif line.open == command.command_id:
            line = replace(line, open=None, due_at=None)
        return replace(self, line=line, commands={**self.commands, command.command_id: command})


def laid_out(routing: Routing, known: Known, fresh_id: UUID, *, others: bool = False) -> Desk:
    """Lay out the number of a DID; with `others` the DIDs behind it on the line, too."""
    line = known.get(Line, routing.number) or Line(number=routing.number)
    behind = [did_id for did_id in line.lives if others and did_id != routing.did_id]
    routings = {did_id: known.get(Routing, did_id) for did_id in behind}
    here = {did_id: each for did_id, each in routings.items() if each is not None}
    return Desk(line=line, routings={**here, routing.did_id: routing}, fresh_id=fresh_id)


def serve(desk: Desk, now: datetime) -> Desk:
    """Send the first wish of the line's first DID, unless a command is open.

    A later DID waits until every earlier one is released. Source: spec lifecycle, Carrier.
    """
    desk = replace(desk, line=_without_released(desk))
    if desk.line.open is not None:
        return desk
    head = desk.routings.get(desk.line.lives[0]) if desk.line.lives else None
    if head is None:
        return desk
    action = next(iter(wishes(head)), None)
    if action is None:
        return replace(desk, line=replace(desk.line, due_at=None))
    return _sent(desk, head, action, now)


def conclude(before: Desk, after: Desk, own: UUID | None) -> Decision:
    """Say what changed on the desk: states, commands that left, and each axis that reads differently now.

    `own` is the DID that the message was about; None where it was about the line itself.
    """
    routings = [r for did_id, r in after.routings.items() if r != before.routings.get(did_id)]
    line = [after.line] if after.line != before.line else []
    primary: list[Routing] | list[Line] = line if own is None else [r for r in routings if r.did_id == own]
    rest = [r for r in routings if r.did_id != own] + (line if own is not None else [])
    also = (*rest, *after.commands.values())
    if not primary and not also:
        return Unchanged()
    said = [event for routing in routings for event in _axis_events(before, after, routing)]
    return Decided(state=primary[0] if primary else None, also=also, events=(*said, *after.said))


def _axis_events(before: Desk, after: Desk, routing: Routing) -> list[EventData]:
    known, said, done = before.routings.get(routing.did_id), axis(routing), after.activated
    if known is not None and axis(known) == said:
        return []
    if done is None or done.did_id != routing.did_id:
        return [said]
    return [activation(said, done.carrier_reference, done.at), said]


def _without_released(desk: Desk) -> Line:
    released = {r.did_id for r in desk.routings.values() if r.carrier_state == "released"}
    if released.isdisjoint(desk.line.lives):
        return desk.line
    return replace(desk.line, lives=tuple(life for life in desk.line.lives if life not in released))


def _sent(desk: Desk, routing: Routing, action: CarrierAction, now: datetime) -> Desk:
    carrier = carrier_of(routing, action) or ""
    asked = asked_now(routing, action)
    limit = timing.give_up_at(carrier, action, now)
    order = Order(command_id=desk.fresh_id, action=action, asked=asked)
    command = attempted(
        CarrierCommand(
            command_id=order.command_id,
            did_id=routing.did_id,
            number=routing.number,
            account=routing.account,
            carrier=carrier,
            action=action,
            asked=asked,
            state="waiting",
            attempt=0,
            issued_at=now,
            deadline=now,
            next_at=now,
            give_up_at=limit,
        ),
        now,
    )
    there = desk.with_routing(ordered(routing, order, carrier)).with_command(command)
    line = replace(there.line, sent=there.line.sent + 1)
    return replace(there, line=line, said=(*there.said, command.said()))
