"""The bodies of requests about carriers and operators."""

from typing import Annotated, Any
from unicodedata import is_normalized

from pydantic import AfterValidator, Field

from didflow_contracts.accounts import AccountPath
from didflow_contracts.bounds import ITEMS
from didflow_contracts.numbers import CountryCode
from didflow_contracts.vocabulary import Name, Text
from didflow_inventory.api.bodies import Body
from didflow_inventory.domain.accounts.carriers import CarrierKind


def _unmistakable(name: str) -> str:
    if name != name.strip() or not name.isprintable() or not is_normalized("NFC", name):
        raise ValueError(
            "Write printable characters in their composed form (NFC), without spaces around them."
        )
    return name


ExactName = Annotated[Name, AfterValidator(_unmistakable)]
"""A name by which others find a thing, letter by letter. No two such names look alike by accident."""
Countries = Annotated[list[CountryCode], Field(max_length=ITEMS.most)]


class CarrierBody(Body):
    """A new carrier. It serves the account and the accounts below it."""

    account: AccountPath | None = Field(default=None, description="Your own account if absent.")
    name: ExactName = Field(description="Unique in the installation. Carrier adapters filter commands by it.")
    kind: CarrierKind = Field(default="both", description="Whether it carries calls, messages or both.")


class CarrierChangeBody(Body):
    """The fields of a carrier to change. Its name never changes."""

    kind: CarrierKind = "both"

    def changes(self) -> dict[str, Any]:
        """Return the fields that were given."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class OperatorBody(Body):
    """A new operator, from which numbers come. It serves the account and the accounts below it."""

    account: AccountPath | None = Field(default=None, description="Your own account if absent.")
    name: ExactName = Field(description="Unique in the account.")
    countries: Countries = Field(default=[], description="The countries of its numbers.")
    notes: Text | None = Field(default=None, description="Notes for people.")


class OperatorChangeBody(Body):
    """The fields of an operator to change. Its name never changes."""

    countries: Countries = Field(default=[])
    notes: Text | None = None

    def changes(self) -> dict[str, Any]:
        """Return the fields that were given."""
        given = {name: getattr(self, name) for name in self.model_fields_set}
        return given | ({"countries": tuple(given["countries"])} if "countries" in given else {})
