"""Remembers what was answered for good, so that an order that comes again is answered again and not done again.

In memory only: after a restart a carrier is asked again for what it has done, once, under the same `command_id`.
"""

from collections import OrderedDict
from uuid import UUID

from didflow_adapters.kit.carrier import Failed, Later, Outcome


class Memory:
    """The last `limit` final outcomes by `command_id`."""

    def __init__(self, limit: int = 100_000) -> None:
        self._limit = limit
        self._known: OrderedDict[UUID, Outcome] = OrderedDict()

    def recall(self, command_id: UUID) -> Outcome | None:
        """Return what came of an order that needs not be done again."""
        return self._known.get(command_id)

    def keep(self, command_id: UUID, outcome: Outcome) -> None:
        """Remember a success or a final failure; what may be tried again is not remembered."""
        if isinstance(outcome, Later) or (isinstance(outcome, Failed) and outcome.retryable):
            return
        self._known[command_id] = outcome
        self._known.move_to_end(command_id)
        if len(self._known) > self._limit:
            self._known.popitem(last=False)
