"""Provisioning over HTTP: voice trunks, the routing of DIDs, and the orders to carriers.

Routes only translate; what may be done is decided in `domain/`, what may be seen in `store`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from didflow_chassis.http import BatchAnswer, Http, HttpContext, Page, Problem, Target
from didflow_chassis.stage import Answer
from didflow_contracts.events import RoutingChanged
from didflow_contracts.ids import uuid7
from didflow_provisioning import store
from didflow_provisioning.bodies import (
    CommandsQuery,
    DidsBody,
    SetCapacityBody,
    SetVoiceBody,
    VoiceTrunkBody,
    names_among,
)
from didflow_provisioning.domain.axis import axis
from didflow_provisioning.domain.commands import (
    Clear,
    CreateVoiceTrunk,
    DeleteVoiceTrunk,
    KeepVoiceTrunk,
    NumberCommand,
    RetryCommand,
    SetCapacity,
    SetVoice,
)
from didflow_provisioning.domain.routing import Routing
from didflow_provisioning.domain.trunks import VoiceTrunk
from didflow_provisioning.shown import CommandShown, Retried, VoiceTrunkShown

MANAGERS: Final = ("operator", "master_reseller", "reseller", "enterprise_admin", "service")
"""Who may set routing and make trunks."""

OPERATORS: Final = ("operator", "service")
"""Who may order again what a carrier refused."""

router = APIRouter(prefix="/v1")


def routers() -> Iterable[APIRouter]:
    """Give provisioning's routes."""
    return (router,)


@router.post("/voice-trunks", tags=["trunks"], status_code=201, response_model=VoiceTrunkShown)
async def create_voice_trunk(http: Http, body: VoiceTrunkBody) -> Response:
    """Make a voice trunk, for an account and those below it."""
    http.require(*MANAGERS)
    wish = CreateVoiceTrunk(
        entity_id=uuid7(),
        subject="",
        caller=http.caller,
        account=body.account or http.caller.account,
        name=body.name,
        endpoints=body.endpoints(),
    )
    return await http.run(wish, status=201, render=lambda made: VoiceTrunkShown.of(made, http.caller))


@router.get("/voice-trunks", tags=["trunks"])
async def list_voice_trunks(http: Http) -> Page:
    """The trunks of the caller's subtree, and those above that serve the caller."""

    def shown(row: Any) -> Mapping[str, Any]:
        return VoiceTrunkShown.of(store.trunk_in(row), http.caller).model_dump(mode="json")

    return await http.page(store.usable_trunks(http.caller), sort=store.TRUNK_SORTS, render=shown)


@router.get("/voice-trunks/{voice_trunk_id}", tags=["trunks"])
async def show_voice_trunk(http: Http, voice_trunk_id: UUID) -> VoiceTrunkShown:
    """One trunk."""
    return VoiceTrunkShown.of(await _trunk(http, voice_trunk_id), http.caller)


@router.delete("/voice-trunks/{voice_trunk_id}", tags=["trunks"], status_code=204, response_model=None)
async def delete_voice_trunk(http: Http, voice_trunk_id: UUID) -> Response:
    """Take a trunk out of use; 409 `in_use`, with the count, while numbers are delivered to it."""
    http.require(*MANAGERS)
    trunk = await _trunk(http, voice_trunk_id)
    await _refuse_if_used(http, trunk)
    who = http.caller
    wish = DeleteVoiceTrunk(entity_id=voice_trunk_id, subject="", caller=who)
    done = await http.run(wish, status=204)
    try:
        # From here on no DID can take it; one that took it since the first look brings it back.
        await _refuse_if_used(http, trunk)
    except Problem:
        undo = KeepVoiceTrunk(entity_id=voice_trunk_id, subject="", caller=who)
        await _run_without_key(http, undo)
        raise
    return done


@router.get("/routing/{did}", tags=["routing"])
async def show_routing(http: Http, did: str) -> RoutingChanged:
    """The routing of one DID, in the words of `routing.changed`."""
    found = await _routings(http, [did])
    if did not in found:
        raise http.problem(404, "not_found", "No such number.")
    return axis(found[did])


