"""The kinds of jobs of verification: work that is longer than one transaction."""

from collections.abc import Mapping
from typing import Any, Final

from didflow_chassis.jobs.kinds import JobKind

JOBS: Final[Mapping[str, JobKind[Any]]] = {}
"""Each kind of job by its name."""
