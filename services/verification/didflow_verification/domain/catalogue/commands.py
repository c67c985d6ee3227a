"""What can be wished for about the catalogue."""

from dataclasses import dataclass
from uuid import UUID

from didflow_chassis.decision import Command
from didflow_verification.domain.catalogue.rules import CountryRules


@dataclass(frozen=True, kw_only=True)
class LoadRules(Command):
    """Other rules for the country `entity_id`; `change_id` names this load."""

    change_id: UUID
    rules: CountryRules
