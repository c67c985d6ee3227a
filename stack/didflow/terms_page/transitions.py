"""The transitions of a term: the table and the diagram of `didflow_billing.domain.term.TRANSITIONS`."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from didflow.terms_page.life import Example, moments
from didflow_billing.domain.term import TRANSITIONS
from didflow_contracts.vocabulary import TermState

Transition = tuple[TermState | None, TermState]

NOT_REACHED: Final[frozenset[Transition]] = frozenset({("active", "aging")})
"""Transitions of the contract that no decision makes, so no example can show them."""

WHEN: Final[Mapping[Transition, str]] = {
    (None, "none"): "a number without a price, or a porting starts",
    (None, "active"): "purchase",
    (None, "delayed_removal"): "purchase with 0 cycles",
    ("none", "active"): "purchase after a porting",
    ("none", "delayed_removal"): "purchase after a porting, with 0 cycles",
    ("none", "closed"): "withdrawn or refused, or no row of the price list",
    ("active", "delayed_removal"): "last renewal, or cycles set to 0",
    ("active", "canceled"): "cancel",
    ("active", "aging"): "not reached: a term that expires has 0 cycles",
    ("active", "closed"): "registration not completed, withdrawn or refused",
    ("delayed_removal", "active"): "cycles set",
    ("delayed_removal", "canceled"): "cancel",
    ("delayed_removal", "aging"): "expired",
    ("delayed_removal", "closed"): "registration not completed, withdrawn or refused",
    ("canceled", "active"): "restore",
    ("canceled", "delayed_removal"): "restore, with 0 cycles",
    ("canceled", "closed"): "34 days after the paid time, withdrawn or refused",
    ("aging", "delayed_removal"): "renew",
    ("aging", "closed"): "34 days after the paid time, withdrawn or refused",
}
"""Transition -> when it happens."""


STATES: Final = [state for state in TRANSITIONS if state is not None]


def pairs() -> list[Transition]:
    """Return the transitions in the order of the table."""
    return [(before, after) for before, ends in TRANSITIONS.items() for after in STATES if after in ends]


def transitions_of(example: Example) -> set[Transition]:
    """Return the transitions that an example shows."""
    return {
        (moment.before.state if moment.before else None, moment.after.state)
        for moment in moments(example)
        if moment.after and (moment.before is None or moment.before.state != moment.after.state)
    }


def table(links: Mapping[str, Example]) -> Iterator[str]:
    """Yield the lines of the table. `links` are the examples by their anchor on the page."""
    shown = {anchor: transitions_of(example) for anchor, example in links.items()}
    yield "| from | to | when | example |\n|---|---|---|---|\n"
    for pair in pairs():
        anchors = [anchor for anchor, found in shown.items() if pair in found]
        example = f"[{links[anchors[0]].title}](#{anchors[0]})" if anchors else ""
        yield f"| {_name(pair[0])} | `{pair[1]}` | {WHEN[pair]} | {example} |\n"


def diagram() -> Iterator[str]:
    """Yield the lines of the diagram. What is not reached is left out."""
    yield "```mermaid\nstateDiagram-v2\n"
    for before, after in pairs():
        if (before, after) not in NOT_REACHED:
            yield f"    {before or '[*]'} --> {after}: {WHEN[before, after]}\n"
    yield "    closed --> [*]\n```\n"


def unshown(examples: Iterable[Example]) -> set[Transition]:
    """Return the transitions that no example shows."""
    return set(pairs()).difference(*map(transitions_of, examples))


def _name(state: TermState | None) -> str:
    return f"`{state}`" if state else "start"
