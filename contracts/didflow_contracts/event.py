"""What every event's data has in common. A model reads what it knows and ignores the rest."""

from typing import Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from didflow_contracts.accounts import AccountPath
from didflow_contracts.numbers import E164


class Part(BaseModel):
    """A value inside an event's data: immutable, unknown fields ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class EventData(Part):
    """The data of one event type about one DID. `topic` names the topic; the type follows from it."""

    topic: ClassVar[str]

    did_id: UUID = Field(description="The DID: one life of the number, named at purchase.")
    number: E164
    account: AccountPath = Field(description="The account that holds the DID, e.g. `master/acme/shop`.")

    @classmethod
    def type(cls) -> str:
        """Name the CloudEvents type: `didflow.<topic>.v1`."""
        return f"didflow.{cls.topic}.v1"

    @property
    def entity_id(self) -> UUID:
        """What this event is about, in words that know nothing of telephony."""
        return self.did_id

    @property
    def subject(self) -> str:
        """The CloudEvents subject, and the key on Kafka: the number."""
        return self.number

    def wire_bytes(self) -> bytes:
        """Give the data as JSON in the model's own order, without a detour over dictionaries."""
        return self.__pydantic_serializer__.to_json(self)

    def wire(self) -> dict[str, Any]:
        """Give the data as JSON values, nulls included: an axis is always said whole."""
        return self.model_dump(mode="json")
