"""A Kafka stand-in inside this process, for the demo and for trying things out: librdkafka's mock cluster.

It speaks the real protocol with real clients, keeps headers and values byte for byte, and supports idempotent
producers and committed offsets. It writes nothing to disk. Its limits:
- It loses everything when it stops, and each start has another port.
- A partition drops its oldest records without notice beyond 5 MB or 100,000 records. This also bounds memory.
- A consumer group can have one member. A second one breaks the group for aiokafka (SyncGroup: InvalidRequest).
- The first join of a group is immediate. A later join waits for the session timeout less one second, and after a
  SIGKILL about twice as long (at 3 s: 2 s and 5 s). So sessions are short here: `SESSION_TIMEOUT_MS`.
- It ignores static member ids, and a member with such an id does not leave when it stops.
- It answers a fetch without records only after the whole wait that the fetch allows, even if a record arrives before.
  So consumers allow a short wait: `FETCH_WAIT_MS`. With 250 ms, a purchase took 600 ms from topic to activation.
- It has no CreateTopics: topics are created at the start. An unknown topic gets 4 partitions at its first use.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

from didflow.embedded.mock_cluster import MockCluster

PARTITIONS: Final = 4
"""Every fetch names every partition, so a worker with fewer partitions waits less and works less."""
FETCH_WAIT_MS: Final = 10
"""How long the broker may hold a fetch. If it has no records, it holds the fetch for all of this time."""
SESSION_TIMEOUT_MS: Final = 3_000
"""The session timeout for consumers of this broker. A pause of the machine below 3 s loses no membership."""
HEARTBEAT_INTERVAL_MS: Final = 500
_BREATH_SECONDS: Final = 0.002


@dataclass(kw_only=True)
class EmbeddedKafka:
    """A running stand-in. `bootstrap` is its address for clients."""

    bootstrap: str
    cluster: MockCluster = field(repr=False)

    @classmethod
    async def start(cls, topics: Iterable[str], *, partitions: int = PARTITIONS) -> Self:
        """Start the broker with these topics. Raises MockClusterError."""
        cluster = MockCluster()
        for topic in sorted(set(topics)):
            cluster.create_topic(topic, partitions)
            # The cluster's thread can lose a wake-up that arrives while it still serves the last call. It would
            # then sleep for a second.
            await asyncio.sleep(_BREATH_SECONDS)
        return cls(bootstrap=cluster.bootstrap, cluster=cluster)

    async def stop(self) -> None:
        """Stop the broker. All records are lost. It can be called more than once."""
        await asyncio.to_thread(self.cluster.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
