"""The routing of one DID: what is known of it from all sides, what is set, and what the carrier has of it.

It is the state that provisioning's events are numbered by. Axes of other services are kept as last heard.
"""

from datetime import datetime
from uuid import UUID

from msgspec import Struct, field

from didflow_contracts.events.carrier import SmsDelivery, VoiceDelivery
from didflow_contracts.vocabulary import (
    CarrierAction,
    CarrierState,
    Channels,
    DidStock,
    Feature,
    Origin,
    Registration,
    TermState,
)
from didflow_provisioning.domain.asked import Asked


class Voice(Struct, frozen=True, kw_only=True):
    """A voice target as it was chosen, and the account that it belongs to."""

    account: str
    delivery: VoiceDelivery


class Sms(Struct, frozen=True, kw_only=True):
    """An SMS target as it was chosen, and the account that it belongs to."""

    account: str
    delivery: SmsDelivery


class Applied(Struct, frozen=True, kw_only=True):
    """What the carrier last said that it has carried out."""

    voice: VoiceDelivery | None = None
    capacity: Channels | None = None
    sms: SmsDelivery | None = None


class Order(Struct, frozen=True, kw_only=True):
    """The DID's command that is open at the carrier; `code` is of its last failed attempt."""

    command_id: UUID
    action: CarrierAction
    asked: Asked
    code: str | None = None


class Failure(Struct, frozen=True, kw_only=True):
    """A command that failed for good, and whose wish still stands."""

    command_id: UUID
    action: CarrierAction
    code: str


class Routing(Struct, frozen=True, kw_only=True):
    """One DID's routing axis and what leads it.

    `ended` says why the DID is no more (removed or refused), `confirmed` that inventory has given it the
    number, `seen` the last applied `sequence` of each axis heard. `due_at` is the end of a registration's
    running grace: while it is set, a lapsed registration still counts. `served_by` is the carrier that the
    number was last ordered to be activated at, `failed_because` why its last failed activation failed.
    """

    did_id: UUID
    number: str
    account: str
    features: tuple[Feature, ...] = ()
    carrier: str | None = None
    sms_carrier: str | None = None
    origin: Origin | None = None
    stock: DidStock | None = None
    confirmed: bool = False
    registration: Registration | None = None
    term: TermState | None = None
    ended: str | None = None
    carrier_state: CarrierState = "inactive"
    failed_because: str | None = None
    served_by: str | None = None
    voice: Voice | None = None
    capacity: Channels | None = None
    sms: Sms | None = None
    applied: Applied = Applied()
    out: Order | None = None
    failures: tuple[Failure, ...] = ()
    seen: dict[str, int] = field(default_factory=dict)
    due_at: datetime | None = None

    @property
    def voice_delivery(self) -> VoiceDelivery | None:
        """Where calls are to be delivered, or None."""
        return self.voice.delivery if self.voice else None

    @property
    def sms_delivery(self) -> SmsDelivery | None:
        """Where messages are to be delivered, or None."""
        return self.sms.delivery if self.sms else None
