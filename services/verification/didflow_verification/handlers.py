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
from didflow_verification.domain.assignment import on_assigned
from didflow_verification.domain.catalogue import CountryRules
from didflow_verification.domain.changing import change_address, change_identity
from didflow_verification.domain.claims import claim, release
from didflow_verification.domain.commands import (
    Approve,
    CancelService,
    ChangeAddress,
    ChangeIdentity,
    Claim,
    CreateAddress,
    CreateIdentity,
    DecideService,
    EnterDocument,
    EraseAddress,
    EraseDocument,
    EraseIdentity,
    LoadRules,
    MoveContent,
    Reject,
    Release,
    RequestService,
    Resubmit,
    Revoke,
)
from didflow_verification.domain.document import StoredDocument, enter_document, move_content
from didflow_verification.domain.due import on_due
from didflow_verification.domain.endings import on_refused, on_removed
from didflow_verification.domain.entries import create_address, create_identity
from didflow_verification.domain.erasing import erase_address, erase_document, erase_identity
from didflow_verification.domain.holding import on_changed
from didflow_verification.domain.identity import Address, Identity
from didflow_verification.domain.loading import load_rules
from didflow_verification.domain.reassessment import Reassessment
from didflow_verification.domain.reassessment import on_due as judge_again
from didflow_verification.domain.recheck import Recheck, look_again
from didflow_verification.domain.registration import Registration
from didflow_verification.domain.requesting import cancel_service, decide_service, request_service
from didflow_verification.domain.resubmission import resubmit
from didflow_verification.domain.review import approve, reject
from didflow_verification.domain.revoking import revoke
from didflow_verification.domain.start import on_porting_started, on_purchased
from didflow_verification.domain.verification import Verification

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
