"""What the clock does: attempts that got no answer, pauses that are over, orders given up, a grace that ends."""

from datetime import datetime

from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known
from didflow_provisioning.domain.axis import axis
from didflow_provisioning.domain.carrier_command import NO_ANSWER, CarrierCommand, attempted, put_off
from didflow_provisioning.domain.desk import Desk, conclude, serve
from didflow_provisioning.domain.effects import pruned
from didflow_provisioning.domain.identity import fresh_id_of_line
from didflow_provisioning.domain.line import Line
from didflow_provisioning.domain.results import delayed, failed, is_superseded, superseded
from didflow_provisioning.domain.routing import Routing


def on_routing_due(routing: Routing, at: datetime, known: Known) -> Decision:
    """End a registration's grace. What follows is ordered by the line, which is made due at once."""
    over = pruned(replace(routing, due_at=None))
    line = known.get(Line, routing.number)
    waits = line is not None and line.open is None and routing.did_id in line.lives
    said, before = axis(over), axis(routing)
    return Decided(
        state=over,
        also=(replace(line, due_at=at),) if line is not None and waits else (),
        events=(said,) if said != before else (),
    )


def on_line_due(line: Line, at: datetime, known: Known) -> Decision:
    """Take up the open command, or send what the line has to send."""
    routings = {did_id: known.get(Routing, did_id) for did_id in line.lives}
    here = {did_id: each for did_id, each in routings.items() if each is not None}
    desk = Desk(line=line, routings=here, fresh_id=fresh_id_of_line(line))
    command = known.get(CarrierCommand, line.open) if line.open is not None else None
    after = desk if command is None else _taken_up(desk, command, at)
    return conclude(desk, serve(after, at), None)


def _taken_up(desk: Desk, command: CarrierCommand, at: datetime) -> Desk:
    if is_superseded(desk.routings[command.did_id], command):
        return superseded(desk, command, at)
    if at >= command.give_up_at:
        return failed(desk, command, at, code=command.code or NO_ANSWER, message=command.message)
    if command.state == "out":
        later = put_off(command, at, code=NO_ANSWER, message="no answer before the deadline")
        return delayed(desk, command, later)
    again = attempted(command, at)
    return replace(desk.with_command(again), said=(*desk.said, again.said()))
