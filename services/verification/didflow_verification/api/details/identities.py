"""Identities over HTTP: entered, listed, changed, forgotten."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from didflow_chassis.http import Http, Page
from didflow_contracts.ids import uuid7
from didflow_verification import store
from didflow_verification.api.asking import MANAGERS, entries, one, plain
from didflow_verification.api.details.bodies import IdentityBody, IdentityPatch
from didflow_verification.api.details.shown import (
    IdentityEntered,
    IdentityShown,
    identity_entered,
    identity_shown,
)
from didflow_verification.api.documents.keeping import contents_of, forget
from didflow_verification.api.listing import EntriesQuery
from didflow_verification.domain.details.commands import ChangeIdentity, EraseIdentity

router = APIRouter(prefix="/v1")


@router.post("/identities", tags=["identities"], status_code=201, response_model=IdentityEntered)
async def create_identity(http: Http, body: IdentityBody) -> Response:
    """Enter an end user: a business or a person. The answer has its id, not what was stated."""
    http.require(*MANAGERS)
    command = body.command(uuid7(), http.caller)
    return await http.run(command, status=201, render=plain(identity_entered))


@router.get("/identities", tags=["identities"])
async def list_identities(http: Http, query: Annotated[EntriesQuery, Query()]) -> Page:
    """The identities of the caller's subtree."""
    return await entries(http, store.IDENTITIES, query, identity_shown)


@router.get("/identities/{identity_id}", tags=["identities"])
async def show_identity(http: Http, identity_id: UUID) -> IdentityShown:
    """One identity."""
    return identity_shown(await one(http, store.IDENTITIES, identity_id))


@router.patch("/identities/{identity_id}", tags=["identities"], response_model=IdentityEntered)
async def change_identity(http: Http, identity_id: UUID, body: IdentityPatch) -> Response:
    """Change what an identity states: a new revision. DIDs on it get a next attempt; what is in force stays so."""
    http.require(*MANAGERS)
    given = dict(body.given())
    kind = given.pop("type", None)
    command = ChangeIdentity(entity_id=identity_id, subject="", caller=http.caller, type=kind, changes=given)
    return await http.run(command, render=plain(identity_entered))


@router.delete("/identities/{identity_id}", tags=["identities"], status_code=204, response_class=Response)
async def delete_identity(http: Http, identity_id: UUID) -> Response:
    """Forget an end user with addresses and documents; refused `in_use` while a living DID rests on it."""
    http.require(*MANAGERS)
    former = await contents_of(http, store.documents.c.identity_id == identity_id)
    response = await http.run(
        EraseIdentity(entity_id=identity_id, subject="", caller=http.caller), status=204
    )
    await forget(http, former)
    return response
