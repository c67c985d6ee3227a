"""The values that identify a person, as they are searched for in messages, and how a message is masked."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from msgspec.structs import replace

from didflow_chassis.kept_messages import KeptMessage
from didflow_contracts.numbers import is_e164
from didflow_verification.domain.evaluation.normalization import compact

MIN_LENGTH: Final = 3
"""The length of the shortest value that is searched for. Shorter values occur in other texts by chance."""

_WEAK = frozenset({"first_name", "birth_date", "city", "region", "postal_code", "country"})
"""Fields that do not identify a person alone. They are masked only in a text that also has a strong value."""


@dataclass(frozen=True, kw_only=True)
class PersonalValues:
    """Byte strings that identify a person (`strong`), and those that do so only next to a strong one (`weak`)."""

    strong: tuple[bytes, ...] = field(repr=False)
    weak: tuple[bytes, ...] = field(repr=False)

    @classmethod
    def of(cls, fields: Iterable[tuple[str, str]]) -> "PersonalValues":
        """Return the values of these fields, in all usual spellings."""
        strong: set[bytes] = set()
        weak: set[bytes] = set()
        for name, value in fields:
            if len(value.strip()) >= MIN_LENGTH:
                (weak if name in _WEAK else strong).update(_spellings(value.strip()))
        return cls(strong=_longest_first(strong), weak=_longest_first(weak - strong))

    def masked(self, text: bytes | None) -> bytes | None:
        """Return the text with every value replaced by as many `*`, or None if it has no strong value."""
        if not text or not any(value in text for value in self.strong):
            return None
        for value in (*self.strong, *self.weak):
            text = text.replace(value, b"*" * len(value))
        return text

    def without(self, number: bytes | None) -> "PersonalValues":
        """Return the values that are not part of this text if the text is a number."""
        if not number or not is_e164(number.decode("ascii", "replace")):
            return self
        return PersonalValues(
            strong=tuple(value for value in self.strong if value not in number),
            weak=tuple(value for value in self.weak if value not in number),
        )


def masked_message(message: KeptMessage, values: PersonalValues) -> KeptMessage | None:
    """Return the message with every value masked, or None if it has no strong value.

    The key of a message can be the number that it is about. That number stays, even if it is also the contact number of
    the person: without it, the message could not be decided any more.
    """
    values = values.without(message.key)

    def masked(text: bytes | None) -> bytes | None:
        return text if (found := values.masked(text)) is None else found

    text = masked(message.text.encode()) if message.text else None
    new = replace(
        message,
        key=masked(message.key),
        value=masked(message.value),
        headers=tuple((name, masked(value)) for name, value in message.headers),
        text=text.decode() if text else message.text,
    )
    return None if new == message else new


def _longest_first(values: Iterable[bytes]) -> tuple[bytes, ...]:
    return tuple(sorted(values, key=len, reverse=True))


def _spellings(value: str) -> set[bytes]:
    spellings = {value, value.upper(), value.lower(), value.title(), compact(value)}
    escaped = {json.dumps(each)[1:-1] for each in spellings}
    return {each.encode() for each in spellings | escaped if len(each) >= MIN_LENGTH}
