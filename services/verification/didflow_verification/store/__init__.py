"""How verification's states lie in tables, one module for each subject, and what can be read of them."""

from typing import Any

from didflow_chassis.states import Kind
from didflow_verification.store.catalogue import LOADS, RULES
from didflow_verification.store.columns import METADATA
from didflow_verification.store.details import (
    ADDRESSES,
    BELONGINGS,
    CHANGES,
    DOCUMENTS,
    IDENTITIES,
    USES,
    addresses,
    documents,
    identities,
)
from didflow_verification.store.queries import (
    NOW,
    NUMBER_TYPES,
    all_rules,
    by_keys,
    earlier_attempts,
    living_by_kind,
    owned,
    registrations_named,
    state_in,
)
from didflow_verification.store.readings import readings, reads_of
from didflow_verification.store.rechecks import REASSESSMENTS, RECHECKS, REVOCATIONS
from didflow_verification.store.registrations import (
    APPROVALS,
    REGISTRATIONS,
    VERIFICATIONS,
    registrations,
    verifications,
)
from didflow_verification.store.services import REQUESTS, service_requests

__all__ = [
    "ADDRESSES",
    "APPROVALS",
    "BELONGINGS",
    "CHANGES",
    "DOCUMENTS",
    "IDENTITIES",
    "KINDS",
    "LOADS",
    "METADATA",
    "NOW",
    "NUMBER_TYPES",
    "REASSESSMENTS",
    "RECHECKS",
    "REGISTRATIONS",
    "REQUESTS",
    "REVOCATIONS",
    "RULES",
    "USES",
    "VERIFICATIONS",
    "addresses",
    "all_rules",
    "by_keys",
    "documents",
    "earlier_attempts",
    "identities",
    "living_by_kind",
    "owned",
    "readings",
    "reads_of",
    "registrations",
    "registrations_named",
    "service_requests",
    "state_in",
    "verifications",
]

KINDS: tuple[Kind[Any], ...] = (
    RULES,
    IDENTITIES,
    ADDRESSES,
    REGISTRATIONS,
    VERIFICATIONS,
    APPROVALS,
    DOCUMENTS,
    CHANGES,
    REASSESSMENTS,
    USES,
    BELONGINGS,
    RECHECKS,
    REVOCATIONS,
    LOADS,
    REQUESTS,
)
"""Every kind of state that the stage loads and saves."""
