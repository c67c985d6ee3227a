"""Verification over HTTP, one folder for each subject.

Routes only translate; what may be done is decided in `domain/`, what may be seen in `store`. No worker imports this.
"""

from collections.abc import Iterable

from fastapi import APIRouter

from didflow_verification.api.details import addresses, identities
from didflow_verification.api.documents import routes as documents
from didflow_verification.api.requirements import routes as requirements
from didflow_verification.api.services import routes as services
from didflow_verification.api.verifications import routes as verifications

SUBJECTS = (identities, addresses, requirements, verifications, documents, services)


def routers() -> Iterable[APIRouter]:
    """Give verification's routes."""
    return tuple(subject.router for subject in SUBJECTS)
