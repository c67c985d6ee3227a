"""A violation: the invariant, the kind of harm, and a description."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

Harm = Literal["lost", "doubled", "out of order", "wrong"]
HARMS: Final[tuple[Harm, ...]] = get_args(Harm)


@dataclass(frozen=True, kw_only=True)
class Violation:
    """One broken promise."""

    invariant: str
    harm: Harm
    text: str

    def __str__(self) -> str:
        """Return the violation on one line."""
        return f"{self.invariant} {self.harm}: {self.text}"


def lost(invariant: str, text: str) -> Violation:
    """Something that was acknowledged or committed is missing."""
    return Violation(invariant=invariant, harm="lost", text=text)


def doubled(invariant: str, text: str) -> Violation:
    """Something is there more often than it happened."""
    return Violation(invariant=invariant, harm="doubled", text=text)


def wrong(invariant: str, text: str) -> Violation:
    """Something is there that was not promised, or it differs from the promise."""
    return Violation(invariant=invariant, harm="wrong", text=text)


def disordered(text: str) -> Violation:
    """Something comes before something that it must follow."""
    return Violation(invariant="I4", harm="out of order", text=text)
