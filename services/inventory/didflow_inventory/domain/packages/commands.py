"""The commands about packages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from didflow_chassis.decision import Command
from didflow_inventory.domain.packages.package import PackageState


@dataclass(frozen=True, kw_only=True)
class CreatePackage(Command):
    """Create a package of an account. `fields` are those that the caller says."""

    account: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ChangePackage(Command):
    """Change fields of a package. What was picked before stays."""

    changes: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class PackageCommand(Command):
    """A command that can start the job `job_id`, which puts numbers on hold or brings them back."""

    job_id: UUID


@dataclass(frozen=True, kw_only=True)
class SwitchPackage(PackageCommand):
    """Activate or deactivate a package."""

    to: PackageState


@dataclass(frozen=True, kw_only=True)
class AddClient(PackageCommand):
    """Let an account pick numbers under a package."""

    package_id: UUID
    account: str


@dataclass(frozen=True, kw_only=True)
class EndClient(PackageCommand):
    """End the package of a client."""

    package_id: UUID
    account: str


@dataclass(frozen=True, kw_only=True)
class Pick(Command):
    """Make the number `subject` a DID of a client. `entity_id` is the id of the new DID."""

    package_id: UUID
    account: str


@dataclass(frozen=True, kw_only=True)
class FollowPackage(Command):
    """Let a DID follow its package: put it on hold, or bring it back."""
