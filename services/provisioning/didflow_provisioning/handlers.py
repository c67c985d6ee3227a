"""Which message leads to which decision: everything that provisioning handles."""

from collections.abc import Mapping
from functools import partial

from didflow_chassis.decision import Command, ReplaceCiphertext
from didflow_chassis.service import Handler
from didflow_contracts.event_data import EventData
from didflow_contracts.events import (
    CycleExpired,
    DidChanged,
    DidPortingStarted,
    DidPurchased,
    DidRemoved,
    PurchaseRefused,
    ResultReported,
    TermChanged,
    VerificationApproved,
    VerificationExpired,
    VerificationExpiring,
    VerificationNotRequired,
    VerificationPending,
    VerificationRejected,
    VerificationRequired,
)
from didflow_provisioning import needs
from didflow_provisioning.domain.capacity import lifecycle
from didflow_provisioning.domain.capacity.commands import (
    ChangeCapacityGroup,
    CreateCapacityGroup,
    DeleteCapacityGroup,
)
from didflow_provisioning.domain.capacity.group import CapacityGroup
from didflow_provisioning.domain.commands import (
    ClearRouting,
    RetryCarrierCommand,
    SetCapacity,
    SetSms,
    SetVoice,
)
from didflow_provisioning.domain.number_queue import NumberQueue
from didflow_provisioning.domain.profiles.application import apply_profile
from didflow_provisioning.domain.profiles.commands import (
    ApplyProfile,
    ChangeProfile,
    CreateProfile,
    DeleteProfile,
)
from didflow_provisioning.domain.profiles.lifecycle import change_profile, create_profile, delete_profile
from didflow_provisioning.domain.profiles.profile import Profile
from didflow_provisioning.domain.purchase import on_purchased
from didflow_provisioning.domain.removal import on_purchase_refused, on_removed
from didflow_provisioning.domain.results import on_result
from didflow_provisioning.domain.routing import Routing
from didflow_provisioning.domain.routing_changes import (
    clear_routing,
    retry_carrier_command,
    set_capacity,
    set_sms,
    set_voice,
)
from didflow_provisioning.domain.targets.commands import (
    ChangeSmsTrunk,
    ChangeVoiceTrunk,
    ChangeVoiceTrunkGroup,
    CreateSmsTrunk,
    CreateVoiceTrunk,
    CreateVoiceTrunkGroup,
    DeleteSmsTrunk,
    DeleteVoiceTrunk,
    DeleteVoiceTrunkGroup,
    MoveSms,
    MoveVoice,
    ReplaceSmsTrunk,
    ReplaceVoiceTrunk,
    ReplaceVoiceTrunkGroup,
)
from didflow_provisioning.domain.targets.moves import (
    move_sms,
    move_voice,
    replace_sms_trunk,
    replace_voice_trunk,
    replace_voice_trunk_group,
)
from didflow_provisioning.domain.targets.sms_trunks import (
    SmsTrunk,
    change_sms_trunk,
    create_sms_trunk,
    delete_sms_trunk,
    replace_ciphertext,
)
from didflow_provisioning.domain.targets.voice_trunk_groups import (
    VoiceTrunkGroup,
    change_voice_trunk_group,
    create_voice_trunk_group,
    delete_voice_trunk_group,
)
from didflow_provisioning.domain.targets.voice_trunks import (
    VoiceTrunk,
    change_voice_trunk,
    create_voice_trunk,
    delete_voice_trunk,
)
from didflow_provisioning.domain.timers import on_queue_due, on_routing_due
from didflow_provisioning.domain.views import on_did_changed, on_registration_changed, on_term_changed
from didflow_provisioning.settings import ProvisioningSettings


def events(settings: ProvisioningSettings) -> Mapping[type[EventData], Handler]:
    """Return the handler of each event that provisioning receives."""
    timings = settings.timings()
    on_changed = Handler(
        decide=partial(on_did_changed, timings=timings),
        needs=needs.queue_and_automatic_profiles,
        state_needs=needs.states_of_holding,
        state_needs_are_rare=True,
    )
    on_registration = Handler(decide=partial(on_registration_changed, timings=timings), needs=needs.queue)
    on_term = Handler(decide=partial(on_term_changed, timings=timings), needs=needs.queue)
    return {
        DidPurchased: Handler(decide=on_purchased),
        DidPortingStarted: Handler(decide=on_purchased),
        PurchaseRefused: Handler(
            decide=partial(on_purchase_refused, timings=timings),
            needs=needs.queue,
            state_needs=needs.states_of_end,
        ),
        DidChanged: on_changed,
        VerificationRequired: on_registration,
        VerificationNotRequired: on_registration,
        VerificationPending: on_registration,
        VerificationApproved: on_registration,
        VerificationRejected: on_registration,
        VerificationExpiring: on_registration,
        VerificationExpired: on_registration,
        TermChanged: on_term,
        CycleExpired: on_term,
        DidRemoved: Handler(
            decide=partial(on_removed, timings=timings),
            needs=needs.queue,
            state_needs=needs.states_of_end,
        ),
        ResultReported: Handler(
            decide=partial(on_result, timings=timings),
            needs=needs.queue_and_answered_command,
            state_needs=needs.other_dids,
        ),
    }


