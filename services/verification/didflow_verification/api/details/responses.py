"""Responses about identities and addresses. The response to a change has no personal data: it is stored for replays."""

from datetime import date, datetime
from uuid import UUID

from msgspec.structs import asdict
from pydantic import BaseModel, Field

from didflow_contracts.vocabulary import EndUserType
from didflow_verification.domain.details.identity import Address, Identity


class IdentityReference(BaseModel):
    """An identity without personal data. `GET` returns the data."""

    identity_id: UUID
    account: str
    type: EndUserType
    revision: int = Field(description="Counts the changes, from 1.")
    created_at: datetime


class IdentityResponse(IdentityReference):
    """An identity with its data."""

    company_name: str | None
    company_registration_number: str | None
    vat_number: str | None
    tax_id: str | None
    first_name: str | None
    last_name: str | None
    birth_date: date | None
    national_id: str | None
    passport_number: str | None
    contact_email: str | None
    contact_phone: str | None


class AddressReference(BaseModel):
    """An address without personal data. `GET` returns the data."""

    address_id: UUID
    identity_id: UUID
    account: str
    revision: int = Field(description="Counts the changes, from 1.")
    created_at: datetime


class AddressResponse(AddressReference):
    """An address with its data."""

    street: str
    city: str
    postal_code: str
    region: str
    country: str


def identity_reference(identity: Identity) -> IdentityReference:
    """Return the response for an identity without its data."""
    return IdentityReference.model_validate(identity, from_attributes=True)


def identity_response(identity: Identity) -> IdentityResponse:
    """Return the response for an identity."""
    return IdentityResponse(**asdict(identity.person), **identity_reference(identity).model_dump())


def address_reference(address: Address) -> AddressReference:
    """Return the response for an address without its data."""
    return AddressReference.model_validate(address, from_attributes=True)


def address_response(address: Address) -> AddressResponse:
    """Return the response for an address."""
    return AddressResponse(**asdict(address.place), **address_reference(address).model_dump())
