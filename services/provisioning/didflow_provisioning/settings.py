"""The settings of provisioning."""

from didflow_chassis.settings import Settings


class ProvisioningSettings(Settings):
    """The settings of every service. Provisioning has none of its own."""
