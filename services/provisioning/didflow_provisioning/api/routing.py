"""Routes of the routing of DIDs."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from didflow_chassis.http import BatchAnswer, Http, HttpContext, NamedEntity, Router
from didflow_contracts.events import RoutingChanged
from didflow_contracts.ids import uuid7
from didflow_contracts.names import parse_did
from didflow_provisioning.api.bodies import DidsBody, SetCapacityBody, SetSmsBody, SetVoiceBody
from didflow_provisioning.api.profiles.bodies import ApplyProfileBody
from didflow_provisioning.domain.carriers.silence import is_shown_as_silent, without_ended_silence
from didflow_provisioning.domain.commands import ClearRouting, RoutingCommand, SetCapacity, SetSms, SetVoice
from didflow_provisioning.domain.events import routing_changed
from didflow_provisioning.domain.profiles.commands import ApplyProfile
from didflow_provisioning.domain.routing import Routing
from didflow_provisioning.domain.routing_changes import NOT_FOUND
from didflow_provisioning.store import carriers, queries

router = Router(tags=["routing"])


@router.get("/routing/{did}", action="read_routing")
async def show_routing(http: Http, did: str) -> RoutingChanged:
    """Return the routing of one DID, in the form of `routing.changed`."""
    found = await _routings(http, [did])
    if did not in found:
        raise http.problem(404, NOT_FOUND.code, NOT_FOUND.message)
    return routing_changed(await _at_present(http, found[did]))


@router.batch("/routing/batch/set-voice", action="manage_routing", item="did")
async def set_voice(http: Http, body: SetVoiceBody) -> BatchAnswer:
    """Deliver the calls of DIDs to a voice trunk or to a voice trunk group."""

    def command_of(base: dict[str, Any]) -> SetVoice:
        return SetVoice(
            **base, voice_trunk_id=body.voice_trunk_id, voice_trunk_group_id=body.voice_trunk_group_id
        )

    return await _batch(http, body, command_of)


@router.batch("/routing/batch/set-sms", action="manage_routing", item="did")
async def set_sms(http: Http, body: SetSmsBody) -> BatchAnswer:
    """Deliver the messages of DIDs to an SMS trunk."""
    return await _batch(http, body, lambda base: SetSms(**base, sms_trunk_id=body.sms_trunk_id))


@router.batch("/routing/batch/set-capacity", action="manage_routing", item="did")
async def set_capacity(http: Http, body: SetCapacityBody) -> BatchAnswer:
    """Set the number of concurrent calls of DIDs, or make them members of a capacity group."""
    group_id = body.capacity_group_id
    return await _batch(
        http, body, lambda base: SetCapacity(**base, capacity=body.capacity, capacity_group_id=group_id)
    )


@router.batch("/routing/batch/apply-profile", action="manage_routing", item="did")
async def apply_profile(http: Http, body: ApplyProfileBody) -> BatchAnswer:
    """Set on DIDs what a configuration profile names. Applied again, it changes nothing."""
    profile_id = body.configuration_profile_id
    return await _batch(http, body, lambda base: ApplyProfile(**base, configuration_profile_id=profile_id))


@router.batch("/routing/batch/clear", action="manage_routing", item="did")
async def clear_routing(http: Http, body: DidsBody) -> BatchAnswer:
    """Remove the voice target, the capacity and the SMS target of DIDs."""
    return await _batch(http, body, lambda base: ClearRouting(**base))


def command_fields(http: HttpContext, entity: NamedEntity) -> dict[str, Any]:
    """Return the fields that every `RoutingCommand` has."""
    return {
        "entity_id": entity.entity_id,
        "subject": entity.subject,
        "caller": http.caller,
        "next_command_id": uuid7(),
    }


async def _at_present(http: HttpContext, routing: Routing) -> Routing:
    """Return the routing as it is now. The contact of the carrier is read only if the carrier is shown as silent."""
    opened = routing.open_command
    if opened is None or not is_shown_as_silent(routing):
        return routing
    rows = await http.rows(carriers.contact_of(opened.command_id))
    return without_ended_silence(routing, *carriers.to_contact(rows[0])) if rows else routing


async def _batch(
    http: HttpContext, body: DidsBody, command_of: Callable[[dict[str, Any]], RoutingCommand]
) -> BatchAnswer:
    return await http.batch(
        body.dids, _entities, lambda entity: command_of(command_fields(http, entity)), absent=NOT_FOUND
    )


async def _entities(http: HttpContext, names: list[str]) -> Mapping[str, NamedEntity]:
    found = await _routings(http, names)
    live = {name: routing for name, routing in found.items() if routing.end_reason is None}
    return {name: NamedEntity(entity_id=r.did_id, subject=r.number) for name, r in live.items()}


async def _routings(http: HttpContext, names: list[str]) -> Mapping[str, Routing]:
    """Return the routing that each name stands for. Names without one are left out. Runs one statement."""
    parsed = {name: did for name in names if (did := parse_did(name)) is not None}
    rows = await http.rows(queries.routings_named(set(parsed.values()), http.caller)) if parsed else []
    found: dict[UUID | str, Routing] = {}
    for routing in map(queries.to_routing, rows):
        found.setdefault(routing.did_id, routing)
        if routing.end_reason is None:
            found.setdefault(routing.number, routing)
    return {name: found[did] for name, did in parsed.items() if did in found}
