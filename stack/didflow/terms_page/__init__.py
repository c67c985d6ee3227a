"""The page that shows what happens to a term. To update it: `python -m didflow.terms_page > docs/terms.md`.

The transitions are those of billing. The tables of the examples are made by running them.
"""

import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, get_args

from didflow.terms_page import (
    examples_of_endings,
    examples_of_periods,
    examples_of_registration,
    tables,
    texts,
    transitions,
)
from didflow.terms_page.life import Example, quotes
from didflow_billing.api.examples import QUOTES
from didflow_billing.domain.effect import CallsEffect
from didflow_billing.domain.quote_messages import message_of, message_of_instead
from didflow_contracts.vocabulary import TermState

SECTIONS: Final[Mapping[str, Sequence[Example]]] = {
    texts.PERIODS: examples_of_periods.PERIODS,
    texts.INSTANTS: examples_of_periods.INSTANTS,
    texts.AMOUNTS: examples_of_periods.AMOUNTS,
    texts.PRICE_LIST: examples_of_periods.PRICE_LIST,
    texts.TWO_WAYS: examples_of_endings.TWO_WAYS,
    texts.CANCELED: examples_of_endings.CANCELED,
    texts.REGISTRATION: examples_of_registration.CANCELED,
    texts.FIRST_PERIOD: examples_of_registration.FIRST_PERIOD,
    texts.REMINDERS: examples_of_endings.REMINDERS,
    texts.FROM_INVENTORY: examples_of_endings.FROM_INVENTORY,
}
"""The beginning of a section -> its examples."""

WIDTH: Final = 118

EXAMPLES: Final = [example for examples in SECTIONS.values() for example in examples]


def page() -> str:
    """Return the page."""
    return "".join(_parts())


def _parts() -> Iterator[str]:
    yield texts.HEAD
    yield "| state | calls | what it means |\n|---|---|---|\n"
    yield from (f"| `{state}` | {texts.STATES[state]} |\n" for state in get_args(TermState))
    yield texts.TIME
    yield from transitions.table({anchor(example.title): example for example in EXAMPLES})
    yield "\n"
    yield from transitions.diagram()
    yield texts.QUOTE
    (result,) = QUOTES["cancel"][1]["results"]
    yield f"```json\n{json.dumps(result, indent=2)}\n```\n\n"
    yield "| `calls` | what the term does to calls and messages |\n|---|---|\n"
    yield from (f"| `{calls}` | {texts.CALLS[calls]} |\n" for calls in get_args(CallsEffect))
    yield texts.QUOTE_END
    for beginning, examples in SECTIONS.items():
        yield f"\n{beginning}"
        for example in examples:
            yield f"\n### {example.title}\n\n{_wrapped(example.rule)}\n\n{tables.table(example)}"
            yield from (f"\n{_wrapped(said)}\n" for said in _below(example))


def _below(example: Example) -> Iterator[str]:
    """Yield what stands below a table: that a stopped clock makes no difference, and quotes."""
    if example.stopped:
        stops, runs = example.stopped
        yield (
            f"The example was run twice: with a clock that never stops, and with one that is stopped from {stops} to "
            f"{runs}. Both made this table."
        )
    for made in quotes(example):
        instead = f' `instead` says: "{message_of_instead(made.instead)}"' if made.instead else ""
        yield f'The quote of {tables.said(made.command)} says: "{message_of(made)}"{instead}'


def _wrapped(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def anchor(title: str) -> str:
    """Return the anchor that a heading has on GitHub."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
