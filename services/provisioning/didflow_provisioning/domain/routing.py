"""The routing of one DID: the views of other services, what is set, and what the carrier has applied.

Provisioning numbers its events by this state.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from msgspec import Struct, field
from msgspec.structs import replace

from didflow_contracts.events.carrier import SmsDelivery, VoiceDelivery
from didflow_contracts.sequences import Sequences
from didflow_contracts.vocabulary import (
    CarrierAction,
    CarrierState,
    Channels,
    DidStock,
    Feature,
    HeldBy,
    Origin,
    Registration,
    TermState,
)
from didflow_provisioning.domain.capacity.group import Membership
from didflow_provisioning.domain.command_content import CommandContent
from didflow_provisioning.domain.profiles.profile import AppliedProfile


class VoiceSetting(Struct, frozen=True, kw_only=True):
    """The voice target that is set, and the account that owns it.

    `endpoints_account` is the account that owns its endpoints: of a group, the highest one among those of its trunks.
    None: the owner of the target.
    """

    account: str
    delivery: VoiceDelivery
    endpoints_account: str | None = None


class SmsSetting(Struct, frozen=True, kw_only=True):
    """The SMS target that is set, and the account that owns it."""

    account: str
    delivery: SmsDelivery


class Applied(Struct, frozen=True, kw_only=True):
    """The settings that the carrier has confirmed."""

    voice: VoiceDelivery | None = None
    capacity: Channels | None = None
    sms: SmsDelivery | None = None


class OpenCommand(Struct, frozen=True, kw_only=True):
    """The DID's open carrier command. `code` is the code of its last failed attempt."""

    command_id: UUID
    action: CarrierAction
    content: CommandContent
    code: str | None = None


class Failure(Struct, frozen=True, kw_only=True):
    """A carrier command that failed for good and whose action is still wanted.

    `retry_id`: it was retried by hand, and this is the id of the new command, which is still to be sent.
    """

    command_id: UUID
    action: CarrierAction
    code: str
    retry_id: UUID | None = None


class Routing(Struct, frozen=True, kw_only=True):
    """The routing axis of one DID and everything that determines it.

    `confirmed`: inventory has assigned the number to the DID.
    `held_by`: what put the DID on hold, as inventory says it.
    `end_reason`: why the DID was removed or refused. None while the DID is live.
    `failure_reason`: why the last failed activation failed.
    `served_by`: the carrier that the last activation was sent to.
    `capacity_group`: the group that the DID is a member of. `capacity` is then what it has reserved there.
    `profile`: the configuration profile that was last applied.
    `sequences`: the last applied sequence of each view.
    `due_at`: the end of the registration's grace period. While it is set, a lapsed registration still counts.
    """

    did_id: UUID
    number: str
    account: str
    features: tuple[Feature, ...] = ()
    carrier: str | None = None
    sms_carrier: str | None = None
    origin: Origin | None = None
    stock: DidStock | None = None
    held_by: HeldBy | None = None
    confirmed: bool = False
    registration: Registration | None = None
    term: TermState | None = None
    end_reason: str | None = None
    carrier_state: CarrierState = "inactive"
    failure_reason: str | None = None
    served_by: str | None = None
    voice: VoiceSetting | None = None
    capacity: Channels | None = None
    capacity_group: Membership | None = None
    sms: SmsSetting | None = None
    profile: AppliedProfile | None = None
    applied: Applied = Applied()
    open_command: OpenCommand | None = None
    failures: tuple[Failure, ...] = ()
    sequences: Sequences = field(default_factory=dict)
    due_at: datetime | None = None

    @property
    def retry_ids(self) -> Mapping[CarrierAction, UUID]:
        """The ids of the commands that were promised to who retried an action, and are still to be sent."""
        return {f.action: f.retry_id for f in self.failures if f.retry_id is not None}

    def cleared(self) -> "Routing":
        """Return the routing without voice target, capacity, SMS target and profile."""
        return replace(self, voice=None, capacity=None, capacity_group=None, sms=None, profile=None)

    @property
    def voice_delivery(self) -> VoiceDelivery | None:
        """Where calls are to be delivered, or None."""
        return self.voice.delivery if self.voice else None

    @property
    def sms_delivery(self) -> SmsDelivery | None:
        """Where messages are to be delivered, or None."""
        return self.sms.delivery if self.sms else None
