"""The handlers: which decision each message leads to, and which other states it needs."""

from collections.abc import Mapping

from didflow_chassis.decision import Command, ReplaceCiphertext
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
from didflow_verification.domain import commands
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.catalogue_change import load_rules
from didflow_verification.domain.details.changes import (
    change_address,
    change_identity,
    create_address,
    create_identity,
)
from didflow_verification.domain.details.document import Document, create_document, move_content
from didflow_verification.domain.details.erasure import (
    begin_erasure,
    complete_erasure,
    erase_address,
    erase_document,
    erase_identity,
)
from didflow_verification.domain.details.former import FormerDetails, replace_ciphertext
from didflow_verification.domain.details.identity import Address, Identity
from didflow_verification.domain.reassessment import reassess
from didflow_verification.domain.recheck import recheck, revoke_resting
from didflow_verification.domain.registration.start import on_porting_started, on_purchased
from didflow_verification.domain.requirements import CountryRules
from didflow_verification.domain.service_requests.correction import correct_service
from didflow_verification.domain.service_requests.lifecycle import (
    cancel_service,
    decide_service,
    request_service,
)
from didflow_verification.domain.timers import on_registration_due
from didflow_verification.domain.verifications.assignment import on_assigned, resubmit
from didflow_verification.domain.verifications.coverage import approve_covered
from didflow_verification.domain.verifications.review import approve, claim, reject, release
from didflow_verification.domain.verifications.reviewer_texts import erase_reviewer_texts
from didflow_verification.domain.verifications.revocation import revoke
from didflow_verification.domain.views import on_changed, on_refused, on_removed

EVENTS: Mapping[type[EventData], Handler] = {
    DidPurchased: Handler(decide=on_purchased, needs=needs.for_start),
    DidPortingStarted: Handler(decide=on_porting_started, needs=needs.for_start),
    PurchaseRefused: Handler(decide=on_refused, state_needs=needs.open_states),
    DidChanged: Handler(decide=on_changed, state_needs=needs.open_states),
    EnduserAssigned: Handler(
        decide=on_assigned, needs=needs.for_assignment, state_needs=needs.after_assignment
    ),
    DidRemoved: Handler(decide=on_removed, state_needs=needs.open_states),
}

COMMANDS: Mapping[type[Command], Handler] = {
    commands.CreateIdentity: Handler(decide=create_identity, model=Identity),
    commands.ChangeIdentity: Handler(
        decide=change_identity, model=Identity, needs=needs.for_change, state_needs=needs.former_revision
    ),
    commands.EraseIdentity: Handler(
        decide=erase_identity,
        model=Identity,
        needs=needs.for_erasure_with_owned,
        state_needs=needs.owned_details,
    ),
    commands.BeginErasure: Handler(
        decide=begin_erasure,
        model=Identity,
        needs=needs.for_erasure_with_owned,
        state_needs=needs.owned_details,
    ),
    commands.CompleteErasure: Handler(
        decide=complete_erasure,
        model=Identity,
        needs=needs.for_completion,
        state_needs=needs.owned_details,
    ),
    commands.EraseReviewerTexts: Handler(
        decide=erase_reviewer_texts, needs=needs.for_reviewer_texts, when_held=True
    ),
    commands.CreateAddress: Handler(decide=create_address, model=Address, needs=needs.for_creation),
    commands.ChangeAddress: Handler(
        decide=change_address, model=Address, needs=needs.for_change, state_needs=needs.former_revision
    ),
    commands.EraseAddress: Handler(
        decide=erase_address,
        model=Address,
        needs=needs.for_erasure_with_owned,
        state_needs=needs.owned_details,
    ),
    ReplaceCiphertext: Handler(decide=replace_ciphertext, model=FormerDetails),
    commands.CreateDocument: Handler(decide=create_document, model=Document, needs=needs.for_creation),
    commands.MoveContent: Handler(decide=move_content, model=Document),
    commands.EraseDocument: Handler(decide=erase_document, model=Document, needs=needs.for_erasure),
    commands.Claim: Handler(decide=claim, model=Verification),
    commands.Release: Handler(decide=release, model=Verification),
    commands.Approve: Handler(decide=approve, needs=needs.for_review, state_needs=needs.after_approval),
    commands.ApproveCovered: Handler(
        decide=approve_covered,
        needs=needs.for_covered,
        state_needs=needs.covered_verification,
        when_held=True,
    ),
    commands.Reject: Handler(decide=reject, needs=needs.for_review),
    commands.Revoke: Handler(decide=revoke, needs=needs.for_review, state_needs=needs.after_revocation),
    commands.Resubmit: Handler(
        decide=resubmit, needs=needs.for_resubmission, state_needs=needs.after_resubmission
    ),
    commands.RequestService: Handler(
        decide=request_service, needs=needs.for_service_request, state_needs=needs.open_service_requests
    ),
    commands.CorrectService: Handler(
        decide=correct_service, needs=needs.for_correction, state_needs=needs.address_of_service_request
    ),
    commands.DecideService: Handler(
        decide=decide_service, needs=needs.named_service_request, state_needs=needs.address_of_service_request
    ),
    commands.CancelService: Handler(decide=cancel_service, needs=needs.named_service_request),
    commands.LoadRules: Handler(decide=load_rules, model=CountryRules),
    commands.RecheckDid: Handler(decide=recheck, needs=needs.for_recheck, when_held=True),
    commands.RevokeResting: Handler(
        decide=revoke_resting, needs=needs.for_spread, state_needs=needs.resting_verification, when_held=True
    ),
    commands.ReassessDid: Handler(
        decide=reassess, needs=needs.for_spread, state_needs=needs.for_reassessment, when_held=True
    ),
}

DUE: Mapping[type, Handler] = {
    Registration: Handler(
        decide=on_registration_due,
        needs=needs.rules_of_number,
        state_needs=needs.for_registration_timer,
        state_needs_are_rare=True,
    ),
}
