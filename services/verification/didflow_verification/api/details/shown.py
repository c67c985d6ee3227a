"""What is shown of identities and addresses. Answers to changes carry no personal data: they are kept for replays."""

from datetime import date, datetime
from uuid import UUID

from msgspec.structs import asdict
from pydantic import BaseModel, Field

from didflow_contracts.vocabulary import EndUserType
from didflow_verification.domain.details.identity import Address, Identity


class IdentityEntered(BaseModel):
    """An identity by its id; what it states is shown by `GET` only."""

    identity_id: UUID
    account: str
    type: EndUserType
    revision: int = Field(description="Counts its changes, from 1.")
    created_at: datetime


class IdentityShown(IdentityEntered):
    """An identity, whole."""

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


class AddressEntered(BaseModel):
    """An address by its id; what it states is shown by `GET` only."""

    address_id: UUID
    identity_id: UUID
    account: str
    revision: int = Field(description="Counts its changes, from 1.")
    created_at: datetime


class AddressShown(AddressEntered):
    """An address, whole."""

    street: str
    city: str
    postal_code: str
    region: str
    country: str


def identity_entered(identity: Identity) -> IdentityEntered:
    """Show an identity's id."""
    return IdentityEntered.model_validate(identity, from_attributes=True)


def identity_shown(identity: Identity) -> IdentityShown:
    """Show an identity."""
    return IdentityShown(**asdict(identity.person), **identity_entered(identity).model_dump())


def address_entered(address: Address) -> AddressEntered:
    """Show an address's id."""
    return AddressEntered.model_validate(address, from_attributes=True)


def address_shown(address: Address) -> AddressShown:
    """Show an address."""
    return AddressShown(**asdict(address.place), **address_entered(address).model_dump())
