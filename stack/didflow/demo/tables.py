"""The output of the demo: a table of all numbers, a table of the other lines, and the sums."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from didflow.demo.results import Found, LineResult
from didflow.tables import Cell, Column

LEGEND: Final = (
    "[green]●[/] active   [yellow]●[/] not yet: the next step is missing, and who must take it   "
    "[red]●[/] ended, blocked or on hold"
)
"""What the circles mean. Source: spec lifecycle, Status."""
NUMBERS: Final = (
    Column(name="number"),
    Column(name="country", spare=True),
    Column(name="status", least=12),
    Column(name="circle", spare=True),
    Column(name="next step"),
    Column(name="who"),
    Column(name=""),
)
OTHERS: Final = tuple(Column(name=name) for name in ("line", "account", "outcome", ""))
_COLORS: Final = frozenset({"green", "yellow", "red"})


def number_rows(verdicts: list[LineResult], found: Found) -> Iterator[tuple[str | Cell, ...]]:
    """Return a row for each number: number, country, status, circle and next step."""
    for verdict in verdicts:
        if verdict.purchase.expect.status is not None:
            yield _row(verdict, found.numbers.get(verdict.purchase.did_id))


def _row(verdict: LineResult, did: Any) -> tuple[str | Cell, ...]:
    if did is None:
        return verdict.purchase.number, "", verdict.found, "", "", "", _mark(verdict)
    step, color = did["next_step"], str(did["circle"])
    circle = Cell(f"● {color}", color if color in _COLORS else "")
    shown = (did["number"], did["country"], did["status_label"], circle, step["action"], step["who"])
    return (*shown, _mark(verdict))


def other_rows(verdicts: list[LineResult]) -> Iterator[tuple[str | Cell, ...]]:
    """Return a row for each line that created no DID: refused, repeated or dead-lettered."""
    for verdict in verdicts:
        purchase = verdict.purchase
        if purchase.expect.status is None:
            what = (
                f"{purchase.event['id']} {purchase.number}" if purchase.event else "a line that is not JSON"
            )
            yield what, purchase.account, verdict.found, _mark(verdict)


def _mark(verdict: LineResult) -> Cell:
    if verdict.ok:
        return Cell("as expected", "green")
    return Cell(f"NOT AS EXPECTED ({verdict.expected})", "red")


def sums(verdicts: list[LineResult]) -> str:
    """Return the count of each outcome, as text."""
    ends = Counter(verdict.found.partition(",")[0] for verdict in verdicts)
    return ", ".join(f"{count} {end}" for end, count in ends.most_common())


def as_json(
    verdicts: list[LineResult], found: Found, unexpected: list[str], seconds: float
) -> dict[str, Any]:
    """Return the whole result for programs."""
    return {
        "passed": all(verdict.ok for verdict in verdicts) and not unexpected,
        "seconds": round(seconds, 1),
        "unexpected": unexpected,
        "dead_letters": found.dead_letters,
        "repeats": found.repeats,
        "lines": [_line(verdict, found.numbers.get(verdict.purchase.did_id)) for verdict in verdicts],
    }


def _line(verdict: LineResult, did: Any) -> dict[str, Any]:
    line = {
        "number": verdict.purchase.number,
        "did_id": verdict.purchase.did_id,
        "expected": verdict.expected,
        "found": verdict.found,
        "ok": verdict.ok,
    }
    if did is None or verdict.purchase.expect.status is None:
        return line
    shown = {name: did[name] for name in ("country", "status", "circle")}
    return line | shown | {"next_step": did["next_step"]["action"]}
