"""Requests about requirements."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from didflow_contracts.instants import Day
from didflow_contracts.names import DidNames
from didflow_contracts.numbers import CountryCode
from didflow_contracts.validation_errors import wrong_field
from didflow_contracts.vocabulary import EndUserType, NumberType
from didflow_verification.api.bodies import Ids, StrictModel, Text
from didflow_verification.api.details.bodies import IdentityFields, PlaceFields


class RequirementsQuery(BaseModel):
    """Filters of the requirements. With a country and a number type, the rows that apply to such numbers."""

    country: CountryCode | None = None
    number_type: NumberType | None = None
    end_user_type: EndUserType | None = None
    on: Day | None = Field(default=None, description="The day on which they are in force. Default: today.")


class EvaluateBody(StrictModel):
    """Details to evaluate, saved or not, for DIDs or for a kind of number."""

    dids: Annotated[DidNames, Field(description="1 to 1,000 DID ids or numbers.")] | None = None
    country: CountryCode | None = None
    number_type: NumberType | None = None
    end_user_type: EndUserType | None = None
    area: Text | None = Field(default=None, description="The place of the number, such as `Berlin`.")
    identity_id: UUID | None = None
    identity: IdentityFields | None = None
    address_id: UUID | None = None
    address: PlaceFields | None = None
    document_ids: Ids = Field(default=[])

    @model_validator(mode="after")
    def _fields_fit_together(self) -> Self:
        if (self.dids is None) == (self.country is None):
            raise wrong_field("dids", "Give either dids, or country and number_type.")
        if self.country is not None and self.number_type is None:
            raise wrong_field("number_type", "Give a number_type with the country.", code="missing")
        for name in ("identity", "address"):
            if getattr(self, name) is not None and getattr(self, f"{name}_id") is not None:
                raise wrong_field(name, f"Give either {name} or {name}_id.")
        if self.country is not None and not (self.identity or self.identity_id or self.end_user_type):
            raise wrong_field(
                "end_user_type", "Give an end_user_type, an identity or an identity_id.", code="missing"
            )
        return self
