"""The HTTP API of provisioning: targets, capacity groups, profiles, the routing of DIDs, and carrier commands.

Routes translate requests only. The decisions are in `domain/`. What a caller may see is in `store/queries.py`.
"""

from collections.abc import Iterable

from didflow_chassis.http import Router
from didflow_provisioning.api import routing
from didflow_provisioning.api.capacity import routes as capacity
from didflow_provisioning.api.carriers import routes as carriers
from didflow_provisioning.api.profiles import routes as profiles
from didflow_provisioning.api.targets import sms_trunks, voice_trunk_groups, voice_trunks


def routers() -> Iterable[Router]:
    """Return the routers of provisioning."""
    return (
        voice_trunks.router,
        voice_trunk_groups.router,
        sms_trunks.router,
        routing.router,
        capacity.router,
        carriers.router,
        profiles.router,
    )
