"""The commands about configuration profiles."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from didflow_chassis.decision import Command
from didflow_provisioning.domain.commands import RoutingCommand


@dataclass(frozen=True, kw_only=True)
class CreateProfile(Command):
    """Create a configuration profile for an account and the accounts below it. `fields` are all its other fields."""

    account: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ChangeProfile(Command):
    """Change fields of a configuration profile. Fields that are left out stay as they are."""

    changes: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class DeleteProfile(Command):
    """Delete a configuration profile."""


@dataclass(frozen=True, kw_only=True)
class ApplyProfile(RoutingCommand):
    """Set what a configuration profile names on a DID."""

    configuration_profile_id: UUID
