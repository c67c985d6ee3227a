"""What inventory is told besides what every service is told."""

from pydantic import Field

from didflow_chassis.settings import Settings
from didflow_contracts.vocabulary import Name


class InventorySettings(Settings):
    """The chassis' settings, and inventory's own."""

    default_carrier: Name = Field(
        default="simulator", description="carrier of numbers for which neither order nor account names one"
    )
