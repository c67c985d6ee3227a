"""Identities and addresses change and go: routes that only translate; `domain/` decides.

Answers carry no personal data, since they are kept for replays.
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.responses import Response

from didflow_chassis.http import Http
from didflow_contracts.numbers import CountryCode
from didflow_contracts.vocabulary import EndUserType
from didflow_verification import store
from didflow_verification.asking import MANAGERS, plain
from didflow_verification.bodies import Text
from didflow_verification.documents.routes import contents_of, forget
from didflow_verification.domain.details.commands import (
    ChangeAddress,
    ChangeIdentity,
    EraseAddress,
    EraseIdentity,
)
from didflow_verification.shown import AddressEntered, IdentityEntered, address_entered, identity_entered

router = APIRouter(prefix="/v1")


class _Patch(BaseModel):
    """What is to change; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    def given(self) -> Mapping[str, Any]:
        """Return what the body named, null where it clears."""
        return self.model_dump(include=self.model_fields_set)


class IdentityPatch(_Patch):
    """Fields of an identity; null clears one."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"company_name": "Example Bakery Ltd", "vat_number": None}]}
    )

    type: EndUserType | None = Field(default=None, description="Cannot be cleared.")
    company_name: Text | None = None
    company_registration_number: Text | None = None
    vat_number: Text | None = None
    tax_id: Text | None = None
    first_name: Text | None = None
    last_name: Text | None = None
    birth_date: date | None = None
    national_id: Text | None = None
    passport_number: Text | None = None
    contact_email: Text | None = None
    contact_phone: Text | None = None


class AddressPatch(_Patch):
    """Fields of an address; `postal_code` and `region` may be emptied."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"street": "2 Quay Street"}]})

    street: Annotated[str, Field(min_length=1, max_length=500)] = ""
    city: Text = ""
    postal_code: Annotated[str, Field(max_length=20)] = ""
    region: Annotated[str, Field(max_length=200)] = ""
    country: CountryCode = ""

    @model_validator(mode="before")
    @classmethod
    def _no_nulls(cls, given: Any) -> Any:
        if isinstance(given, dict) and None in given.values():
            raise ValueError("no field of an address can be null")
        return given


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
