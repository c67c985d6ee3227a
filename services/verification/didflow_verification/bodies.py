"""What callers send: bodies and query strings, strict about what they do not know."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Literal, Self
from uuid import UUID

import sqlalchemy as sa
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from didflow_chassis.decision import Caller
from didflow_chassis.http import parse_name
from didflow_contracts.accounts import AccountPath
from didflow_contracts.events.registration import Reason
from didflow_contracts.numbers import CountryCode
from didflow_contracts.vocabulary import EndUserType, NumberType
from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.details.commands import CreateAddress, CreateIdentity
from didflow_verification.domain.details.identity import Person, Place
from didflow_verification.domain.evaluation.findings import BY_PEOPLE, MESSAGES, REJECTION_CODES
from didflow_verification.domain.verifications.commands import Resubmit
from didflow_verification.store import verifications

MAX_IDS = 1_000
Text = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]
Ids = Annotated[list[UUID], Field(max_length=50)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PersonFields(_Strict):
    """What is stated about a company or a person; a requirement says which of it is needed."""

    type: EndUserType
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


class PlaceFields(_Strict):
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


def _reviewers_code(code: str) -> str:
    if code not in REJECTION_CODES:
        raise ValueError(f"not one of {', '.join(sorted(REJECTION_CODES))}")
    return code


class ReasonBody(_Strict):
    """One reason of a rejection; `other` needs a text."""

    code: Annotated[str, AfterValidator(_reviewers_code)]
    field: Annotated[str, Field(max_length=200)] | None = None
    message: Annotated[str, Field(max_length=1000)] = ""

    @model_validator(mode="after")
    def _other_is_explained(self) -> Self:
        if self.code == "other" and not self.message.strip():
            raise ValueError("the reason `other` needs a message")
        return self

    def reason(self) -> Reason:
        """Return the reason with the code's own words where none were given."""
        words = {**MESSAGES, **BY_PEOPLE}[self.code]
        return Reason(code=self.code, field=self.field, message=self.message or words)


class RejectBody(_Strict):
    """Why an attempt is rejected."""

    reasons: Annotated[list[ReasonBody], Field(min_length=1, max_length=50)]


class RevokeBody(_Strict):
    """Why an approval is taken back; `suspected_fraud` where nothing else is said."""

    reasons: Annotated[list[ReasonBody], Field(max_length=50)] = []

    def told(self) -> tuple[Reason, ...]:
        """Return the reasons with their words."""
        reasons = self.reasons or [ReasonBody(code="suspected_fraud")]
        return tuple(reason.reason() for reason in reasons)


class ResubmitBody(_Strict):
    """Details for the next attempt; what is left out stays as it was."""

    identity_id: UUID | None = None
    address_id: UUID | None = None
    document_ids: Ids | None = None

    def command(self, attempt: Verification, caller: Caller) -> Resubmit:
        """Make the command for the attempt that was rejected."""
        kept = "address_id" not in self.model_fields_set
        documents = attempt.document_ids if self.document_ids is None else tuple(self.document_ids)
        return Resubmit(
            entity_id=attempt.did_id,
            subject=attempt.number,
            caller=caller,
            verification_id=attempt.verification_id,
            identity_id=self.identity_id or attempt.identity_id,
            address_id=attempt.address_id if kept else self.address_id,
            document_ids=documents,
        )


class EvaluateBody(_Strict):
    """What to evaluate: details, saved or not yet, for DIDs or for a kind of number."""

    dids: Annotated[list[str], Field(description="1 to 1,000 ids or numbers.")] | None = None
    country: CountryCode | None = None
    number_type: NumberType | None = None
    end_user_type: EndUserType | None = None
    area: Text | None = Field(default=None, description="Place of the number, e.g. `Berlin`.")
    identity_id: UUID | None = None
    identity: PersonFields | None = None
    address_id: UUID | None = None
    address: PlaceFields | None = None
    document_ids: Ids = []

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if (self.dids is None) == (self.country is None):
            raise ValueError("give either dids or country and number_type")
        if self.country is not None and self.number_type is None:
            raise ValueError("number_type is needed with country")
        for name in ("identity", "address"):
            if getattr(self, name) is not None and getattr(self, f"{name}_id") is not None:
                raise ValueError(f"give either {name} or {name}_id")
        if self.country is not None and not (self.identity or self.identity_id or self.end_user_type):
            raise ValueError("end_user_type is needed without an identity")
        return self


def _ids(text: str) -> list[UUID]:
    ids = [UUID(part) for part in text.split(",") if part]
    if len(ids) > MAX_IDS:
        raise ValueError(f"at most {MAX_IDS} ids")
    return ids


class _Listing(_Strict):
    """What every list takes; the chassis reads it."""

    limit: str | None = None
    cursor: str | None = None
    sort: str | None = None


class EntriesQuery(_Listing):
    """Which identities or addresses to list."""

    ids: Annotated[str | None, Field(description="Up to 1,000 ids, separated by commas.")] = None
    identity_id: UUID | None = None
    account: AccountPath | None = None

    def named(self) -> list[UUID] | None:
        """Return the ids asked for, or None. Raises ValueError."""
        return None if self.ids is None else _ids(self.ids)

    @model_validator(mode="after")
    def _ids_are_ids(self) -> Self:
        self.named()
        return self

    def conditions(self, table: sa.Table, key: str) -> Iterator[sa.ColumnElement[bool]]:
        """Yield what the rows of a table must satisfy."""
        named = self.named()
        if named is not None:
            yield table.c[key].in_(named)
        if self.identity_id is not None:
            yield table.c.identity_id == self.identity_id
        if self.account is not None:
            yield table.c.account == self.account


class VerificationsQuery(_Listing):
    """Which verifications to list; the reviewers' queue where nothing is asked for."""

    status: Literal["pending", "approved", "rejected", "superseded", "withdrawn", "revoked", "all"] | None = (
        None
    )
    did_id: UUID | None = None
    number: Annotated[str, Field(pattern=r"^[+ ]?[0-9]{7,15}$")] | None = None
    identity_id: UUID | None = None
    reference: str | None = None

    def conditions(self) -> Iterator[sa.ColumnElement[bool]]:
        """Yield what the verifications must satisfy."""
        asked = {
            name: getattr(self, name)
            for name in ("did_id", "number", "identity_id", "reference")
            if getattr(self, name) is not None
        }
        for name, value in asked.items():
            yield verifications.c[name] == (parse_name(value) if name == "number" else value)
        status = self.status or ("all" if asked else "pending")
        if status != "all":
            yield verifications.c.status == status


class RequirementsQuery(_Strict):
    """Which requirements to show: all, or those that a country's numbers of a type are judged by."""

    country: CountryCode | None = None
    number_type: NumberType | None = None
    end_user_type: EndUserType | None = None
    on: date | None = Field(default=None, description="The day on which they are in force; today if absent.")
