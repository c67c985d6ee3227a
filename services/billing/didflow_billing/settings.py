"""The settings of billing."""

from didflow_chassis.settings import Settings


class BillingSettings(Settings):
    """The settings of every service. Billing has none of its own."""
