"""The texts of reviewers about an end user who is erased. A reviewer's own words can name the person.

The texts are replaced by those of their codes, and a field that is no name of a field is removed. The decision reads
the reasons under the lock of the DID, so the reasons of a decision that was taken just before are kept, with the texts
of their codes.
"""

from datetime import datetime
from typing import Final, TypeGuard, TypeVar

from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known, Unchanged
from didflow_contracts.events.registration import Reason
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.axes.service_request import ServiceRequest
from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.commands import EraseReviewerTexts
from didflow_verification.domain.details.identity import Person, Place
from didflow_verification.domain.evaluation.findings import MESSAGES, REVIEWER_MESSAGES

S = TypeVar("S", bound=Registration | Verification | ServiceRequest)

_STANDARD = {**MESSAGES, **REVIEWER_MESSAGES}
_DOCUMENTS: Final = "documents"
_FIELDS: Final = frozenset(
    (
        *("identity", "address", _DOCUMENTS),
        *(f"identity.{name}" for name in Person.__struct_fields__),
        *(f"address.{name}" for name in Place.__struct_fields__),
    )
)
"""The names of fields that are kept. A reviewer can write anything as the field of a reason."""


def erase_reviewer_texts(
    registration: Registration | None,
    command: EraseReviewerTexts,
    now: datetime,  # noqa: ARG001 - every decision has it
    known: Known,
) -> Decision:
    """Replace the texts about the identity in the registration, its verifications and its service requests."""
    verifications = [known.get(Verification, key) for key in command.verification_ids]
    requests = [known.get(ServiceRequest, key) for key in command.request_ids]
    about = [each for each in (*verifications, *requests) if each and each.identity_id == command.identity_id]
    changed = tuple(after for before in about if (after := _with_standard_texts(before)) != before)
    main = _with_standard_texts(registration) if _is_about(registration, command) else registration
    if main == registration and not changed:
        return Unchanged()
    return Decided(state=main, also=changed)


def _is_about(registration: Registration | None, command: EraseReviewerTexts) -> TypeGuard[Registration]:
    details = (registration.assigned, registration.approved) if registration else ()
    return any(each is not None and each.identity_id == command.identity_id for each in details)


def _with_standard_texts(state: S) -> S:
    return replace(state, reasons=tuple(_standard(reason) for reason in state.reasons))


def _standard(reason: Reason) -> Reason:
    kept = {"message": _STANDARD.get(reason.code, ""), "field": _field(reason.field)}
    return reason.model_copy(update=kept)


def _field(name: str | None) -> str | None:
    """Return the name of a field as it is, of a group of documents as `documents`, and anything else as None."""
    if name is not None and name.startswith(f"{_DOCUMENTS}."):
        return _DOCUMENTS
    return name if name in _FIELDS else None
