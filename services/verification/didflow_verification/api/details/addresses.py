"""Addresses over HTTP: entered, listed, changed, forgotten."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from didflow_chassis.http import Http, Page
from didflow_contracts.ids import uuid7
from didflow_verification import store
from didflow_verification.api.asking import MANAGERS, entries, one, plain
from didflow_verification.api.details.bodies import AddressBody, AddressPatch
from didflow_verification.api.details.shown import (
    AddressEntered,
    AddressShown,
    address_entered,
    address_shown,
)
from didflow_verification.api.listing import EntriesQuery
from didflow_verification.domain.details.commands import ChangeAddress, EraseAddress

router = APIRouter(prefix="/v1")


@router.post("/addresses", tags=["addresses"], status_code=201, response_model=AddressEntered)
async def create_address(http: Http, body: AddressBody) -> Response:
    """Enter an address of an identity. The answer has its id, not what was stated."""
    http.require(*MANAGERS)
    command = body.command(uuid7(), http.caller)
    return await http.run(command, status=201, render=plain(address_entered))


@router.get("/addresses", tags=["addresses"])
async def list_addresses(http: Http, query: Annotated[EntriesQuery, Query()]) -> Page:
    """The addresses of the caller's subtree."""
    return await entries(http, store.ADDRESSES, query, address_shown)


@router.get("/addresses/{address_id}", tags=["addresses"])
async def show_address(http: Http, address_id: UUID) -> AddressShown:
    """One address."""
    return address_shown(await one(http, store.ADDRESSES, address_id))


@router.patch("/addresses/{address_id}", tags=["addresses"], response_model=AddressEntered)
async def change_address(http: Http, address_id: UUID, body: AddressPatch) -> Response:
    """Change an address: a new revision. DIDs on it get a next attempt; what is in force stays so."""
    http.require(*MANAGERS)
    command = ChangeAddress(entity_id=address_id, subject="", caller=http.caller, changes=body.given())
    return await http.run(command, render=plain(address_entered))


@router.delete("/addresses/{address_id}", tags=["addresses"], status_code=204, response_class=Response)
async def delete_address(http: Http, address_id: UUID) -> Response:
    """Forget an address; refused `in_use` while a living DID rests on it."""
    http.require(*MANAGERS)
    return await http.run(EraseAddress(entity_id=address_id, subject="", caller=http.caller), status=204)
