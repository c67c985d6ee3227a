"""Which message leads to which decision: all that verification listens to, on one screen."""

from collections.abc import Mapping

from didflow_chassis.decision import Command
from didflow_chassis.service import Handler
from didflow_contracts.event_data import EventData
from didflow_contracts.events import (
    DidChanged,
    DidPortingStarted,
    DidPurchased,
    DidRemoved,
    EnduserAssigned,
    PurchaseRefused,
)
from didflow_verification import needs
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.catalogue.commands import LoadRules
from didflow_verification.domain.catalogue.loading import load_rules
from didflow_verification.domain.catalogue.rules import CountryRules
from didflow_verification.domain.clock.due import on_due
from didflow_verification.domain.clock.reassessment import Reassessment
from didflow_verification.domain.clock.reassessment import on_due as judge_again
from didflow_verification.domain.clock.recheck import Recheck, look_again
from didflow_verification.domain.details.changing import change_address, change_identity
from didflow_verification.domain.details.commands import (
    ChangeAddress,
    ChangeIdentity,
    CreateAddress,
    CreateIdentity,
    EnterDocument,
    EraseAddress,
    EraseDocument,
    EraseIdentity,
    MoveContent,
)
from didflow_verification.domain.details.document import StoredDocument, enter_document, move_content
from didflow_verification.domain.details.entries import create_address, create_identity
from didflow_verification.domain.details.erasing import erase_address, erase_document, erase_identity
from didflow_verification.domain.details.identity import Address, Identity
from didflow_verification.domain.registration.endings import on_refused, on_removed
from didflow_verification.domain.registration.holding import on_changed
from didflow_verification.domain.registration.start import on_porting_started, on_purchased
from didflow_verification.domain.services.commands import CancelService, DecideService, RequestService
from didflow_verification.domain.services.requesting import cancel_service, decide_service, request_service
from didflow_verification.domain.verifications.assignment import on_assigned
from didflow_verification.domain.verifications.claims import claim, release
from didflow_verification.domain.verifications.commands import (
    Approve,
    Claim,
    Reject,
    Release,
    Resubmit,
    Revoke,
)
from didflow_verification.domain.verifications.resubmission import resubmit
from didflow_verification.domain.verifications.review import approve, reject
from didflow_verification.domain.verifications.revoking import revoke

EVENTS: Mapping[type[EventData], Handler] = {
    DidPurchased: Handler(decide=on_purchased, needs=needs.for_start),
    DidPortingStarted: Handler(decide=on_porting_started, needs=needs.for_start),
    PurchaseRefused: Handler(decide=on_refused, state_needs=needs.open_attempt),
    DidChanged: Handler(decide=on_changed, state_needs=needs.open_attempt),
    EnduserAssigned: Handler(
        decide=on_assigned, needs=needs.for_assignment, state_needs=needs.after_assignment
    ),
    DidRemoved: Handler(decide=on_removed, state_needs=needs.open_attempt),
}

COMMANDS: Mapping[type[Command], Handler] = {
    CreateIdentity: Handler(decide=create_identity, model=Identity),
    CreateAddress: Handler(decide=create_address, model=Address, needs=needs.for_address),
    ChangeIdentity: Handler(decide=change_identity, model=Identity),
    ChangeAddress: Handler(decide=change_address, model=Address),
    EnterDocument: Handler(decide=enter_document, model=StoredDocument, needs=needs.for_address),
    MoveContent: Handler(decide=move_content, model=StoredDocument),
    EraseIdentity: Handler(
        decide=erase_identity,
        model=Identity,
        needs=needs.for_erasure_of_identity,
        state_needs=needs.belongings,
    ),
    EraseAddress: Handler(decide=erase_address, model=Address, needs=needs.for_erasure),
    EraseDocument: Handler(decide=erase_document, model=StoredDocument, needs=needs.for_erasure),
    Approve: Handler(decide=approve, needs=needs.for_review, state_needs=needs.after_review),
    Reject: Handler(decide=reject, needs=needs.for_review),
    Resubmit: Handler(decide=resubmit, needs=needs.for_resubmission, state_needs=needs.after_resubmission),
    Revoke: Handler(decide=revoke, needs=needs.for_review, state_needs=needs.after_revocation),
    RequestService: Handler(
        decide=request_service, needs=needs.to_request, state_needs=needs.with_open_requests
    ),
    DecideService: Handler(decide=decide_service, needs=needs.the_request),
    CancelService: Handler(decide=cancel_service, needs=needs.the_request),
    LoadRules: Handler(decide=load_rules, model=CountryRules),
    Claim: Handler(decide=claim, model=Verification),
    Release: Handler(decide=release, model=Verification),
}

DUE: Mapping[type, Handler] = {
    Registration: Handler(decide=on_due, state_needs=needs.when_due),
    Recheck: Handler(decide=look_again, state_needs=needs.to_look_again),
    Reassessment: Handler(decide=judge_again, state_needs=needs.after_change),
}
