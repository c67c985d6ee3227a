"""The commands about capacity groups."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from didflow_chassis.decision import Command


@dataclass(frozen=True, kw_only=True)
class CreateCapacityGroup(Command):
    """Create a capacity group for an account and the accounts below it."""

    account: str
    name: str
    channels: int
    overcommit: bool


@dataclass(frozen=True, kw_only=True)
class ChangeCapacityGroup(Command):
    """Change `name`, `channels` or `overcommit` of a capacity group. Fields that are left out stay as they are."""

    changes: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class DeleteCapacityGroup(Command):
    """Delete a capacity group."""
