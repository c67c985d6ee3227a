"""The settings of billing."""

from didflow_chassis.settings import Settings


class BillingSettings(Settings):
    """The settings that every service has. Billing has no others."""
