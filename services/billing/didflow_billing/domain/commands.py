"""What people and programs may wish of a term, one class for each wish."""

from dataclasses import dataclass

from didflow_chassis.decision import Command
from didflow_contracts.vocabulary import BillingPeriod


@dataclass(frozen=True, kw_only=True)
class SetCycles(Command):
    """Renew by itself this many times more: 0..999, or None for without end."""

    billing_cycles: int | None


@dataclass(frozen=True, kw_only=True)
class Renew(Command):
    """Pay for one more period of this many months, now."""

    billing_period: BillingPeriod


@dataclass(frozen=True, kw_only=True)
class Cancel(Command):
    """Give the DID up; `remove` asks that one under review goes at once instead of at its end."""

    remove: bool = False


@dataclass(frozen=True, kw_only=True)
class Restore(Command):
    """Take a cancellation back; `billing_period` pays for a new period where no time is left."""

    billing_period: BillingPeriod | None = None
