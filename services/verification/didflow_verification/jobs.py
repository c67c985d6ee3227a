"""The kinds of jobs of verification: work that is longer than one transaction."""

from collections.abc import Mapping
from typing import Any, Final

from didflow_chassis.jobs.kinds import JobKind
from didflow_verification.documents.rotation import ROTATION

ROTATE_DOCUMENTS: Final = "rotate_documents"

JOBS: Final[Mapping[str, JobKind[Any]]] = {ROTATE_DOCUMENTS: ROTATION}
"""Each kind of job by its name."""
