"""Fetch sessions (KIP-227): a fetch names only the partitions that changed since the last one, and so does its answer.

aiokafka names every partition in every fetch. A worker has up to 200 partitions, and with small batches this took a
quarter of the processor time of the worker and of the broker. Any error ends the session, and the next fetch names all
partitions again. Correctness therefore never depends on what the broker remembers.

Replaces: `aiokafka.consumer.consumer.Fetcher`, and `FetchRequest._topics`. Public interface that would replace this
module: fetch sessions in aiokafka.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from aiokafka.consumer import consumer
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.protocol.fetch import FetchRequest

from didflow_chassis.kafka_internals.versions import AIOKAFKA, Fits

FITS: Final[Fits] = {"aiokafka": AIOKAFKA}
FIRST_WITH_SESSIONS = 7
"""First version of the fetch request with sessions. An older broker gets every partition in every fetch."""
_LAST_EPOCH = 2**31 - 1

Partition = tuple[str, int]


def install() -> None:
    """Make every consumer of this process use fetch sessions. It is safe to call this twice."""
    consumer.Fetcher = SessionFetcher


class SessionFetcher(Fetcher):  # type: ignore[misc]
    """aiokafka's fetcher with a client that uses fetch sessions."""

    def __init__(self, client: Any, *args: Any, **options: Any) -> None:
        super().__init__(SessionClient(client), *args, **options)


@dataclass(slots=True)
class Session:
    """The session with one broker: the offset that the broker knows for each partition.

    Epoch 0 requests a new session.
    """

    id: int = 0
    epoch: int = 0
    known: dict[Partition, int] = field(default_factory=dict)

    def confirm(self, session_id: int, wanted: dict[Partition, int]) -> None:
        """Record that the broker answered. Session id 0 means that the broker keeps no session."""
        self.id = session_id
        self.epoch = self.epoch % _LAST_EPOCH + 1 if session_id else 0
        self.known = wanted if session_id else {}

    def restart(self, *, is_unknown: bool = False) -> None:
        """Request a new session with the next fetch. The request also ends this session if the broker still has it."""
        self.id = 0 if is_unknown else self.id
        self.epoch = 0
        self.known = {}


class SessionFetch(FetchRequest):  # type: ignore[misc]
    """A fetch as it is sent: only the wanted partitions that the session does not know."""

    _topics: list[tuple[str, list[Any]]]

    def __init__(self, whole: FetchRequest, session: Session, wanted: dict[Partition, int]) -> None:
        self.__dict__.update(vars(whole))
        self._session = session
        self._wanted = wanted

    def build(self, version: Any) -> Any:
        """Build the request in the version that the broker supports."""
        if version.API_VERSION < FIRST_WITH_SESSIONS:
            return super().build(version)
        known = self._session.known
        self._topics = list(self._changed())
        request = super().build(version)
        request.session_id, request.session_epoch = self._session.id, self._session.epoch
        request.forgotten_topics_data = _by_topic(one for one in known if one not in self._wanted)
        return request

    def _changed(self) -> Iterable[tuple[str, list[Any]]]:
        known = self._session.known
        for topic, partitions in self._topics:
            changed = [one for one in partitions if known.get((topic, one[0])) != one[1]]
            if changed:
                yield topic, changed


class SessionClient:
    """aiokafka's client with one fetch session for each broker.

    There MUST be at most one fetch to a broker at a time.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._sessions: dict[int, Session] = {}

    def __getattr__(self, name: str) -> Any:
        """Return everything else from the wrapped client."""
        return getattr(self._client, name)

    async def send(self, node_id: int, request: Any, **options: Any) -> Any:
        """Send a request and return the response. Raises what the wrapped client raises."""
        if not isinstance(request, FetchRequest):
            return await self._client.send(node_id, request, **options)
        session = self._sessions.setdefault(node_id, Session())
        wanted = {(topic, one[0]): one[1] for topic, partitions in request.topics for one in partitions}
        try:
            response = await self._client.send(node_id, SessionFetch(request, session, wanted), **options)
        except BaseException:
            session.restart()
            raise
        if response.API_VERSION >= FIRST_WITH_SESSIONS:
            if response.error_code:
                session.restart(is_unknown=True)
            else:
                session.confirm(response.session_id, wanted)
        return response


def _by_topic(partitions: Iterable[Partition]) -> list[tuple[str, list[int]]]:
    topics: dict[str, list[int]] = {}
    for topic, partition in partitions:
        topics.setdefault(topic, []).append(partition)
    return list(topics.items())
