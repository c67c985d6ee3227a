"""The kinds of jobs of verification: work that is longer than one transaction."""

from collections.abc import Mapping
from typing import Any, Final

from didflow_chassis.jobs.kinds import JobKind
from didflow_verification.documents.former_rotation import ROTATION as FORMER_ROTATION
from didflow_verification.documents.rotation import ROTATION
from didflow_verification.erasure.job import ERASURE
from didflow_verification.spread import SPREAD

ROTATE_DOCUMENTS: Final = "rotate_documents"
ROTATE_FORMER_DETAILS: Final = "rotate_former_details"
ERASE_IDENTITY: Final = "erase_identity"

JOBS: Final[Mapping[str, JobKind[Any]]] = {
    **SPREAD,
    ROTATE_DOCUMENTS: ROTATION,
    ROTATE_FORMER_DETAILS: FORMER_ROTATION,
    ERASE_IDENTITY: ERASURE,
}
"""Each kind of job by its name."""
