"""Claims of the reviewers' queue: for 15 minutes no two look at the same attempt."""

from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Refused, Unchanged
from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.verifications.commands import Claim, Release
from didflow_verification.domain.verifications.review import claimed_by_another, closed_code

CLAIM_HOLDS: Final = timedelta(minutes=15)
"""Source: spec verification, Verifications."""


def claim(attempt: Verification | None, command: Claim, now: datetime) -> Decision:
    """Claim an open attempt, or renew one's own claim. Refused `claimed` while another's holds."""
    if attempt is None:
        return Refused("not_found", "no such verification")
    refused = closed_code(attempt) or claimed_by_another(attempt, command.caller, now)
    if refused is not None:
        return refused
    claimed = replace(attempt, claimed_by=command.caller.subject, claimed_until=now + CLAIM_HOLDS)
    return Decided(state=claimed, answer=claimed)


def release(attempt: Verification | None, command: Release, now: datetime) -> Decision:
    """Give a claim back; without one nothing changes. Refused `claimed` while another's holds."""
    if attempt is None:
        return Refused("not_found", "no such verification")
    refused = claimed_by_another(attempt, command.caller, now)
    if refused is not None:
        return refused
    if attempt.claimed_by is None:
        return Unchanged(answer=attempt)
    released = replace(attempt, claimed_by=None, claimed_until=None)
    return Decided(state=released, answer=released)
