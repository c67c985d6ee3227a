"""Routes of identities and addresses: create, list, read, change, erase."""

from typing import Annotated
from uuid import UUID

from fastapi import Query
from starlette.responses import Response

from didflow_chassis.http import Http, Page, Router
from didflow_contracts.ids import uuid7
from didflow_verification import store
from didflow_verification.api.bodies import DetailsQuery
from didflow_verification.api.details.bodies import AddressBody, AddressPatch, IdentityBody, IdentityPatch
from didflow_verification.api.details.responses import (
    AddressReference,
    AddressResponse,
    IdentityReference,
    IdentityResponse,
    address_reference,
    address_response,
    identity_reference,
    identity_response,
)
from didflow_verification.api.documents.upload import delete_contents, release_contents
from didflow_verification.api.reads import as_json, keyring_of, read_one, read_page
from didflow_verification.domain.commands import ChangeAddress, ChangeIdentity, EraseAddress, EraseIdentity

router = Router()


@router.post(
    "/identities",
    action="write_details",
    tags=["identities"],
    status_code=201,
    response_model=IdentityReference,
)
async def create_identity(http: Http, body: IdentityBody) -> Response:
    """Create an end user: a business or a person. The response has the id and no personal data."""
    command = body.command(uuid7(), http.caller)
    return await http.run(command, status=201, render=as_json(identity_reference))


@router.get("/identities", action="read_details", tags=["identities"])
async def list_identities(http: Http, query: Annotated[DetailsQuery, Query()]) -> Page:
    """List the identities of your accounts."""
    return await read_page(http, store.IDENTITIES, query, identity_response)


@router.get("/identities/{identity_id}", action="read_details", tags=["identities"])
async def read_identity(http: Http, identity_id: UUID) -> IdentityResponse:
    """Read one identity."""
    return identity_response(await read_one(http, store.IDENTITIES, identity_id, "identity"))


@router.patch(
    "/identities/{identity_id}",
    action="write_details",
    tags=["identities"],
    response_model=IdentityReference,
)
async def change_identity(http: Http, identity_id: UUID, body: IdentityPatch) -> Response:
    """Change an identity. This makes a new revision.

    Each live DID that uses the identity gets a new verification. Approved details stay in force until it is decided.
    """
    given = dict(body.given())
    kind = given.pop("type", None)
    command = ChangeIdentity(
        entity_id=identity_id,
        subject="",
        caller=http.caller,
        type=kind,
        changes=given,
        has_key=keyring_of(http) is not None,
    )
    return await http.run(command, render=as_json(identity_reference))


@router.delete(
    "/identities/{identity_id}",
    action="write_details",
    tags=["identities"],
    status_code=204,
    response_class=Response,
)
async def delete_identity(http: Http, identity_id: UUID) -> Response:
    """Erase an identity with its addresses and documents. Refused `in_use` while a live DID uses it."""
    contents = await release_contents(http, store.documents.c.identity_id == identity_id)
    response = await http.run(
        EraseIdentity(entity_id=identity_id, subject="", caller=http.caller), status=204
    )
    await delete_contents(http, identity_id, contents)
    return response


@router.post(
    "/addresses", action="write_details", tags=["addresses"], status_code=201, response_model=AddressReference
)
async def create_address(http: Http, body: AddressBody) -> Response:
    """Create an address of an identity. The response has the id and no personal data."""
    command = body.command(uuid7(), http.caller)
    return await http.run(command, status=201, render=as_json(address_reference))


@router.get("/addresses", action="read_details", tags=["addresses"])
async def list_addresses(http: Http, query: Annotated[DetailsQuery, Query()]) -> Page:
    """List the addresses of your accounts."""
    return await read_page(http, store.ADDRESSES, query, address_response)


@router.get("/addresses/{address_id}", action="read_details", tags=["addresses"])
async def read_address(http: Http, address_id: UUID) -> AddressResponse:
    """Read one address."""
    return address_response(await read_one(http, store.ADDRESSES, address_id, "address"))


@router.patch(
    "/addresses/{address_id}", action="write_details", tags=["addresses"], response_model=AddressReference
)
async def change_address(http: Http, address_id: UUID, body: AddressPatch) -> Response:
    """Change an address. This makes a new revision.

    Each live DID that uses the address gets a new verification. Approved details stay in force until it is decided.
    """
    command = ChangeAddress(
        entity_id=address_id,
        subject="",
        caller=http.caller,
        changes=body.given(),
        has_key=keyring_of(http) is not None,
    )
    return await http.run(command, render=as_json(address_reference))


@router.delete(
    "/addresses/{address_id}",
    action="write_details",
    tags=["addresses"],
    status_code=204,
    response_class=Response,
)
async def delete_address(http: Http, address_id: UUID) -> Response:
    """Erase an address. Refused `in_use` while a live DID uses it."""
    return await http.run(EraseAddress(entity_id=address_id, subject="", caller=http.caller), status=204)
