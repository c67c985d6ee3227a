"""The fields that the data of every event has. Unknown fields are ignored."""

from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from didflow_contracts.accounts import AccountPath
from didflow_contracts.bounds import ATTRIBUTE
from didflow_contracts.numbers import E164

Attribute = Annotated[str, Field(min_length=ATTRIBUTE.least, max_length=ATTRIBUTE.most)]
"""An attribute of CloudEvents, such as the id of another event."""


class Part(BaseModel):
    """A value inside the data of an event. It is immutable and ignores unknown fields."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class EventData(Part):
    """The data of one event type. An event is about one DID. `topic` is its topic; its type follows from it."""

    topic: ClassVar[str]

    did_id: UUID = Field(description="The DID: one life of the number. The purchase names it.")
    number: E164
    account: AccountPath = Field(description="The account that holds the DID: `master/acme/shop`.")

    @classmethod
    def type(cls) -> str:
        """Return the CloudEvents type: `didflow.<topic>.v1`."""
        return f"didflow.{cls.topic}.v1"

    @property
    def entity_id(self) -> UUID:
        """The entity that this event is about. The chassis uses this name because it knows no DIDs."""
        return self.did_id

    @property
    def subject(self) -> str:
        """The CloudEvents subject and the Kafka key: the number."""
        return self.number

    def wire_bytes(self) -> bytes:
        """Return the data as JSON, with the fields in the order of the model."""
        return self.__pydantic_serializer__.to_json(self)

    def wire(self) -> dict[str, Any]:
        """Return the data as JSON values. Nulls are included, because an event carries a whole axis."""
        return self.model_dump(mode="json")
