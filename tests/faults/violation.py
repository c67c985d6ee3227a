"""A violation: the invariant, the kind of harm, and a description."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

Harm = Literal["lost", "doubled", "out of order", "wrong"]
HARMS: Final[tuple[Harm, ...]] = get_args(Harm)


@dataclass(frozen=True, kw_only=True)
class Violation:
    """One thing that is not as promised."""

    invariant: str
    harm: Harm
    words: str

    def __str__(self) -> str:
        """Return the violation on one line."""
        return f"{self.invariant} {self.harm}: {self.words}"


def lost(invariant: str, words: str) -> Violation:
    """Something that was acknowledged or committed is missing."""
    return Violation(invariant=invariant, harm="lost", words=words)


def doubled(invariant: str, words: str) -> Violation:
    """Something is there more often than it happened."""
    return Violation(invariant=invariant, harm="doubled", words=words)


def wrong(invariant: str, words: str) -> Violation:
    """Something is there that was not promised, or it differs from the promise."""
    return Violation(invariant=invariant, harm="wrong", words=words)


def disordered(words: str) -> Violation:
    """Something comes before what it must follow."""
    return Violation(invariant="I4", harm="out of order", words=words)
