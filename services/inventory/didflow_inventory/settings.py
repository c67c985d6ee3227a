"""The settings of inventory."""

from collections.abc import Iterable

from pydantic import Field

from didflow_chassis.settings import PREFIX, Settings
from didflow_contracts.vocabulary import Name

SIMULATOR = "simulator"


class InventorySettings(Settings):
    """The settings of every service, and those of inventory."""

    default_carrier: Name = Field(
        default=SIMULATOR,
        description="Carrier of a purchase if neither the purchase nor its account names one.",
    )

    def warnings(self) -> Iterable[str]:
        """Return one sentence for each setting that is allowed but dangerous in production."""
        yield from super().warnings()
        if self.default_carrier == SIMULATOR:
            yield (
                f"{PREFIX}DEFAULT_CARRIER is {SIMULATOR}: "
                "purchases that name no carrier go to the carrier simulator and reach no network."
            )
