"""The breaker: it tells a broken release, which fails for everybody, from broken data, which fails for some.

It looks at the last decisions about each type of message in this process. While it is open for a type, a failed message
of the type waits for the next release and uses up no attempt. Nothing else waits: no partition stands still, and every
message that can be decided is decided.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import chain
from time import monotonic
from typing import Final

from msgspec import Struct

WINDOW: Final = 100
"""The last decision about each of so many entities is looked at, for each type of message."""
WINDOW_S: Final = 900.0
"""Older decisions do not count, so the breaker of a type without messages closes."""
MIN_ENTITIES: Final = 10
"""It opens when so many entities fail. Messages of fewer can become dead letters."""
MIN_ACCOUNTS: Final = 3
"""It opens when failures come from so many accounts. So the data of one account cannot open it."""
SHORTEST_PAUSE_S: Final = 4.0
LONGEST_PAUSE_S: Final = 300.0


class Outcome(Struct, frozen=True):
    """How a decision about a type of message ended. `account` is set if it failed and its account is known."""

    type: str
    entity: Hashable
    failed: bool = False
    account: str | None = None


class Breaker:
    """The last decisions of this process. `on_change(type, is_open)` is called when a type's breaker opens or closes.

    Only decisions of committed batches are added. So an attempt that is rolled back leaves no trace.
    """

    def __init__(self, on_change: Callable[[str, bool], None]) -> None:
        self._on_change = on_change
        self._windows: dict[str, dict[Hashable, tuple[float, Outcome]]] = {}
        self._opened_at: dict[str, float] = {}

    @property
    def open_types(self) -> tuple[str, ...]:
        """The types for which the breaker is open."""
        return tuple(sorted(self._opened_at))

    def is_open(self, type_: str, batch: Sequence[Outcome] = ()) -> bool:
        """Return True if failures of a type come from many entities and accounts, and are more than half.

        `batch` are the outcomes of a batch that is not committed yet.
        """
        outcomes = self._last(type_, batch)
        failures = [outcome for outcome in outcomes if outcome.failed]
        accounts = {failure.account for failure in failures} - {None}
        are_many = len(failures) >= MIN_ENTITIES and len(accounts) >= MIN_ACCOUNTS
        return are_many and 2 * len(failures) > len(outcomes)

    def pause(self, type_: str) -> timedelta:
        """Return how long a failed message of a type waits: as long as the breaker has been open, within bounds."""
        now = monotonic()
        open_s = now - self._opened_at.get(type_, now)
        return timedelta(seconds=min(max(open_s, SHORTEST_PAUSE_S), LONGEST_PAUSE_S))

    def add(self, outcomes: Sequence[Outcome]) -> None:
        """Add the outcomes of a committed batch, in order."""
        now = monotonic()
        for outcome in outcomes:
            window = self._windows.setdefault(outcome.type, {})
            window.pop(outcome.entity, None)
            window[outcome.entity] = (now, outcome)
            if len(window) > WINDOW:
                del window[next(iter(window))]
        self._note_changes({outcome.type for outcome in outcomes if outcome.failed} | self._opened_at.keys())

    def refresh(self) -> None:
        """Close the breakers whose failures are too long ago."""
        self._note_changes(set(self._opened_at))

    def counted(self, type_: str) -> tuple[int, int]:
        """Return the numbers of decisions and of failures that are looked at."""
        outcomes = self._last(type_)
        return len(outcomes), sum(outcome.failed for outcome in outcomes)

    def _last(self, type_: str, batch: Sequence[Outcome] = ()) -> list[Outcome]:
        """Return the last outcome of each entity, at most `WINDOW` of them."""
        of_batch = (outcome for outcome in reversed(batch) if outcome.type == type_)
        last: dict[Hashable, Outcome] = {}
        for outcome in chain(of_batch, self._recent(type_)):
            last.setdefault(outcome.entity, outcome)
            if len(last) == WINDOW:
                break
        return list(last.values())

    def _recent(self, type_: str) -> Iterator[Outcome]:
        since = monotonic() - WINDOW_S
        window = self._windows.get(type_, {})
        return (outcome for instant, outcome in reversed(window.values()) if instant >= since)

    def _note_changes(self, types: Iterable[str]) -> None:
        for type_ in types:
            is_open = self.is_open(type_)
            if is_open and type_ not in self._opened_at:
                self._opened_at[type_] = monotonic()
            elif not is_open and type_ in self._opened_at:
                del self._opened_at[type_]
            else:
                continue
            self._on_change(type_, is_open)
