"""The results as a table for people and as JSON for programs: didflow, the reference, and the ratio."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

LATEST = Path(__file__).parent / "latest.json"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measure. `aim` is the promised ratio: at least that, or at most that if less is better."""

    key: str
    what: str
    unit: str
    ours: float
    reference: float
    against: str
    aim: float
    at_most: bool = False

    @property
    def ratio(self) -> float:
        """didflow divided by the reference."""
        return self.ours / self.reference

    @property
    def is_met(self) -> bool:
        """True if the promise holds."""
        return self.ratio <= self.aim if self.at_most else self.ratio >= self.aim


@dataclass(frozen=True, kw_only=True)
class Report:
    """All measures of one run. `about` describes the machine, `detail` has the figures of each variant."""

    figures: list[Figure] = field(default_factory=list)
    about: dict[str, Any] = field(default_factory=dict)
    detail: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> str:
        """Return the JSON for programs: each measure under its key, with its details."""
        figures = {
            f.key: {"ours": _short(f.ours), "reference": _short(f.reference), "ratio": _short(f.ratio)}
            for f in self.figures
        }
        return json.dumps(figures | {"about": self.about, "detail": self.detail}, indent=2) + "\n"

    def write(self, place: Path = LATEST) -> None:
        """Write the file. Measures of an earlier run that this run did not measure are kept."""
        before: Mapping[str, Any] = json.loads(place.read_text()) if place.exists() else {}
        now = json.loads(self.as_json())
        both = {name: before.get(name, {}) | now[name] for name in ("about", "detail")}
        place.write_text(json.dumps(before | now | both, indent=2) + "\n")

    def show(self, console: Console) -> None:
        """Print the tables for people."""
        console.print(_figures(self.figures))
        for title, rows in self.detail.items():
            console.print(_detail(title, rows))


def _figures(figures: Iterable[Figure]) -> Table:
    table = Table(title="against the references")
    for name in ("measure", "didflow", "reference", "", "ratio", "aim"):
        table.add_column(name, justify="left" if name in ("measure", "") else "right")
    for f in figures:
        aim = f"{'<=' if f.at_most else '>='} {f.aim:g}"
        colour = "green" if f.is_met else "red"
        ours, reference = (f"{value:,.4g} {f.unit}" for value in (f.ours, f.reference))
        table.add_row(f.what, ours, reference, f.against, f"[{colour}]{f.ratio:.3g}[/]", aim)
    return table


def _detail(title: str, rows: Mapping[str, Mapping[str, float]]) -> Table:
    table = Table(title=title)
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    table.add_column("variant")
    for name in names:
        table.add_column(name, justify="right")
    for variant, row in rows.items():
        table.add_row(variant, *(f"{row[name]:,.4g}" if name in row else "" for name in names))
    return table


def _short(value: float) -> float:
    return float(f"{value:.4g}")
