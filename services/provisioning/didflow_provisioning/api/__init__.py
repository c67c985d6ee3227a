"""The HTTP API of provisioning: voice trunks, the routing of DIDs, and carrier commands.

Routes translate requests only. The decisions are in `domain/`. What a caller may see is in `store/queries.py`.
"""

from collections.abc import Iterable

from fastapi import APIRouter

from didflow_provisioning.api import carrier_commands, routing, voice_trunks


def routers() -> Iterable[APIRouter]:
    """Return the routers of provisioning."""
    return (voice_trunks.router, routing.router, carrier_commands.router)
