"""The figures of many tests and many seeds on one page.

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
"""The environment variable that names the file to which each test adds its result."""


_SHOWN = 10


class Timed(NamedTuple):
    """A fault and the seconds from its end until the recovery, if known."""

    kind: str
    seconds: float | None


@dataclass(frozen=True, kw_only=True)
class FaultResult:
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
    seconds: float = 0.0

    def write(self, file: Path) -> None:
        """Add the result to a file."""
        with file.open("a") as lines:
            lines.write(json.dumps(asdict(self)) + "\n")

    @classmethod
    def read(cls, line: str) -> Self:
        """Return the result of a line."""
        values = json.loads(line)
        return cls(
            **values
            | {"rows": tuple(values["rows"]), "faults": tuple(Timed(*fault) for fault in values["faults"])}
        )


@dataclass(frozen=True)
class Summary:
    """All results."""

    results: Sequence[FaultResult]

    @property
    def passed(self) -> bool:
        """True if every test of every run passed."""
        return all(result.passed for result in self.results)

    def rows(self) -> dict[str, tuple[int, int]]:
        """Return row -> the number of runs in which all its tests passed, and the number of its runs."""
        passed_in_run: dict[tuple[str, str], bool] = {}
        for result in self.results:
            for row in result.rows:
                passed_in_run[row, result.run] = passed_in_run.get((row, result.run), True) and result.passed
        names = sorted({row for row, _ in passed_in_run})
        return {
            name: _counted([ok for (row, _), ok in passed_in_run.items() if row == name]) for name in names
        }

    def __str__(self) -> str:
        """Return the page."""
        acknowledged: Counter[str] = Counter()
        harms: Counter[str] = Counter(dict.fromkeys(HARMS, 0))
        for result in self.results:
            acknowledged.update(result.acknowledged)
            harms.update(result.harms)
        faults = [fault for result in self.results for fault in result.faults]
        kinds = sorted({fault.kind for fault in faults})
        seeds = list(dict.fromkeys(str(result.seed) for result in self.results if result.seed is not None))
        lines = [
            f"seeds                   {', '.join(seeds[:_SHOWN])}{', ...' if seeds[_SHOWN:] else ''}",
            f"commands acknowledged   {acknowledged.total()}: {_listed(acknowledged)}",
            f"duplicates absorbed     {sum(result.duplicates for result in self.results)}",
            f"faults, time to recover {_percentiles(faults)}",
            *(
                f"  {kind:<30}{_percentiles([fault for fault in faults if fault.kind == kind])}"
                for kind in kinds
            ),
            ", ".join(f"{harm} {count}" for harm, count in harms.items()),
        ]
        return "\n".join([*lines, *self._rows(), *self._failed()])

    def _rows(self) -> Iterable[str]:
        """Return how often each row passed, ten on a line."""
        rows = [f"{row} {passed}/{ran}" for row, (passed, ran) in self.rows().items()]
        if rows:
            all_passed = sum(passed == ran for passed, ran in self.rows().values())
            yield f"rows passed             {all_passed} of {len(rows)}"
        for begin in range(0, len(rows), 10):
            yield "  " + "  ".join(rows[begin : begin + 10])

    def _failed(self) -> Iterable[str]:
        for result in self.results:
            if not result.passed and result.rows:
                yield f"FAILED  {result.name}" + (
                    "" if result.seed is None else f"  DIDFLOW_SEED={result.seed}"
                )


def _counted(passed: Sequence[bool]) -> tuple[int, int]:
    return sum(passed), len(passed)


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"


def _percentiles(faults: Sequence[Timed]) -> str:
    seconds = [fault.seconds for fault in faults if fault.seconds is not None]
    if not seconds:
        return f"{len(faults):>5}"
    cuts = quantiles([*seconds, *seconds], n=100, method="inclusive")
    timed = f"p50 {cuts[49]:.1f} s, p99 {cuts[98]:.1f} s, worst {max(seconds):.1f} s"
    return f"{len(faults):>5}  {timed}" + (f" (of {len(seconds)})" if len(seconds) < len(faults) else "")
