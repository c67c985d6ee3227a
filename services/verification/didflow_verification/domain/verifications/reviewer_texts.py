"""The texts of reviewers about an end user who is erased. A reviewer's own words can name the person.

They are replaced by the reasons that were published, which have no words of a reviewer. The decision reads the reasons
under the lock of the DID, so the reasons of a decision that was taken just before are kept, with the texts of their
codes.
"""

from datetime import datetime
from typing import TypeVar

from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known, Unchanged
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.axes.service_request import ServiceRequest
from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.commands import EraseReviewerTexts
from didflow_verification.domain.published_reasons import published_reasons

S = TypeVar("S", bound=Verification | ServiceRequest)


def erase_reviewer_texts(
    _registration: Registration | None,
    command: EraseReviewerTexts,
    now: datetime,  # noqa: ARG001 - every decision has it
    known: Known,
) -> Decision:
    """Replace the texts about the identity in the verifications and service requests of the DID."""
    verifications = [known.get(Verification, key) for key in command.verification_ids]
    requests = [known.get(ServiceRequest, key) for key in command.request_ids]
    about = [each for each in (*verifications, *requests) if each and each.identity_id == command.identity_id]
    changed = tuple(after for before in about if (after := _with_standard_texts(before)) != before)
    return Decided(also=changed) if changed else Unchanged()


def _with_standard_texts(state: S) -> S:
    return replace(state, reasons=published_reasons(state.reasons))
