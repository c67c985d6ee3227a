"""The kinds of state that the stage loads and saves."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from didflow_chassis.states import Kind
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.axes.service_request import ServiceRequest
from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.catalogue_change import CatalogueChange
from didflow_verification.domain.details.changes import DetailChange, UsedDetail
from didflow_verification.domain.details.document import Document
from didflow_verification.domain.details.erasure import DetailUse, OwnedDetails
from didflow_verification.domain.details.former import FormerDetails, JudgedDetail
from didflow_verification.domain.details.identity import Address, Identity
from didflow_verification.domain.requirements import CountryRules
from didflow_verification.domain.verifications.approval import Approval
from didflow_verification.domain.verifications.coverage import OthersPending
from didflow_verification.store import tables

RULES = Kind(model=CountryRules, table=tables.catalogue, key="country")
CATALOGUE_CHANGES = Kind(
    model=CatalogueChange, table=tables.catalogue_changes, key="change_id", append_only=True
)
IDENTITIES = Kind(model=Identity, table=tables.identities, key="identity_id")
ADDRESSES = Kind(model=Address, table=tables.addresses, key="address_id")
DOCUMENTS = Kind(model=Document, table=tables.documents, key="document_id")
DETAIL_CHANGES = Kind(model=DetailChange, table=tables.detail_changes, key="change_id", append_only=True)
DETAIL_USES = Kind(model=DetailUse, table=tables.detail_uses, key="detail_id")
USED_DETAILS = Kind(model=UsedDetail, table=tables.used_details, key="detail_id")
JUDGED_DETAILS = Kind(model=JudgedDetail, table=tables.judged_details, key="detail_id")
OWNED_DETAILS = Kind(model=OwnedDetails, table=tables.owned_details, key="detail_id")
FORMER_DETAILS = Kind(model=FormerDetails, table=tables.former_details, key="former_id")
REGISTRATIONS = Kind(
    model=Registration, table=tables.registrations, key="did_id", subject="number", due="due_at"
)
VERIFICATIONS = Kind(model=Verification, table=tables.verifications, key="verification_id", subject="number")
OTHERS_PENDING = Kind(
    model=OthersPending, table=tables.others_pending, key="verification_id", subject="number"
)
APPROVALS = Kind(model=Approval, table=tables.approvals, key="approval_key")
SERVICE_REQUESTS = Kind(
    model=ServiceRequest, table=tables.service_requests, key="request_id", subject="number"
)

KINDS: tuple[Kind[Any], ...] = (
    RULES,
    CATALOGUE_CHANGES,
    IDENTITIES,
    ADDRESSES,
    DOCUMENTS,
    DETAIL_CHANGES,
    DETAIL_USES,
    USED_DETAILS,
    JUDGED_DETAILS,
    FORMER_DETAILS,
    OWNED_DETAILS,
    REGISTRATIONS,
    VERIFICATIONS,
    APPROVALS,
    OTHERS_PENDING,
    SERVICE_REQUESTS,
)
"""Every kind of state."""


def kinds_with(encrypted: Callable[[FormerDetails], FormerDetails]) -> tuple[Kind[Any], ...]:
    """Return every kind of state, for the stage. `encrypted` encrypts former details before they are saved."""
    former = replace(FORMER_DETAILS, before_save=encrypted)
    return tuple(former if kind is FORMER_DETAILS else kind for kind in KINDS)
