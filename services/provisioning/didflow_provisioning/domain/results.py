"""What carriers answer. A late success counts like a timely one; what is wanted is then restored."""

from datetime import datetime

from msgspec.structs import replace

from didflow_chassis.decision import Decision, Known, Refused, Unchanged
from didflow_contracts.envelope import Event
from didflow_contracts.events import ResultReported
from didflow_provisioning.domain.carrier_command import CarrierCommand, closed, put_off
from didflow_provisioning.domain.desk import Activated, Desk, conclude, laid_out, serve
from didflow_provisioning.domain.effects import take_effect, take_failure
from didflow_provisioning.domain.identity import fresh_id
from didflow_provisioning.domain.routing import Failure, Routing

UNNAMED_FAILURE = "failed"


def on_result(routing: Routing | None, event: Event[ResultReported], now: datetime, known: Known) -> Decision:
    """Take a carrier's answer. Refused: `command_unknown`, and `not_yours` for another account's number."""
    data = event.data
    command = known.get(CarrierCommand, data.command_id)
    if routing is None or command is None or not _is_about(command, data):
        return Refused("command_unknown", "no order of this number has this command_id")
    if data.account not in (command.account, routing.account):
        return Refused("not_yours", "the order is about a number of another account")
    desk = laid_out(routing, known, fresh_id(event), others=True)
    if data.outcome == "succeeded":
        return _succeeded(desk, routing, command, data, now)
    if not command.is_open or (data.retryable and _is_old_news(command, data)):
        return Unchanged()
    if data.retryable:
        return _put_off(desk, routing, command, data, now)
    ended = failed(desk, command, now, code=data.code or UNNAMED_FAILURE, message=data.message)
    return conclude(desk, serve(ended, now), routing.did_id)


def _is_old_news(command: CarrierCommand, data: ResultReported) -> bool:
    """Say whether a retryable failure is of an earlier attempt, or the one that is waited for already."""
    is_earlier = data.attempt is not None and data.attempt < command.attempt
    return is_earlier or (command.state == "waiting" and command.code == (data.code or UNNAMED_FAILURE))


def _is_about(command: CarrierCommand, data: ResultReported) -> bool:
    return command.did_id == data.did_id and command.number == data.number


def failed(desk: Desk, command: CarrierCommand, now: datetime, *, code: str, message: str | None) -> Desk:
    """Lay out the final failure of an open order."""
    routing = desk.routings[command.did_id]
    failure = Failure(command_id=command.command_id, action=command.action, code=code)
    reason = f"{code}: {message}" if message else code
    there = take_failure(_off_line(routing, command), failure, reason)
    return desk.with_routing(there).with_command(closed(command, "failed", now, code=code, message=message))


def superseded(desk: Desk, command: CarrierCommand, now: datetime) -> Desk:
    """Lay out that an order is not tried again, since its DID is to be released."""
    routing = _off_line(desk.routings[command.did_id], command)
    return desk.with_routing(routing).with_command(closed(command, "superseded", now))


def delayed(desk: Desk, command: CarrierCommand, later: CarrierCommand) -> Desk:
    """Lay out that an order waits for its next attempt, with the failure that it waits for."""
    routing = desk.routings[command.did_id]
    if routing.out is not None and routing.out.command_id == command.command_id:
        routing = replace(routing, out=replace(routing.out, code=later.code))
    return desk.with_routing(routing).with_command(later)


def is_superseded(routing: Routing, command: CarrierCommand) -> bool:
    """Say whether a release takes the place of this order's further attempts. Source: spec lifecycle, Carrier."""
    return routing.ended is not None and command.action != "release"


def _succeeded(
    desk: Desk, routing: Routing, command: CarrierCommand, data: ResultReported, now: datetime
) -> Decision:
    if command.state == "succeeded":
        return Unchanged()
    done = closed(command, "succeeded", now, carrier_reference=data.carrier_reference)
    kept = tuple(f for f in routing.failures if f.command_id != command.command_id)
    off = replace(_off_line(routing, command), failures=kept)
    there = take_effect(off, command.action, command.asked)
    goes_into_service = routing.carrier_state in ("activating", "failed") and there.carrier_state == "active"
    after = desk.with_routing(there).with_command(done)
    if goes_into_service and there.ended is None:
        at = data.completed_at or now
        told = Activated(did_id=routing.did_id, carrier_reference=data.carrier_reference, at=at)
        after = replace(after, activated=told)
    return conclude(desk, serve(after, now), routing.did_id)


def _put_off(
    desk: Desk, routing: Routing, command: CarrierCommand, data: ResultReported, now: datetime
) -> Decision:
    if is_superseded(routing, command):
        return conclude(desk, serve(superseded(desk, command, now), now), routing.did_id)
    code = data.code or UNNAMED_FAILURE
    later = put_off(command, now, code=code, message=data.message, retry_after_s=data.retry_after_s)
    return conclude(desk, delayed(desk, command, later), routing.did_id)


def _off_line(routing: Routing, command: CarrierCommand) -> Routing:
    is_its = routing.out is not None and routing.out.command_id == command.command_id
    return replace(routing, out=None) if is_its else routing
