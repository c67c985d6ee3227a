"""Whether a requirement came or went for a DID that nobody is registered for, and when one will.

Only a version that says `reverify` turns a DID that has begun. Source: spec lifecycle, The axes: registration.
"""

from datetime import UTC, datetime

from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.catalogue.rules import CountryRules, Requirement, rows_in_force
from didflow_verification.domain.evaluation.validity import midnight


def is_outdated(registration: Registration, rows: tuple[Requirement, ...]) -> bool:
    """Whether the rows in force say otherwise than `not_required` or `awaiting` does."""
    if not any(row.reverify for row in rows):
        return False
    required = any(row.required for row in rows)
    return registration.state == ("not_required" if required else "awaiting")


def next_turn(
    registration: Registration, rules: CountryRules | None, anywhere: CountryRules | None, now: datetime
) -> datetime | None:
    """Return when a requirement may come or go for the DID: now, at 00:00 UTC of a day, or never."""
    if registration.state not in {"not_required", "awaiting"}:
        return None
    rows = (*(rules.requirements if rules else ()), *(anywhere.requirements if anywhere else ()))
    turning = [row for row in rows if row.reverify]
    if not turning:
        return None
    today, kind = now.astimezone(UTC).date(), registration.number_type
    if is_outdated(registration, rows_in_force(rules, anywhere, kind, today)):
        return now
    days = (
        row.effective_from
        for row in turning
        if row.number_type in {kind, "any"} and row.effective_from > today
    )
    turns = (day for day in days if is_outdated(registration, rows_in_force(rules, anywhere, kind, day)))
    return min((midnight(day) for day in turns), default=None)