def commands(settings: ProvisioningSettings) -> Mapping[type[Command], Handler]:
    """Return the handler of each command."""
    timings = settings.timings()
    return {
        SetVoice: Handler(
            decide=partial(set_voice, timings=timings),
            needs=needs.queue_and_voice_target,
            state_needs=needs.trunks_of_group,
            state_needs_are_rare=True,
        ),
        MoveVoice: Handler(
            decide=partial(move_voice, timings=timings),
            needs=needs.queue_and_voice_target,
            state_needs=needs.trunks_of_group,
            state_needs_are_rare=True,
        ),
        SetSms: Handler(decide=partial(set_sms, timings=timings), needs=needs.queue_and_sms_trunk),
        MoveSms: Handler(decide=partial(move_sms, timings=timings), needs=needs.queue_and_sms_trunk),
        SetCapacity: Handler(
            decide=partial(set_capacity, timings=timings),
            needs=needs.queue_and_capacity_group,
            state_needs=needs.capacity_group_of,
            state_needs_are_rare=True,
        ),
        ClearRouting: Handler(
            decide=partial(clear_routing, timings=timings),
            needs=needs.queue,
            state_needs=needs.capacity_group_of,
            state_needs_are_rare=True,
        ),
        CreateCapacityGroup: Handler(decide=lifecycle.create_capacity_group, model=CapacityGroup),
        ChangeCapacityGroup: Handler(decide=lifecycle.change_capacity_group, model=CapacityGroup),
        DeleteCapacityGroup: Handler(
            decide=lifecycle.delete_capacity_group,
            model=CapacityGroup,
            state_needs=needs.use_of_capacity_group,
        ),
        ApplyProfile: Handler(
            decide=partial(apply_profile, timings=timings),
            needs=needs.queue_and_profile,
            state_needs=needs.states_of_profile,
            state_needs_are_rare=True,
        ),
        CreateProfile: Handler(decide=create_profile, model=Profile, needs=needs.named_by_profile),
        ChangeProfile: Handler(
            decide=change_profile,
            model=Profile,
            needs=needs.named_by_profile,
            state_needs=needs.automatic_profile_of,
        ),
        DeleteProfile: Handler(decide=delete_profile, model=Profile, state_needs=needs.use_of_profile),
        RetryCarrierCommand: Handler(
            decide=partial(retry_carrier_command, timings=timings), needs=needs.queue
        ),
        CreateVoiceTrunk: Handler(decide=create_voice_trunk, model=VoiceTrunk),
        ChangeVoiceTrunk: Handler(
            decide=change_voice_trunk, model=VoiceTrunk, state_needs=needs.use_of_trunk
        ),
        DeleteVoiceTrunk: Handler(
            decide=delete_voice_trunk, model=VoiceTrunk, state_needs=needs.use_of_trunk
        ),
        ReplaceVoiceTrunk: Handler(
            decide=replace_voice_trunk, model=VoiceTrunk, needs=needs.other_voice_target
        ),
        CreateSmsTrunk: Handler(decide=create_sms_trunk, model=SmsTrunk),
        ChangeSmsTrunk: Handler(decide=change_sms_trunk, model=SmsTrunk, state_needs=needs.use_of_sms_trunk),
        ReplaceCiphertext: Handler(decide=replace_ciphertext, model=SmsTrunk),
        DeleteSmsTrunk: Handler(decide=delete_sms_trunk, model=SmsTrunk, state_needs=needs.use_of_sms_trunk),
        ReplaceSmsTrunk: Handler(decide=replace_sms_trunk, model=SmsTrunk, needs=needs.other_sms_trunk),
        CreateVoiceTrunkGroup: Handler(
            decide=create_voice_trunk_group, model=VoiceTrunkGroup, needs=needs.trunks
        ),
        ChangeVoiceTrunkGroup: Handler(
            decide=change_voice_trunk_group,
            model=VoiceTrunkGroup,
            needs=needs.trunks,
            state_needs=needs.use_of_group,
        ),
        DeleteVoiceTrunkGroup: Handler(
            decide=delete_voice_trunk_group, model=VoiceTrunkGroup, state_needs=needs.use_of_group
        ),
        ReplaceVoiceTrunkGroup: Handler(
            decide=replace_voice_trunk_group, model=VoiceTrunkGroup, needs=needs.other_voice_target
        ),
    }


def due(settings: ProvisioningSettings) -> Mapping[type, Handler]:
    """Return the handler of each state's due timer."""
    timings = settings.timings()
    return {
        Routing: Handler(decide=on_routing_due, state_needs=needs.queue_of_routing),
        NumberQueue: Handler(
            decide=partial(on_queue_due, timings=timings),
            state_needs=partial(needs.dids_and_commands_of_queue, timings=timings),
            at_present=True,
        ),
    }
