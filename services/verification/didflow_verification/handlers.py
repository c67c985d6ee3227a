"""Which message leads to which decision: all that verification listens to, on one screen."""

from collections.abc import Mapping

from didflow_chassis.decision import Command
from didflow_chassis.service import On
from didflow_contracts.event import EventData
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

EVENTS: Mapping[type[EventData], On] = {
    DidPurchased: On(decide=on_purchased, needs=needs.for_start),
    DidPortingStarted: On(decide=on_porting_started, needs=needs.for_start),
    PurchaseRefused: On(decide=on_refused, follow=needs.open_attempt),
    DidChanged: On(decide=on_changed, follow=needs.open_attempt),
    EnduserAssigned: On(decide=on_assigned, needs=needs.for_assignment, follow=needs.after_assignment),
    DidRemoved: On(decide=on_removed, follow=needs.open_attempt),
}

COMMANDS: Mapping[type[Command], On] = {
    CreateIdentity: On(decide=create_identity, model=Identity),
    CreateAddress: On(decide=create_address, model=Address, needs=needs.for_address),
    ChangeIdentity: On(decide=change_identity, model=Identity),
    ChangeAddress: On(decide=change_address, model=Address),
    EnterDocument: On(decide=enter_document, model=StoredDocument, needs=needs.for_address),
    MoveContent: On(decide=move_content, model=StoredDocument),
    EraseIdentity: On(
        decide=erase_identity, model=Identity, needs=needs.for_erasure_of_identity, follow=needs.belongings
    ),
    EraseAddress: On(decide=erase_address, model=Address, needs=needs.for_erasure),
    EraseDocument: On(decide=erase_document, model=StoredDocument, needs=needs.for_erasure),
    Approve: On(decide=approve, needs=needs.for_review, follow=needs.after_review),
    Reject: On(decide=reject, needs=needs.for_review),
    Resubmit: On(decide=resubmit, needs=needs.for_resubmission, follow=needs.after_resubmission),
    Revoke: On(decide=revoke, needs=needs.for_review, follow=needs.after_revocation),
    RequestService: On(decide=request_service, needs=needs.to_request, follow=needs.with_open_requests),
    DecideService: On(decide=decide_service, needs=needs.the_request),
    CancelService: On(decide=cancel_service, needs=needs.the_request),
    LoadRules: On(decide=load_rules, model=CountryRules),
    Claim: On(decide=claim, model=Verification),
    Release: On(decide=release, model=Verification),
}

DUE: Mapping[type, On] = {
    Registration: On(decide=on_due, follow=needs.when_due),
    Recheck: On(decide=look_again, follow=needs.to_look_again),
    Reassessment: On(decide=judge_again, follow=needs.after_change),
}
