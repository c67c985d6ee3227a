"""The reads of capacity groups."""

from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from didflow_chassis.decision import Caller
from didflow_provisioning.domain.capacity.group import CapacityGroup
from didflow_provisioning.store.serving_accounts import serving
from didflow_provisioning.store.tables import CAPACITY_GROUP, capacity_groups

SORTS: Final = {name: capacity_groups.c[name] for name in ("name", "created_at")}


def groups_of(caller: Caller) -> sa.Select[Any]:
    """Select the capacity groups that a caller sees."""
    return serving(CAPACITY_GROUP, caller)


def one_group(caller: Caller, group_id: UUID) -> sa.Select[Any]:
    """Select one capacity group that a caller sees."""
    return serving(CAPACITY_GROUP, caller, capacity_groups.c.group_id == group_id)


def to_group(row: Any) -> CapacityGroup:
    """Return the capacity group in a row."""
    return CAPACITY_GROUP.from_row(tuple(row)).state
