"""The kinds of jobs of verification: work that is longer than one transaction."""

from collections.abc import Mapping
from typing import Any, Final

from didflow_chassis.jobs.kinds import JobKind
from didflow_verification.documents.rotation import ROTATION
from didflow_verification.erasure.job import ERASURE

ROTATE_DOCUMENTS: Final = "rotate_documents"
ERASE_IDENTITY: Final = "erase_identity"

JOBS: Final[Mapping[str, JobKind[Any]]] = {ROTATE_DOCUMENTS: ROTATION, ERASE_IDENTITY: ERASURE}
"""Each kind of job by its name."""
