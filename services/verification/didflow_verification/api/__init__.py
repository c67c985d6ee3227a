"""The HTTP API of verification, with one package for each resource.

Routes only translate. `domain/` decides what may be done, `store` what may be seen. A worker does not import this.
"""

from collections.abc import Iterable

from didflow_chassis.http import Router
from didflow_verification.api.details import routes as details
from didflow_verification.api.documents import routes as documents
from didflow_verification.api.requirements import routes as requirements
from didflow_verification.api.service_requests import routes as service_requests
from didflow_verification.api.verifications import batch_routes as verification_batches
from didflow_verification.api.verifications import routes as verifications

RESOURCES = (details, requirements, verification_batches, verifications, documents, service_requests)


def routers() -> Iterable[Router]:
    """Return the routes of verification."""
    return tuple(resource.router for resource in RESOURCES)
