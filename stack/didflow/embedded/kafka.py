"""A Kafka stand-in inside this process, for the demo and quick looks: librdkafka's mock cluster, nothing on disk.

Real protocol and real clients, headers and values byte for byte, idempotent producers, committed offsets that
outlive their consumer. Its limits:
- all is lost when it stops, and each start has another port;
- a partition silently forgets its oldest records beyond 5 MB or 100,000 of them, which also bounds memory;
- one member per consumer group: a second one breaks the group for aiokafka (SyncGroup answers InvalidRequest);
- the first join of a group is immediate; every later one waits for the session timeout less one second, after
  a kill -9 about twice that (at 3 s: 2 s and 5 s), so sessions are short here: `SESSION_TIMEOUT_MS`;
- a static member id is ignored and makes it worse: such members don't leave when they stop;
- no CreateTopics: topics are made at the start; unknown ones appear with 4 partitions when asked for.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

from didflow.embedded.mock_cluster import MockCluster

PARTITIONS: Final = 12
SESSION_TIMEOUT_MS: Final = 3_000
"""What consumers of this broker should use: a pause of the machine under 3 s loses no membership."""
HEARTBEAT_INTERVAL_MS: Final = 500
_BREATH_SECONDS: Final = 0.002


@dataclass(kw_only=True)
class EmbeddedKafka:
    """A running stand-in; `bootstrap` is what clients are given."""

    bootstrap: str
    cluster: MockCluster = field(repr=False)

    @classmethod
    async def start(cls, topics: Iterable[str], *, partitions: int = PARTITIONS) -> Self:
        """Start the broker with these topics. Raises MockClusterError."""
        cluster = MockCluster()
        for topic in sorted(set(topics)):
            cluster.create_topic(topic, partitions)
            # The cluster's thread may throw away a wake-up that comes while it still serves the last call,
            # and would then sleep for a second.
            await asyncio.sleep(_BREATH_SECONDS)
        return cls(bootstrap=cluster.bootstrap, cluster=cluster)

    async def stop(self) -> None:
        """End the broker and forget every record; repeatable."""
        await asyncio.to_thread(self.cluster.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
