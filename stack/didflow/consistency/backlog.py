"""What each service has yet to process: the context of the disagreements. Nothing of it is a disagreement."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from didflow.consistency.snapshot import Snapshot

_COUNTS: Final = """
SELECT (SELECT count(*) FROM outbox) AS outbox,
    (SELECT count(*) FROM parked) AS parked,
    (SELECT count(*) FROM dead_letters) AS dead_letters,
    extract(epoch FROM clock_timestamp() - (SELECT min(created_at) FROM outbox))::float8 AS outbox_age_s
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Backlog:
    """The rows of a service that wait. `outbox_age_s` is the age of the oldest row of the outbox, in seconds."""

    outbox: int
    parked: int
    dead_letters: int
    outbox_age_s: float | None = None


async def read_backlog(found: Snapshot) -> Mapping[str, Backlog]:
    """Count what waits in each service."""
    return {name: Backlog(**dict((await found.fetch(name, _COUNTS))[0])) for name in found.connections}
