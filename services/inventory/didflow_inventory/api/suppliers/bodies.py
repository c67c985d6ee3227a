"""The bodies of requests about carriers and operators."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from didflow_contracts.accounts import AccountPath
from didflow_contracts.bounds import ITEMS, TEXT
from didflow_contracts.numbers import CountryCode
from didflow_inventory.api.bodies import ShortText
from didflow_inventory.domain.accounts.carriers import CarrierKind

Notes = Annotated[str, StringConstraints(max_length=TEXT.most, pattern=r"^[^\x00]*$")]
Countries = Annotated[list[CountryCode], Field(max_length=ITEMS.most)]


class CarrierBody(BaseModel):
    """A new carrier. It serves the account and the accounts below it."""

    model_config = ConfigDict(extra="forbid")

    account: AccountPath | None = Field(default=None, description="Your own account if absent.")
    name: ShortText = Field(description="Unique in the installation. Carrier adapters filter commands by it.")
    kind: CarrierKind = Field(default="both", description="Whether it carries calls, messages or both.")


class CarrierChangeBody(BaseModel):
    """The fields of a carrier to change. Its name never changes."""

    model_config = ConfigDict(extra="forbid")

    kind: CarrierKind = "both"

    def changes(self) -> dict[str, Any]:
        """Return the fields that were given."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class OperatorBody(BaseModel):
    """A new operator, from which numbers come. It serves the account and the accounts below it."""

    model_config = ConfigDict(extra="forbid")

    account: AccountPath | None = Field(default=None, description="Your own account if absent.")
    name: ShortText = Field(description="Unique in the account.")
    countries: Countries = Field(default=[], description="The countries of its numbers.")
    notes: Notes | None = Field(default=None, description="Notes for people.")


class OperatorChangeBody(BaseModel):
    """The fields of an operator to change. Its name never changes."""

    model_config = ConfigDict(extra="forbid")

    countries: Countries = []
    notes: Notes | None = None

    def changes(self) -> dict[str, Any]:
        """Return the fields that were given."""
        given = {name: getattr(self, name) for name in self.model_fields_set}
        return given | ({"countries": tuple(given["countries"])} if "countries" in given else {})
