"""The axes of other services as last received: the holding, the registration and the term of a DID.

An event is applied only if it is newer than the last applied event of its axis. Then the next command is sent.
"""

from datetime import datetime
from typing import Any, Final

from msgspec.structs import replace

from didflow_chassis.decision import Decision, Known, TooEarly, Unchanged
from didflow_contracts.accounts import is_within
from didflow_contracts.envelope import Event
from didflow_contracts.events import DidChanged
from didflow_contracts.events.registration import RegistrationAxis
from didflow_contracts.events.term import TermAxis
from didflow_contracts.sequences import is_newer, with_sequence
from didflow_provisioning.domain.capacity.reservations import without_capacity
from didflow_provisioning.domain.carrier_command import next_command_id
from didflow_provisioning.domain.effects import without_stale_failures
from didflow_provisioning.domain.number_context import decided, load_context, send_next
from didflow_provisioning.domain.profiles.application import with_automatic_profile, without_foreign_profile
from didflow_provisioning.domain.purchase import PURCHASE
from didflow_provisioning.domain.routing import Routing
from didflow_provisioning.domain.timing import Timings
from didflow_provisioning.domain.wanted_actions import REGISTERED

_ASSIGNED: Final = frozenset(("assigned", "blocked", "on_hold"))


def on_did_changed(
    routing: Routing | None, event: Event[DidChanged], now: datetime, known: Known, *, timings: Timings
) -> Decision:
    """Apply the holding, and clear what does not serve the new holder. A new DID gets its automatic profile."""
    if routing is None:
        return TooEarly(PURCHASE)
    if not _applies(routing, "holding", event):
        return Unchanged()
    data = event.data
    after = replace(
        _with_sequence(routing, "holding", event),
        account=data.account,
        features=data.features,
        carrier=data.carrier,
        sms_carrier=data.sms_carrier,
        origin=data.origin,
        stock=data.stock,
        held_by=data.held_by,
        confirmed=routing.confirmed or data.stock in _ASSIGNED,
    )
    served = without_foreign_profile(_without_foreign_targets(after))
    with_profile = with_automatic_profile(routing, served, known)
    return _decided(routing, with_profile, event, now, known, timings=timings)


def on_registration_changed(
    routing: Routing | None, event: Event[RegistrationAxis], now: datetime, known: Known, *, timings: Timings
) -> Decision:
    """Apply the registration. A lapsed registration counts until its grace period ends."""
    if routing is None:
        return TooEarly(PURCHASE)
    if not _applies(routing, "registration", event):
        return Unchanged()
    data = event.data
    has_grace = (
        data.registration not in REGISTERED and data.grace_until is not None and data.grace_until > now
    )
    after = replace(
        _with_sequence(routing, "registration", event),
        registration=data.registration,
        due_at=data.grace_until if has_grace else None,
    )
    return _decided(routing, after, event, now, known, timings=timings)


def on_term_changed(
    routing: Routing | None, event: Event[TermAxis], now: datetime, known: Known, *, timings: Timings
) -> Decision:
    """Apply the state of the term. A canceled or aging term suspends the number."""
    if routing is None:
        return TooEarly(PURCHASE)
    if not _applies(routing, "term", event):
        return Unchanged()
    after = replace(_with_sequence(routing, "term", event), term=event.data.state)
    return _decided(routing, after, event, now, known, timings=timings)


def _applies(routing: Routing, axis: str, event: Event[Any]) -> bool:
    """Return True if the event is newer than the view and the DID is live."""
    return routing.end_reason is None and is_newer(routing.sequences, axis, event)


def _with_sequence(routing: Routing, axis: str, event: Event[Any]) -> Routing:
    return replace(routing, sequences=with_sequence(routing.sequences, axis, event))


def _decided(
    before: Routing, after: Routing, event: Event[Any], now: datetime, known: Known, *, timings: Timings
) -> Decision:
    context = load_context(before, known, next_command_id(event), timings)
    changed = context.with_routing(without_stale_failures(after))
    queue = changed.queue
    is_new = after.confirmed and after.did_id not in queue.did_ids and after.carrier_state != "released"
    if is_new:
        changed = replace(changed, queue=replace(queue, did_ids=(*queue.did_ids, after.did_id)))
    return decided(context, send_next(changed, now), after.did_id)


def _without_foreign_targets(routing: Routing) -> Routing:
    """Clear targets and groups of accounts that the DID has left. Source: spec lifecycle, Stock and holders."""
    voice, sms, group = routing.voice, routing.sms, routing.capacity_group
    is_served = group is None or is_within(routing.account, group.account)
    return replace(
        routing if is_served else without_capacity(routing),
        voice=voice if voice and is_within(routing.account, voice.account) else None,
        sms=sms if sms and is_within(routing.account, sms.account) else None,
    )
