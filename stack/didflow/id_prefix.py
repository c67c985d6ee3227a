"""Ids on the command line: the whole id, or any beginning of it that only one thing has."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from didflow.errors import BadInput

_DIGITS: Final = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class IdPrefix:
    """The beginning of an id, in lower case and with its dashes. `first` and `last` are the ids that begin so."""

    text: str
    first: UUID
    last: UUID

    @property
    def whole(self) -> UUID | None:
        """The id, if it was given as a whole."""
        return self.first if self.first == self.last else None


def parse_id(given: str) -> IdPrefix:
    """Parse an id or its beginning, with or without dashes. Raises BadInput."""
    digits = given.strip().replace("-", "").lower()
    if not digits or len(digits) > _DIGITS or set(digits) - set("0123456789abcdef"):
        raise BadInput(f"{given!r} is not an id or the beginning of one.")
    first, last = UUID(digits.ljust(_DIGITS, "0")), UUID(digits.ljust(_DIGITS, "f"))
    dashed = str(first)
    return IdPrefix(text=dashed[: len(digits) + _dashes_before(len(digits))], first=first, last=last)


def _dashes_before(digits: int) -> int:
    return sum(digits > place for place in (8, 12, 16, 20))
