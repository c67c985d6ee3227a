"""Validates a catalogue whose structure is right: unknown names, wrong dates, and rows that overlap."""

import re
from collections.abc import Iterator
from datetime import date
from itertools import combinations

from didflow_contracts.bounds import DAY
from didflow_verification.domain.details.identity import Person
from didflow_verification.domain.evaluation.identifiers import RULES
from didflow_verification.domain.requirements import CountryRules, IdentityField, Requirement

_PERSON = frozenset(Person.__struct_fields__)


def faults(rules: CountryRules) -> Iterator[str]:
    """Yield every fault of a country's rules, each with its row."""
    seen: set[tuple[str, int]] = set()
    for row in rules.requirements:
        if (row.key, row.version) in seen:
            yield f"{row.key}: version {row.version} appears twice"
        seen.add((row.key, row.version))
        for fault in _row(row):
            yield f"{row.key} version {row.version}: {fault}"
    for one, other in combinations(rules.requirements, 2):
        if _overlap(one, other):
            yield f"{one.key} and {other.key} apply to the same end users at the same time"


def _row(row: Requirement) -> Iterator[str]:
    yield from _dates(row)
    if not row.end_user_types:
        yield "no end-user types"
    if not row.sources:
        yield "no sources"
    for field in row.identity_fields:
        yield from _field(field)
    for restriction in row.restrictions:
        if (restriction.code == "minimum_age") != (restriction.years is not None):
            yield f"restriction {restriction.code}: minimum_age needs years, other restrictions have none"
    groups = {group.group for group in row.documents}
    if len(groups) < len(row.documents):
        yield "a document group appears twice"
    for cross in row.cross_checks:
        yield from _cross_check(cross.left, cross.equals, groups)


def _dates(row: Requirement) -> Iterator[str]:
    for name in ("effective_from", "effective_to", "grace_until"):
        day = getattr(row, name)
        if day is not None and day not in DAY:
            yield f"{name} must lie from {DAY.least} to {DAY.most}"
    if row.effective_to is not None and row.effective_to <= row.effective_from:
        yield "effective_to is not after effective_from"
    if row.reverify != (row.grace_until is not None):
        yield "reverify and grace_until must be given together"
    elif row.grace_until is not None and row.grace_until < row.effective_from:
        yield "grace_until is before effective_from"


def _field(field: IdentityField) -> Iterator[str]:
    if field.field not in _PERSON:
        yield f"identity field {field.field} is unknown"
    if field.checksum is not None and field.checksum not in RULES:
        yield f"checksum {field.checksum} is unknown"
    try:
        re.compile(field.pattern or "")
    except re.error as error:
        yield f"pattern of {field.field}: {error}"
    for path in field.unless:
        if not path.startswith("document.") and path.removeprefix("identity.") not in _PERSON:
            yield f"{path} cannot replace {field.field}"


def _cross_check(left: str, equals: str, groups: set[str]) -> Iterator[str]:
    parts = left.split(".")
    if len(parts) != len(("documents", "group", "attribute")) or parts[0] != "documents":
        yield f"cross-check {left} does not name an attribute of a document"
    elif parts[1] not in groups:
        yield f"cross-check {left} names a group that the row does not have"
    if equals != "address" and equals.removeprefix("identity.") not in _PERSON:
        yield f"cross-check against {equals}, which is not an identity field"


def _overlap(one: Requirement, other: Requirement) -> bool:
    if one.key == other.key or one.number_type != other.number_type:
        return False
    last_begin = max(one.effective_from, other.effective_from)
    first_end = min(one.effective_to or date.max, other.effective_to or date.max)
    return bool(set(one.end_user_types) & set(other.end_user_types)) and last_begin < first_end
