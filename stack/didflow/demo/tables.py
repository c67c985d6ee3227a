"""The output of the demo: a table of all numbers, a table of the other lines, and the sums."""

from collections import Counter
from typing import Any, Final

from rich.table import Table

from didflow.demo.results import Found, LineResult

_MARK: Final = {True: "[green]as expected[/]", False: "[red]NOT AS EXPECTED[/]"}
_CIRCLES: Final = {"green": "[green]●[/] green", "yellow": "[yellow]●[/] yellow", "red": "[red]●[/] red"}


def numbers_table(verdicts: list[LineResult], found: Found) -> Table:
    """Return the table of the numbers: number, country, status, circle and next step."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("number", "country", "status", "circle", "next step", "who", ""):
        table.add_column(name, no_wrap=True)
    for verdict in verdicts:
        if verdict.purchase.expect.status is not None:
            table.add_row(*_row(verdict, found.numbers.get(verdict.purchase.did_id)))
    return table


def _row(verdict: LineResult, did: Any) -> tuple[str, ...]:
    mark = _MARK[verdict.ok] + ("" if verdict.ok else f" ({verdict.expected})")
    if did is None:
        return verdict.purchase.number, "", verdict.found, "", "", "", mark
    step = did["next_step"]
    circle = _CIRCLES.get(did["circle"], str(did["circle"]))
    return did["number"], did["country"], did["status_label"], circle, step["action"], step["who"], mark


def others_table(verdicts: list[LineResult]) -> Table:
    """Return the table of the lines that created no DID: refused, repeated or dead-lettered."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("line", "account", "outcome", ""):
        table.add_column(name, no_wrap=True)
    for verdict in verdicts:
        purchase = verdict.purchase
        if purchase.expect.status is None:
            what = (
                f"{purchase.event['id']} {purchase.number}" if purchase.event else "a line that is not JSON"
            )
            mark = _MARK[verdict.ok] + ("" if verdict.ok else f" ({verdict.expected})")
            table.add_row(what, purchase.account, verdict.found, mark)
    return table


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
