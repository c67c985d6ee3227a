"""Ranges of numbers, as a caller writes them: from the lowest to the highest number, both included.

Source: spec lifecycle, Stock and holders.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from didflow_contracts.bounds import Range

NUMBERS: Final = Range(1, 10_000, "numbers of one range, and of one request")

_DIGITS: Final = re.compile(r"\+?[0-9]{1,15}", re.ASCII)


class WrongRange(ValueError):
    """A range that cannot be expanded. `code` is stable."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class NumberRange(Struct, frozen=True):
    """`count` numbers in a row, from `first` on. `first` is written with its plus sign and keeps its width."""

    first: str
    count: int

    def numbers(self) -> Iterator[str]:
        """Yield the numbers in ascending order."""
        digits = self.first.removeprefix("+")
        return (f"+{value:0{len(digits)}d}" for value in range(int(digits), int(digits) + self.count))


def read_ranges(texts: Sequence[str], prefix: str = "") -> tuple[NumberRange | str, ...]:
    """Return what each text means: a number or a range of them, behind the prefix. What is neither stays as it is.

    Raises WrongRange: `range_reversed`, `range_width_differs`, or `too_many` for more than 10,000 numbers in all.
    """
    found = tuple(_read(text.strip(), prefix.strip().removeprefix("+")) for text in texts)
    total = sum(part.count if isinstance(part, NumberRange) else 1 for part in found)
    if total > NUMBERS.most:
        raise WrongRange("too_many", f"Give at most {NUMBERS.most:,} numbers; there are {total:,}.")
    return found


def expanded(parts: Iterable[NumberRange | str]) -> Iterator[str]:
    """Yield the numbers of all parts, in order."""
    for part in parts:
        if isinstance(part, NumberRange):
            yield from part.numbers()
        else:
            yield part


def _read(text: str, prefix: str) -> NumberRange | str:
    ends = [end.strip() for end in text.split("-")]
    if len(ends) > 2 or not all(map(_DIGITS.fullmatch, ends)):
        return text
    first, last = (end.removeprefix("+") for end in (ends[0], ends[-1]))
    if len(first) != len(last):
        raise WrongRange("range_width_differs", f"Both ends of {text} must have the same number of digits.")
    if int(first) > int(last):
        raise WrongRange(
            "range_reversed", f"{text} begins with the higher number. Write the lower one first."
        )
    return NumberRange(f"+{prefix}{first}", int(last) - int(first) + 1)
