"""Requests about identities and addresses."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from didflow_chassis.decision import Caller
from didflow_chassis.http import Personal
from didflow_contracts.accounts import AccountPath
from didflow_contracts.bounds import NAME, POSTAL_CODE, STREET
from didflow_contracts.instants import BirthDate
from didflow_contracts.numbers import CountryCode
from didflow_contracts.validation_errors import wrong_field
from didflow_contracts.vocabulary import EndUserType
from didflow_verification.api.bodies import StrictModel, Text
from didflow_verification.domain.commands import CreateAddress, CreateIdentity
from didflow_verification.domain.details.identity import Person, Place

Street = Annotated[str, Field(min_length=STREET.least, max_length=STREET.most)]
PostalCode = Annotated[str, Field(max_length=POSTAL_CODE.most)]
Region = Annotated[str, Field(max_length=NAME.most)]


class PersonFields(StrictModel):
    """The data of a company or a person."""

    company_name: Annotated[Text | None, Personal] = None
    company_registration_number: Annotated[Text | None, Personal] = None
    vat_number: Annotated[Text | None, Personal] = None
    tax_id: Annotated[Text | None, Personal] = None
    first_name: Annotated[Text | None, Personal] = None
    last_name: Annotated[Text | None, Personal] = None
    birth_date: Annotated[BirthDate | None, Personal] = None
    national_id: Annotated[Text | None, Personal] = None
    passport_number: Annotated[Text | None, Personal] = None
    contact_email: Annotated[Text | None, Personal] = None
    contact_phone: Annotated[Text | None, Personal] = None


class IdentityFields(PersonFields):
    """An end user. `GET /v1/requirements` says which fields are needed."""

    type: EndUserType

    def person(self) -> Person:
        """Return the fields as a value of the domain."""
        return Person(**self.model_dump(include=set(PersonFields.model_fields)))


class IdentityBody(IdentityFields):
    """A new identity."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"type": "business", "company_name": "Example Bakery Ltd", "vat_number": "2813105O"},
                {
                    "type": "individual",
                    "first_name": "Ann",
                    "last_name": "Example",
                    "birth_date": "1980-01-31",
                },
            ]
        }
    )

    account: AccountPath | None = Field(
        default=None, description="The account of the identity. Without it, the caller's account."
    )

    def command(self, identity_id: UUID, caller: Caller) -> CreateIdentity:
        """Return the command."""
        return CreateIdentity(
            entity_id=identity_id,
            subject="",
            caller=caller,
            account=self.account or caller.account,
            type=self.type,
            person=self.person(),
        )


class PlaceFields(StrictModel):
    """An address."""

    street: Annotated[Street, Personal] = Field(description="Street lines.")
    city: Annotated[Text, Personal]
    postal_code: Annotated[PostalCode, Personal] = ""
    region: Annotated[Region, Personal] = ""
    country: CountryCode

    def place(self) -> Place:
        """Return the fields as a value of the domain."""
        return Place(**self.model_dump(include=set(PlaceFields.model_fields)))


class AddressBody(PlaceFields):
    """A new address of an identity."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "identity_id": "01932f6e-5c4b-7a10-8c3e-2f6d1b7a9e10",
                    "street": "1 Quay Street",
                    "city": "Dublin 2",
                    "postal_code": "D02 X000",
                    "country": "IE",
                }
            ]
        }
    )

    identity_id: UUID

    def command(self, address_id: UUID, caller: Caller) -> CreateAddress:
        """Return the command."""
        return CreateAddress(
            entity_id=address_id,
            subject="",
            caller=caller,
            identity_id=self.identity_id,
            place=self.place(),
        )


class _Patch(StrictModel):
    """Fields to change. Fields that are left out do not change."""

    def given(self) -> Mapping[str, Any]:
        """Return the fields in the body, with None for null."""
        return self.model_dump(include=self.model_fields_set)


class IdentityPatch(_Patch, PersonFields):
    """Fields of an identity to change. Null clears a field."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"company_name": "Example Bakery Ltd", "vat_number": None}]}
    )

    type: EndUserType | None = Field(default=None, description="Null does not clear it.")


class AddressPatch(_Patch):
    """Fields of an address to change. An empty text clears `postal_code` or `region`."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"street": "2 Quay Street"}]})

    street: Annotated[Street, Personal] = ""
    city: Annotated[Text, Personal] = ""
    postal_code: Annotated[PostalCode, Personal] = ""
    region: Annotated[Region, Personal] = ""
    country: CountryCode = ""

    @model_validator(mode="before")
    @classmethod
    def _no_nulls(cls, given: Any) -> Any:
        nulls = [name for name, value in given.items() if value is None] if isinstance(given, dict) else []
        if nulls:
            raise wrong_field(
                str(nulls[0]), "A field of an address cannot be null. Leave it out to keep its value."
            )
        return given
