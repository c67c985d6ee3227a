"""The stock axis: who holds a DID, its features, and how it leaves its holder. Published by inventory."""

from typing import ClassVar

from pydantic import Field

from didflow_contracts.accounts import AccountPath
from didflow_contracts.bounds import ITEMS
from didflow_contracts.event_data import EventData, Part
from didflow_contracts.instants import Instant
from didflow_contracts.vocabulary import (
    AdditionalService,
    AfterHold,
    Circle,
    DidStock,
    Features,
    HeldBy,
    Name,
    NextAction,
    Origin,
    Responsible,
    Status,
    Text,
    WithdrawalReason,
)


class NextStep(Part):
    """The first step that is missing, and who must act. Source: spec lifecycle, next_step."""

    action: NextAction = Field(description="The next thing to do.")
    who: Responsible = Field(description="Who must do it.")
    by: Instant | None = Field(
        default=None, description="When the condition of the DID gets worse; null if nothing is due."
    )
    also: tuple[AdditionalService, ...] = Field(
        default=(), max_length=ITEMS.most, description="Additional services with an open request."
    )


class DidChanged(EventData):
    """The whole holding after a change. The event with the highest `sequence` is the current one."""

    topic: ClassVar[str] = "did.changed"

    stock: DidStock = Field(description="The DID's stock state.")
    until: Instant | None = Field(description="End of a hold; null while not on hold.")
    after_hold: AfterHold | None = Field(description="What comes after the hold; null while not on hold.")
    held_by: HeldBy | None = Field(
        default=None, description="What put the DID on hold; null while not on hold."
    )
    payer: AccountPath = Field(description="The account that purchased the DID and is charged for it.")
    user: Name | None = Field(description="The user that the DID is assigned to, or null.")
    features: Features = Field(description="The features of the number.")
    carrier: Name | None = Field(description="Carrier of the number; null if there is none.")
    sms_carrier: Name | None = Field(description="Carrier of its messages if it is another one; else null.")
    origin: Origin = Field(description="Where the number came from. Numbers from stock return to stock.")
    tags: tuple[Name, ...] = Field(default=(), max_length=ITEMS.most, description="The holder's tags.")
    description: Text | None = Field(default=None, description="The holder's note on the number.")


class DidWithdrawn(EventData):
    """Inventory takes a DID out of use. Billing then closes the term and publishes `did.removed`."""

    topic: ClassVar[str] = "did.withdrawn"

    reason: WithdrawalReason = Field(description="Why the DID was withdrawn.")


class DidStatusChanged(EventData):
    """The status of a DID changed. The status is derived from the axes; do not base decisions on it."""

    topic: ClassVar[str] = "did.status_changed"

    status: Status = Field(description="The status now.")
    previous: Status | None = Field(default=None, description="The status before; null for the first.")
    circle: Circle = Field(description="The color of the status.")
    next_step: NextStep = Field(description="What is missing, and who must act.")
