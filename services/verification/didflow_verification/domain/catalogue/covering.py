"""Whether an earlier version of a requirement asked for every check that a later one asks for.

Then a review under the earlier one answers the later one too. Source: spec lifecycle, Auto-approval.
"""

from dataclasses import replace

from didflow_verification.domain.catalogue.rules import AddressRule, DocumentGroup, IdentityField, Requirement

_NEVER = 10**9
_PLACES = ("none", "country", "region", "area")


def asked_for_all(earlier: Requirement, today: Requirement) -> bool:
    """Whether nothing is asked today that was not asked then, as strictly."""
    return (
        earlier.required >= today.required
        and _address(earlier.address, today.address)
        and {_field(f) for f in today.identity_fields} <= _fields(earlier)
        and all(any(_group(before, group) for before in earlier.documents) for group in today.documents)
        and set(today.cross_checks) <= set(earlier.cross_checks)
        and {(r.code, r.years) for r in today.restrictions}
        <= {(r.code, r.years) for r in earlier.restrictions}
    )


def _fields(earlier: Requirement) -> set[IdentityField]:
    """The fields that were asked for, each as strictly as it was and as one that may be left out."""
    asked = {_field(field) for field in earlier.identity_fields}
    return asked | {replace(field, when_given=True, unless=()) for field in asked}


def _field(field: IdentityField) -> IdentityField:
    return replace(field, note=None)


def _address(earlier: AddressRule, today: AddressRule) -> bool:
    return (
        earlier.required >= today.required
        and _PLACES.index(earlier.match) >= _PLACES.index(today.match)
        and bool(earlier.proof) >= bool(today.proof)
    )


def _group(earlier: DocumentGroup, today: DocumentGroup) -> bool:
    return (
        earlier.group == today.group
        and set(earlier.accepts) <= set(today.accepts)
        and (earlier.max_age_days or _NEVER) <= (today.max_age_days or _NEVER)
    )
