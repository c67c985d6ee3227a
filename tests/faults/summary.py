"""Figures over many tests and many seeds, on one page.

Results are stored as lines of JSON, so that runs of different processes can be combined.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import NamedTuple, Self

from faults.violation import HARMS

FILE = "DIDFLOW_FAULT_REPORT"
"""The variable that names a file to which each test adds its line."""


_SHOWN = 10


class Timed(NamedTuple):
    """A fault and the seconds from its end until the recovery, if known."""

    kind: str
    seconds: float | None


@dataclass(frozen=True, kw_only=True)
class TestResult:
    """The result of one test. `rows` are the matrix rows that it proves; `run` distinguishes repeated runs."""

    name: str
    seed: int | None = None
    run: str = ""
    passed: bool = True
    rows: tuple[str, ...] = ()
    acknowledged: dict[str, int] = field(default_factory=dict)
    faults: tuple[Timed, ...] = ()
    duplicates: int = 0
    harms: dict[str, int] = field(default_factory=dict)
    took: float = 0.0

    def write(self, file: Path) -> None:
        """Add the result to a file."""
        with file.open("a") as lines:
            lines.write(json.dumps(asdict(self)) + "\n")

    @classmethod
    def read(cls, line: str) -> Self:
        """Return the result of a line."""
        said = json.loads(line)
        return cls(
            **said | {"rows": tuple(said["rows"]), "faults": tuple(Timed(*one) for one in said["faults"])}
        )


@dataclass(frozen=True)
class Summary:
    """All results."""

    outcomes: Sequence[TestResult]

    @property
    def passed(self) -> bool:
        """True if every test of every run passed."""
        return all(one.passed for one in self.outcomes)

    def rows(self) -> dict[str, tuple[int, int]]:
        """Return, for each row, in how many runs all of its tests passed, and in how many it ran."""
        green: dict[tuple[str, str], bool] = {}
        for one in self.outcomes:
            for row in one.rows:
                green[row, one.run] = green.get((row, one.run), True) and one.passed
        names = sorted({row for row, _ in green})
        return {name: _counted([ok for (row, _), ok in green.items() if row == name]) for name in names}

    def __str__(self) -> str:
        """Return the page."""
        acknowledged: Counter[str] = Counter()
        harms: Counter[str] = Counter(dict.fromkeys(HARMS, 0))
        for one in self.outcomes:
            acknowledged.update(one.acknowledged)
            harms.update(one.harms)
        faults = [fault for one in self.outcomes for fault in one.faults]
        kinds = sorted({fault.kind for fault in faults})
        seeds = list(dict.fromkeys(str(one.seed) for one in self.outcomes if one.seed is not None))
        lines = [
            f"seeds                   {', '.join(seeds[:_SHOWN])}{', ...' if seeds[_SHOWN:] else ''}",
            f"commands acknowledged   {acknowledged.total()}: {_listed(acknowledged)}",
            f"duplicates absorbed     {sum(one.duplicates for one in self.outcomes)}",
            f"faults, time to recover {_percentiles(faults)}",
            *(f"  {kind:<30}{_percentiles([one for one in faults if one.kind == kind])}" for kind in kinds),
            ", ".join(f"{harm} {count}" for harm, count in harms.items()),
        ]
        return "\n".join([*lines, *self._rows(), *self._red()])

    def _rows(self) -> Iterable[str]:
        """Return how often each row passed, ten on a line."""
        said = [f"{row} {green}/{ran}" for row, (green, ran) in self.rows().items()]
        if said:
            yield f"rows green              {sum(g == n for g, n in self.rows().values())} of {len(said)}"
        for begin in range(0, len(said), 10):
            yield "  " + "  ".join(said[begin : begin + 10])

    def _red(self) -> Iterable[str]:
        for one in self.outcomes:
            if not one.passed and one.rows:
                yield f"RED  {one.name}" + ("" if one.seed is None else f"  DIDFLOW_SEED={one.seed}")


def _counted(green: Sequence[bool]) -> tuple[int, int]:
    return sum(green), len(green)


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"


def _percentiles(faults: Sequence[Timed]) -> str:
    seconds = [one.seconds for one in faults if one.seconds is not None]
    if not seconds:
        return f"{len(faults):>5}"
    cuts = quantiles([*seconds, *seconds], n=100, method="inclusive")
    timed = f"p50 {cuts[49]:.1f} s, p99 {cuts[98]:.1f} s, worst {max(seconds):.1f} s"
    return f"{len(faults):>5}  {timed}" + (f" (of {len(seconds)})" if len(seconds) < len(faults) else "")
