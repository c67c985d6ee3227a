"""A service refused an event. Inventory keeps the refusal in the history of the DID."""

from typing import ClassVar

from pydantic import Field

from didflow_contracts.event_data import Attribute, EventData
from didflow_contracts.vocabulary import Name


class MessageRefused(EventData):
    """A service refused an event about a DID that it knows. `account` is the holder of the DID."""

    topic: ClassVar[str] = "message.refused"

    refused_type: Name = Field(description="CloudEvents type of the refused event.")
    refused_source: Attribute = Field(description="`source` of the refused event.")
    refused_id: Attribute = Field(description="`id` of the refused event.")
    code: Name = Field(description="Stable code of the refusal, e.g. `not_yours`.")
    field: Name | None = Field(default=None, description="The data field that the refusal is about, or null.")
