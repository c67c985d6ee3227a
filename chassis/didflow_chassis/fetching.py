"""Fetches in sessions (KIP-227): each names to the broker only what changed since the last, and so does its answer.

aiokafka names every partition in every fetch. A worker has up to 200, and in small batches that was a quarter of its
processor time and of the broker's. A session is lost with anything unusual; the next fetch then names all again.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from aiokafka.consumer import consumer
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.protocol.fetch import FetchRequest

FIRST_WITH_SESSIONS = 7
"""The version of the request that has them; an older broker is asked as ever."""
_LAST_EPOCH = 2**31 - 1

Place = tuple[str, int]


def fetch_in_sessions() -> None:
    """Let every consumer of this process fetch so. Repeatable."""
    consumer.Fetcher = SessionFetcher


class SessionFetcher(Fetcher):  # type: ignore[misc]
    """aiokafka's fetcher over a client that keeps sessions."""

    def __init__(self, client: Any, *args: Any, **options: Any) -> None:
        super().__init__(SessionClient(client), *args, **options)


@dataclass(slots=True)
class Session:
    """What one broker knows of this consumer: the offset of each partition. Epoch 0 asks for a new session."""

    id: int = 0
    epoch: int = 0
    known: dict[Place, int] = field(default_factory=dict)

    def answered(self, session_id: int, wanted: dict[Place, int]) -> None:
        """Note that a fetch was answered: the broker knows what was wanted. Without an id it keeps no session."""
        self.id = session_id
        self.epoch = self.epoch % _LAST_EPOCH + 1 if session_id else 0
        self.known = wanted if session_id else {}

    def lost(self, *, is_unknown: bool = False) -> None:
        """Begin anew; a session that the broker may still have is ended with that."""
        self.id = 0 if is_unknown else self.id
        self.epoch = 0
        self.known = {}


class SessionFetch(FetchRequest):  # type: ignore[misc]
    """A fetch as it goes on the wire: of what the fetcher wants, what the session does not know. Sent once."""

    _topics: list[tuple[str, list[Any]]]

    def __init__(self, whole: FetchRequest, session: Session, wanted: dict[Place, int]) -> None:
        self.__dict__.update(vars(whole))
        self._session = session
        self._wanted = wanted

    def build(self, version: Any) -> Any:
        """Write the request in the version that the broker speaks."""
        if version.API_VERSION < FIRST_WITH_SESSIONS:
            return super().build(version)
        known = self._session.known
        self._topics = list(self._changed())
        request = super().build(version)
        request.session_id, request.session_epoch = self._session.id, self._session.epoch
        request.forgotten_topics_data = _by_topic(place for place in known if place not in self._wanted)
        return request

    def _changed(self) -> Iterable[tuple[str, list[Any]]]:
        known = self._session.known
        for topic, partitions in self._topics:
            changed = [one for one in partitions if known.get((topic, one[0])) != one[1]]
            if changed:
                yield topic, changed


class SessionClient:
    """aiokafka's client; a fetch goes through the session with its broker. One fetch to a broker at a time."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._sessions: dict[int, Session] = {}

    def __getattr__(self, name: str) -> Any:
        """Everything else is the client's own."""
        return getattr(self._client, name)

    async def send(self, node_id: int, request: Any, **options: Any) -> Any:
        """Send a request and return its answer; raises what the client raises."""
        if not isinstance(request, FetchRequest):
            return await self._client.send(node_id, request, **options)
        session = self._sessions.setdefault(node_id, Session())
        wanted = {(topic, one[0]): one[1] for topic, partitions in request.topics for one in partitions}
        try:
            answer = await self._client.send(node_id, SessionFetch(request, session, wanted), **options)
        except BaseException:
            session.lost()
            raise
        if answer.API_VERSION >= FIRST_WITH_SESSIONS:
            if answer.error_code:
                session.lost(is_unknown=True)
            else:
                session.answered(answer.session_id, wanted)
        return answer


def _by_topic(places: Iterable[Place]) -> list[tuple[str, list[int]]]:
    topics: dict[str, list[int]] = {}
    for topic, partition in places:
        topics.setdefault(topic, []).append(partition)
    return list(topics.items())
