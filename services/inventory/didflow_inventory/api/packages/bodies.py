"""The bodies of requests about packages."""

from typing import Annotated, Any, Self

from pydantic import Field, Strict, model_validator

from didflow_contracts.accounts import AccountPath
from didflow_contracts.bounds import BATCH
from didflow_contracts.names import DidName
from didflow_contracts.numbers import CountryCode
from didflow_contracts.vocabulary import Name, NumberType
from didflow_inventory.api.bodies import Body
from didflow_inventory.domain.packages.package import Selection

HOLD_DAYS = 30
"""How long the numbers of an inactive package are on hold if it does not say it. Source: spec lifecycle."""

PickCount = Annotated[int, Strict(), Field(ge=BATCH.least, le=BATCH.most)]
NumberCount = Annotated[int, Strict(), Field(ge=1, le=1_000_000)]
Days = Annotated[int, Strict(), Field(ge=1, le=3_650)]


class SelectionBody(Body):
    """Which numbers can be picked: those that have each value that is given."""

    country: CountryCode | None = None
    number_type: NumberType | None = None
    tag: Name | None = None
    operator: Name | None = None

    def selection(self) -> Selection:
        """Return the selection."""
        return Selection(**self.model_dump())


class PackageBody(Body):
    """A new package."""

    account: AccountPath | None = Field(default=None, description="Your own account if absent.")
    name: Name = Field(description="Name of the package, for people.")
    count: NumberCount = Field(description="How many numbers each client can have.")
    selection: SelectionBody = Field(default_factory=SelectionBody)
    hold_days: Days = Field(
        default=HOLD_DAYS, description="How long its numbers are on hold after it was deactivated."
    )

    def fields(self) -> dict[str, Any]:
        """Return all fields but the account."""
        return self.model_dump(exclude={"account", "selection"}) | {"selection": self.selection.selection()}


class PackageChangeBody(Body):
    """The fields of a package to change. Fields that are left out stay as they are."""

    name: Name = Field(default="", description="Name of the package, for people.")
    count: NumberCount = Field(default=1, description="Numbers that were picked before stay.")
    selection: SelectionBody = Field(default_factory=SelectionBody, description="For later picks.")
    hold_days: Days = Field(default=HOLD_DAYS, description="For later holds.")

    def changes(self) -> dict[str, Any]:
        """Return the fields that were given."""
        given = {name: getattr(self, name) for name in self.model_fields_set - {"selection"}}
        return given | (
            {"selection": self.selection.selection()} if "selection" in self.model_fields_set else {}
        )


class ClientBody(Body):
    """A client of a package."""

    account: AccountPath


class PickBody(Body):
    """The numbers to pick, or how many."""

    account: AccountPath | None = Field(default=None, description="The client; your own account if absent.")
    numbers: Annotated[list[DidName], Field(json_schema_extra={"maxItems": BATCH.most})] | None = Field(
        default=None, description="1 to 1,000 numbers of the package."
    )
    count: PickCount | None = Field(default=None, description="Any so many numbers of the package.")

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.numbers is None) == (self.count is None):
            raise ValueError("Give either numbers or count.")
        return self
