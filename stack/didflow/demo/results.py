"""Compares how every line ended with what the file expects. The functions are pure."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from didflow.demo.examples import Examples, Purchase


@dataclass(frozen=True, kw_only=True)
class Found:
    """The facts after the run.

    `numbers` is My Numbers by DID, `charged` the first periods charged, `dead_letters` service -> reason -> count.
    `repeats` is the number of repeats that each service has counted, or None if its worker was restarted.
    """

    numbers: Mapping[str, Mapping[str, Any]]
    refused: Mapping[str, str]
    charged: Mapping[str, int]
    automatic: frozenset[str]
    dead_letters: Mapping[str, Mapping[str, int]]
    repeats: Mapping[str, int | None]


@dataclass(frozen=True, kw_only=True)
class LineResult:
    """The result of one line: what was expected and what was found."""

    purchase: Purchase
    expected: str
    found: str

    @property
    def ok(self) -> bool:
        """True if the line ended as expected."""
        return self.expected == self.found


def judge(examples: Examples, found: Found) -> list[LineResult]:
    """Return the result of every line, in the order of the file."""
    return [_verdict(examples, purchase, found) for purchase in examples.purchases]


def unexpected(examples: Examples, found: Found) -> list[str]:
    """Return what is there and should not be, or is missing and should be there. Empty if all is well."""
    return [
        *_unexpected_numbers(examples, found),
        *_wrong_letters(examples, found),
        *_uncounted_repeats(examples, found),
        *_wrong_automatic(examples, found),
    ]


def _verdict(examples: Examples, purchase: Purchase, found: Found) -> LineResult:
    expect = purchase.expect
    if expect.status is not None:
        expected = f"{expect.status}, {expect.next_step}"
        return LineResult(purchase=purchase, expected=expected, found=_number(purchase, found))
    if expect.refused is not None:
        code = found.refused.get(purchase.did_id)
        there = f"refused {code}" if code else _number(purchase, found)
        return LineResult(purchase=purchase, expected=f"refused {expect.refused}", found=there)
    if expect.duplicate:
        return LineResult(purchase=purchase, expected="duplicate", found=_duplicate(purchase, found))
    letters = min(
        (reasons.get(expect.dead_letter or "", 0) for reasons in found.dead_letters.values()), default=0
    )
    wanted = _letters(examples)[expect.dead_letter or ""]
    there = (
        f"dead letter {expect.dead_letter}" if letters == wanted else f"{letters} of {wanted} dead letters"
    )
    return LineResult(purchase=purchase, expected=f"dead letter {expect.dead_letter}", found=there)


def _number(purchase: Purchase, found: Found) -> str:
    did = found.numbers.get(purchase.did_id)
    return f"{did['status']}, {did['next_step']['action']}" if did else "not there"


def _duplicate(purchase: Purchase, found: Found) -> str:
    """Return `duplicate` if the DID exists and was charged once."""
    if purchase.did_id not in found.numbers:
        return "not there"
    charged = found.charged.get(purchase.did_id, 0)
    return "duplicate" if charged == 1 else f"charged {charged} times"


def _letters(examples: Examples) -> Counter[str]:
    return Counter(p.expect.dead_letter for p in examples.purchases if p.expect.dead_letter)


def _unexpected_numbers(examples: Examples, found: Found) -> Iterator[str]:
    wanted = {purchase.did_id for purchase in examples.ending("status")}
    for did_id in found.numbers.keys() - wanted:
        yield f"{found.numbers[did_id]['number']} is in My Numbers but should not be"


def _wrong_letters(examples: Examples, found: Found) -> Iterator[str]:
    wanted = dict(_letters(examples))
    for service, reasons in found.dead_letters.items():
        if dict(reasons) != wanted:
            yield f"{service} has dead letters {dict(reasons)}, not {wanted}"


def _uncounted_repeats(examples: Examples, found: Found) -> Iterator[str]:
    """Each service must count each repeat of an event's id. A worker that was restarted began at zero."""
    ids = Counter((p.event["source"], p.event["id"]) for p in examples.purchases if p.event)
    wanted = sum(count - 1 for count in ids.values())
    for service, counted in found.repeats.items():
        if counted is not None and counted < wanted:
            yield f"{service} counted {counted} repeats, not {wanted}"


def _wrong_automatic(examples: Examples, found: Found) -> Iterator[str]:
    wanted = {p.did_id for p in examples.purchases if p.then.review == "automatic"}
    for did_id in wanted - found.automatic:
        yield f"{found.numbers.get(did_id, {}).get('number', did_id)} was not approved automatically"
