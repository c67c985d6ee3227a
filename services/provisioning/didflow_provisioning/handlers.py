"""Which message leads to which decision: everything that provisioning handles."""

from collections.abc import Callable, Mapping
from typing import Any

from didflow_chassis.decision import Command
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
from didflow_provisioning.domain.commands import (
    ClearRouting,
    CreateVoiceTrunk,
    DeleteVoiceTrunk,
    RestoreVoiceTrunk,
    RetryCarrierCommand,
    SetCapacity,
    SetVoice,
)
from didflow_provisioning.domain.number_queue import NumberQueue
from didflow_provisioning.domain.purchase import on_purchased
from didflow_provisioning.domain.removal import on_purchase_refused, on_removed
from didflow_provisioning.domain.results import on_result
from didflow_provisioning.domain.routing import Routing
from didflow_provisioning.domain.routing_changes import (
    clear_routing,
    retry_carrier_command,
    set_capacity,
    set_voice,
)
from didflow_provisioning.domain.timers import on_queue_due, on_routing_due
from didflow_provisioning.domain.views import on_did_changed, on_registration_changed, on_term_changed
from didflow_provisioning.domain.voice_trunks import (
    VoiceTrunk,
    create_voice_trunk,
    delete_voice_trunk,
    restore_voice_trunk,
)


def _number(decide: Callable[..., Any]) -> Handler:
    return Handler(decide=decide, needs=needs.queue)


EVENTS: Mapping[type[EventData], Handler] = {
    DidPurchased: Handler(decide=on_purchased),
    DidPortingStarted: Handler(decide=on_purchased),
    PurchaseRefused: Handler(decide=on_purchase_refused, needs=needs.queue, state_needs=needs.other_dids),
    DidChanged: _number(on_did_changed),
    VerificationRequired: _number(on_registration_changed),
    VerificationNotRequired: _number(on_registration_changed),
    VerificationPending: _number(on_registration_changed),
    VerificationApproved: _number(on_registration_changed),
    VerificationRejected: _number(on_registration_changed),
    VerificationExpiring: _number(on_registration_changed),
    VerificationExpired: _number(on_registration_changed),
    TermChanged: _number(on_term_changed),
    CycleExpired: _number(on_term_changed),
    DidRemoved: Handler(decide=on_removed, needs=needs.queue, state_needs=needs.other_dids),
    ResultReported: Handler(
        decide=on_result, needs=needs.queue_and_answered_command, state_needs=needs.other_dids
    ),
}

COMMANDS: Mapping[type[Command], Handler] = {
    SetVoice: Handler(decide=set_voice, needs=needs.queue_and_trunk),
    SetCapacity: _number(set_capacity),
    ClearRouting: _number(clear_routing),
    RetryCarrierCommand: _number(retry_carrier_command),
    CreateVoiceTrunk: Handler(decide=create_voice_trunk, model=VoiceTrunk),
    DeleteVoiceTrunk: Handler(decide=delete_voice_trunk, model=VoiceTrunk),
    RestoreVoiceTrunk: Handler(decide=restore_voice_trunk, model=VoiceTrunk),
}

DUE: Mapping[type, Handler] = {
    Routing: Handler(decide=on_routing_due, state_needs=needs.queue_of_routing),
    NumberQueue: Handler(decide=on_queue_due, state_needs=needs.dids_and_commands_of_queue),
}
