"""What callers send of identities and addresses."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from didflow_chassis.decision import Caller
from didflow_contracts.accounts import AccountPath
from didflow_contracts.numbers import CountryCode
from didflow_contracts.vocabulary import EndUserType
from didflow_verification.api.listing import Strict, Text
from didflow_verification.domain.details.commands import CreateAddress, CreateIdentity
from didflow_verification.domain.details.identity import Person, Place


class Stated(Strict):
    """What can be stated about a company or a person."""

    type: EndUserType | None = None
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


class PersonFields(Stated):
    """What is stated about a company or a person; a requirement says which of it is needed."""

    type: EndUserType

    def person(self) -> Person:
        """Return the fields as the domain knows them."""
        return Person(**self.model_dump(include=set(PersonFields.model_fields) - {"type"}))


class IdentityBody(PersonFields):
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

    account: AccountPath | None = Field(default=None, description="Whose it is; the caller's own if absent.")

    def command(self, identity_id: UUID, caller: Caller) -> CreateIdentity:
        """Make the command."""
        return CreateIdentity(
            entity_id=identity_id,
            subject="",
            caller=caller,
            account=self.account or caller.account,
            type=self.type,
            person=self.person(),
        )


class PlaceFields(Strict):
    """An address."""

    street: Annotated[str, Field(min_length=1, max_length=500, description="Street lines.")]
    city: Text
    postal_code: Annotated[str, Field(max_length=20)] = ""
    region: Annotated[str, Field(max_length=200)] = ""
    country: CountryCode

    def place(self) -> Place:
        """Return the fields as the domain knows them."""
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
        """Make the command."""
        return CreateAddress(
            entity_id=address_id,
            subject="",
            caller=caller,
            identity_id=self.identity_id,
            place=self.place(),
        )


class _Patch(Strict):
    """What is to change; what is left out stays as it is."""

    def given(self) -> Mapping[str, Any]:
        """Return what the body named, null where it clears."""
        return self.model_dump(include=self.model_fields_set)


class IdentityPatch(_Patch, Stated):
    """Fields of an identity; null clears one."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"company_name": "Example Bakery Ltd", "vat_number": None}]}
    )

    type: EndUserType | None = Field(default=None, description="Cannot be cleared.")


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
