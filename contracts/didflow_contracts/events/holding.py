"""The stock axis: who holds a DID, what it can do, and how it leaves its holder. Inventory says it."""

from typing import ClassVar

from pydantic import Field

from didflow_contracts.accounts import AccountPath
from didflow_contracts.event import EventData, Part
from didflow_contracts.instants import Instant
from didflow_contracts.vocabulary import (
    Actor,
    AfterHold,
    Circle,
    DidStock,
    Features,
    HeldBy,
    Name,
    NextAction,
    Origin,
    Service,
    Status,
    WithdrawalReason,
)


class NextStep(Part):
    """The first thing that is missing, and who has to act. Source: spec lifecycle, next_step."""

    action: NextAction = Field(description="What has to be done next.")
    who: Actor = Field(description="Who has to do it.")
    by: Instant | None = Field(
        default=None, description="The instant at which the condition gets worse; null if nothing is due."
    )
    also: tuple[Service, ...] = Field(default=(), description="Services with an open request, besides.")


class DidChanged(EventData):
    """The whole holding after a change; the highest `sequence` wins."""

    topic: ClassVar[str] = "did.changed"

    stock: DidStock = Field(description="The DID's stock state.")
    until: Instant | None = Field(description="End of a hold; null while not on hold.")
    after_hold: AfterHold | None = Field(description="What comes after the hold; null while not on hold.")
    held_by: HeldBy | None = Field(
        default=None,
        description="What put the DID on hold: a package or a person; null if it is not on hold.",
    )
    payer: AccountPath = Field(description="The account that purchased it and is charged.")
    user: Name | None = Field(description="The user it is assigned to, or null.")
    features: Features = Field(description="What the number can do.")
    carrier: Name | None = Field(description="Carrier of the number; null where there is none.")
    sms_carrier: Name | None = Field(description="Carrier of its messages, where another; else null.")
    origin: Origin = Field(description="Where the number came from; stock numbers return there.")
    tags: tuple[str, ...] = Field(default=(), description="The holder's tags.")
    description: str | None = Field(default=None, description="The holder's note on the number.")


class DidWithdrawn(EventData):
    """Inventory takes a DID out of use outside billing; billing answers with `did.removed`."""

    topic: ClassVar[str] = "did.withdrawn"

    reason: WithdrawalReason = Field(description="Why it was withdrawn.")


class DidStatusChanged(EventData):
    """The label that people see changed. It is derived from the axes and is nobody's truth."""

    topic: ClassVar[str] = "did.status_changed"

    status: Status = Field(description="The status now.")
    previous: Status | None = Field(default=None, description="The status before; null for the first.")
    circle: Circle = Field(description="The color of the status.")
    next_step: NextStep = Field(description="What is missing, and who acts.")
