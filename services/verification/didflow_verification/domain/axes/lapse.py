"""How an approval will end: when, why, and until when it still counts after that."""

from datetime import datetime

from msgspec import Struct

from didflow_contracts.vocabulary import LapseReason


class Lapse(Struct, frozen=True, kw_only=True):
    """The known end of an approval. `warned` once `verification.expiring` has told of it."""

    at: datetime
    reason: LapseReason
    grace_until: datetime
    warned: bool = False

    def same_as(self, other: "Lapse | None") -> bool:
        """Whether this is the end that was known already."""
        return other is not None and (self.at, self.reason) == (other.at, other.reason)


def revocation(at: datetime) -> Lapse:
    """Return the end that a revocation is: at once, and nothing counts after it."""
    return Lapse(at=at, reason="revoked", grace_until=at)
