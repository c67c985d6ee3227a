"""The reads of configuration profiles."""

from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from didflow_chassis.decision import Caller
from didflow_provisioning.domain.profiles.profile import Profile
from didflow_provisioning.store.serving_accounts import serving
from didflow_provisioning.store.tables import PROFILE_KIND, configuration_profiles

SORTS: Final = {name: configuration_profiles.c[name] for name in ("name", "created_at")}


def profiles_of(caller: Caller) -> sa.Select[Any]:
    """Select the configuration profiles that a caller sees."""
    return serving(PROFILE_KIND, caller)


def one_profile(caller: Caller, profile_id: UUID) -> sa.Select[Any]:
    """Select one configuration profile that a caller sees."""
    return serving(PROFILE_KIND, caller, configuration_profiles.c.profile_id == profile_id)


def to_profile(row: Any) -> Profile:
    """Return the configuration profile in a row."""
    return PROFILE_KIND.from_row(tuple(row)).state
