"""The attempts of this process that wait for a webhook. One webhook answers all attempts of its command."""

from collections import OrderedDict
from typing import Final
from uuid import UUID

from didflow_adapters.kit import CommandReference

LIMIT: Final = 100_000


class OpenAttempts:
    """At most `LIMIT` commands; the oldest is forgotten first. What is forgotten is sent again after its deadline."""

    def __init__(self) -> None:
        self._open: OrderedDict[UUID, dict[int, CommandReference]] = OrderedDict()

    def add(self, reference: CommandReference) -> None:
        """Note an attempt before the carrier is called: its webhook can come before the call returns."""
        self._open.setdefault(reference.command_id, {})[reference.attempt] = reference
        if len(self._open) > LIMIT:
            self._open.popitem(last=False)

    def remove(self, reference: CommandReference) -> None:
        """Forget an attempt whose call had a result."""
        attempts = self._open.get(reference.command_id, {})
        attempts.pop(reference.attempt, None)
        if not attempts:
            self._open.pop(reference.command_id, None)

    def answered_with(self, reference: CommandReference) -> tuple[CommandReference, ...]:
        """Return the attempts that a webhook answers: the one in its token, and others of the same command."""
        attempts = {reference.attempt: reference} | self._open.get(reference.command_id, {})
        return tuple(attempts.values())