@router.post("/routing/batch/set-voice", tags=["routing"])
async def set_voice(http: Http, body: SetVoiceBody) -> BatchAnswer:
    """Deliver the calls of DIDs to a voice trunk."""
    return await _wish(http, body, lambda about: SetVoice(**about, voice_trunk_id=body.voice_trunk_id))


@router.post("/routing/batch/set-capacity", tags=["routing"])
async def set_capacity(http: Http, body: SetCapacityBody) -> BatchAnswer:
    """Set how many calls DIDs take at once."""
    return await _wish(http, body, lambda about: SetCapacity(**about, capacity=body.capacity))


@router.post("/routing/batch/clear", tags=["routing"])
async def clear(http: Http, body: DidsBody) -> BatchAnswer:
    """Take voice target, capacity and SMS target of DIDs away."""
    return await _wish(http, body, lambda about: Clear(**about))


@router.get("/commands", tags=["commands"])
async def list_commands(http: Http, query: Annotated[CommandsQuery, Query()]) -> Page:
    """The orders to carriers for the numbers of the caller's subtree, latest first."""
    statement = store.orders(http.caller, *query.conditions())
    return await http.page(statement, sort=store.COMMAND_SORTS, render=_command, default="-issued_at")


@router.post("/commands/{command_id}/retry", tags=["commands"], response_model=Retried)
async def retry_command(http: Http, command_id: UUID) -> Response:
    """Order again, as a new command, what failed for good; 409 `not_failed` for anything else."""
    http.require(*OPERATORS)
    rows = await http.rows(store.orders(http.caller, store.commands.c.command_id == command_id))
    if not rows:
        raise http.problem(404, "not_found", "No such command.")
    command = store.order_in(rows[0])
    about = _about(http, Target(entity_id=command.did_id, subject=command.number))
    wish = RetryCommand(**about, command_id=command_id)
    return await http.run(wish, render=lambda fresh: Retried(command_id=fresh))


async def _wish(
    http: HttpContext, body: DidsBody, make: Callable[[dict[str, Any]], NumberCommand]
) -> BatchAnswer:
    http.require(*MANAGERS)
    return await http.batch(body.dids, _resolve, lambda target: make(_about(http, target)))


def _about(http: HttpContext, target: Target) -> dict[str, Any]:
    return {
        "entity_id": target.entity_id,
        "subject": target.subject,
        "caller": http.caller,
        "fresh_id": uuid7(),
    }


async def _resolve(http: HttpContext, names: list[str]) -> Mapping[str, Target]:
    found = await _routings(http, names)
    living = {name: routing for name, routing in found.items() if routing.ended is None}
    return {name: Target(entity_id=r.did_id, subject=r.number) for name, r in living.items()}


async def _routings(http: HttpContext, names: list[str]) -> Mapping[str, Routing]:
    """Find the routing that each name stands for, in one statement; names of nothing are left out."""
    named = names_among(names)
    rows = await http.rows(store.routings_named(set(named.values()), http.caller)) if named else []
    found: dict[UUID | str, Routing] = {}
    for routing in map(store.routing_in, rows):
        found.setdefault(routing.did_id, routing)
        if routing.ended is None:
            found.setdefault(routing.number, routing)
    return {text: found[name] for text, name in named.items() if name in found}


async def _trunk(http: HttpContext, trunk_id: UUID) -> VoiceTrunk:
    rows = await http.rows(store.usable_trunks(http.caller, store.trunks.c.trunk_id == trunk_id))
    if not rows:
        raise http.problem(404, "not_found", "No such voice trunk.")
    return store.trunk_in(rows[0])


async def _refuse_if_used(http: HttpContext, trunk: VoiceTrunk) -> None:
    uses = (await http.rows(store.uses_of_trunk(trunk.trunk_id)))[0]["uses"]
    if uses:
        raise http.problem(409, "in_use", f"Calls of {uses} numbers are delivered to it.")


async def _run_without_key(http: HttpContext, command: KeepVoiceTrunk) -> None:
    once = http.once
    if once is not None:
        actor = f"user:{http.caller.subject}"
        await http.runtime.stage.command(
            [command],
            once=replace(once, key=None),
            actor=actor,
            answer=lambda _: Answer(status=204, body=b""),
        )


def _command(row: Any) -> Mapping[str, Any]:
    return CommandShown.of(store.order_in(row)).model_dump(mode="json")
