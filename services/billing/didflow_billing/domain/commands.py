"""The commands that change a term or the price list."""

from dataclasses import dataclass
from datetime import datetime

from didflow_chassis.decision import Command
from didflow_contracts.events.purchase import Price
from didflow_contracts.vocabulary import BillingPeriod


@dataclass(frozen=True, kw_only=True)
class SetCycles(Command):
    """Set how many times the term renews by itself: 0 to 999, or None for no limit."""

    billing_cycles: int | None


@dataclass(frozen=True, kw_only=True)
class Renew(Command):
    """Pay for one more period of this many months now."""

    billing_period: BillingPeriod


@dataclass(frozen=True, kw_only=True)
class Cancel(Command):
    """Cancel the term. `remove` removes a DID with a pending registration at once, not at the end of its term."""

    remove: bool = False


@dataclass(frozen=True, kw_only=True)
class Restore(Command):
    """Undo a cancellation. `billing_period` pays for a new period if no paid time is left."""

    billing_period: BillingPeriod | None = None


@dataclass(frozen=True, kw_only=True)
class SetPrice(Command):
    """Add a row to the price list. `entity_id` is the key of its series, and `subject` its account."""

    account: str
    country: str
    number_type: str
    effective_from: datetime
    price: Price
