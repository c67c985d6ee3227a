"""The reasons that events carry: codes, names of fields and the standard texts of the codes.

A reviewer can write any text, and any text as the name of a field. Both can name a person, so they stay
with the verification or the service request. This is the only place that makes a published reason of a stored one.
Source: spec verification, Verifications: a reviewer's own words stay here.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from didflow_contracts.events.registration import Reason
from didflow_verification.domain.axes.service_request import ServiceData
from didflow_verification.domain.details.identity import Person, Place
from didflow_verification.domain.evaluation.findings import LAPSE_MESSAGES, MESSAGES, REVIEWER_MESSAGES

STANDARD_MESSAGES: Final[Mapping[str, str]] = {**MESSAGES, **REVIEWER_MESSAGES, **LAPSE_MESSAGES}
"""The standard text of every code of a reason."""

_OTHER: Final = "other"
_DOCUMENTS: Final = "documents"
_GROUP: Final = re.compile(r"documents\.[a-z][a-z_]*")
_FIELDS: Final = frozenset(
    (
        *("identity", "identity_id", "identity.type", "end_user_type", "address", "address_id"),
        *(_DOCUMENTS, "document_ids"),
        *(f"identity.{name}" for name in Person.__struct_fields__),
        *(f"address.{name}" for name in Place.__struct_fields__),
        *ServiceData.__struct_fields__,
    )
)
"""The names of fields that may be published."""


def published_reasons(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Return reasons with the standard texts of their codes.

    An unknown field is removed, a group of documents becomes `documents`, and an unknown code becomes `other`.
    """
    return tuple(_published(reason, _known_field(reason.field)) for reason in reasons)


def published_findings(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Return reasons whose fields no reviewer wrote. The names of groups of documents are kept."""
    return tuple(_published(reason, _field_of_finding(reason.field)) for reason in reasons)


def _published(reason: Reason, field: str | None) -> Reason:
    code = reason.code if reason.code in STANDARD_MESSAGES else _OTHER
    return Reason(code=code, field=field, message=STANDARD_MESSAGES[code])


def _known_field(name: str | None) -> str | None:
    if name is not None and name.startswith(f"{_DOCUMENTS}."):
        return _DOCUMENTS
    return name if name in _FIELDS else None


def _field_of_finding(name: str | None) -> str | None:
    return name if name is not None and _GROUP.fullmatch(name) else _known_field(name)
