"""Rows of a regulatory catalogue for tests."""

from datetime import date
from typing import Any

from didflow_verification.domain.requirements import AddressRule, Requirement, Review, Source


def requirement(**changes: Any) -> Requirement:
    """Return a row that applies to local numbers of every end user, and that asks for nothing."""
    whole: dict[str, Any] = {
        "key": "xx.local.any",
        "number_type": "local",
        "end_user_types": ("business", "individual"),
        "version": 1,
        "effective_from": date(2020, 1, 1),
        "required": True,
        "identity_fields": (),
        "address": AddressRule(required=False, match="none", proof=False),
        "documents": (),
        "cross_checks": (),
        "restrictions": (),
        "review": Review(manual=False),
        "sources": (Source(title="t", publisher="p", url=None, seen="s"),),
    }
    return Requirement(**whole | changes)
