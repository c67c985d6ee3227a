"""Rounds of variants, interleaved: A B C, A B C, ... So other load on the machine affects all variants alike."""

import statistics
from collections.abc import Awaitable, Callable, Mapping, Sequence

from bench.variant import Took

Variant = Callable[[], Awaitable[Took]]
Tell = Callable[[str], None]


async def interleaved(variants: Mapping[str, Variant], rounds: int, tell: Tell) -> dict[str, list[Took]]:
    """Run every variant once in each round. The order rotates, so that none is always first."""
    took: dict[str, list[Took]] = {name: [] for name in variants}
    names = list(variants)
    for number in range(rounds):
        turned = names[number % len(names) :] + names[: number % len(names)]
        for name in turned:
            took[name].append(await variants[name]())
        rates = ", ".join(f"{name} {took[name][-1].rate:,.0f}/s" for name in names)
        tell(f"round {number + 1} of {rounds}: {rates}")
    return took


def median_rate(took: Sequence[Took]) -> float:
    """Return the median of the rates, in messages a second."""
    return statistics.median(each.rate for each in took)
