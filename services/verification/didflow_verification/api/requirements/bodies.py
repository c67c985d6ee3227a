"""What callers ask about requirements."""

from datetime import date
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator

from didflow_contracts.numbers import CountryCode
from didflow_contracts.vocabulary import EndUserType, NumberType
from didflow_verification.api.details.bodies import PersonFields, PlaceFields
from didflow_verification.api.listing import Ids, Strict, Text


class RequirementsQuery(Strict):
    """Which requirements to show: all, or those that a country's numbers of a type are judged by."""

    country: CountryCode | None = None
    number_type: NumberType | None = None
    end_user_type: EndUserType | None = None
    on: date | None = Field(default=None, description="The day on which they are in force; today if absent.")


class EvaluateBody(Strict):
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
    document_ids: Ids = Field(default=[])

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
