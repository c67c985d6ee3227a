"""What a run came to, for people: what was acknowledged, what was broken, and what that cost anybody."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import quantiles
from uuid import UUID

from faults.evidence import Evidence
from faults.invariants import violations
from faults.ledger import Ledger
from faults.violation import Violation

from didflow_contracts.events import DidActivated


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that was broken, and when it was whole again (Unix seconds)."""

    kind: str
    what: str
    began: float
    lifted: float


@dataclass(frozen=True, kw_only=True)
class Report:
    """One run. `faults` has, with each fault, how many seconds after it was lifted it was made up for."""

    seed: int
    acknowledged: Counter[str]
    faults: Sequence[tuple[Fault, float]]
    duplicates: int
    violations: Sequence[Violation]
    odd: Sequence[str] = field(default=())

    def count(self, harm: str) -> int:
        """How much was lost, doubled, out of order or wrong."""
        return sum(violation.harm == harm for violation in self.violations)

    def by_kind(self) -> dict[str, list[float]]:
        """Group the times to recover by the kind of fault."""
        kinds = sorted({fault.kind for fault, _ in self.faults})
        return {kind: [seconds for fault, seconds in self.faults if fault.kind == kind] for kind in kinds}

    @property
    def passed(self) -> bool:
        """Whether everything is as promised."""
        return not self.violations and not self.odd

    def __str__(self) -> str:
        """Put it on a page."""
        lines = [
            f"seed                    {self.seed}",
            f"commands acknowledged   {self.acknowledged.total()}: {_counted(self.acknowledged)}",
            f"duplicates absorbed     {self.duplicates}",
            f"faults, time to recover {_percentiles([seconds for _, seconds in self.faults])}",
            *(f"  {kind:<22}{_percentiles(seconds)}" for kind, seconds in self.by_kind().items()),
            ", ".join(f"{harm} {self.count(harm)}" for harm in ("lost", "doubled", "out of order", "wrong")),
            *(f"  {violation}" for violation in self.violations[:50]),
            *(f"  odd: {words}" for words in self.odd[:20]),
        ]
        return "\n".join(lines)


def reported(
    *,
    seed: int,
    ledger: Ledger,
    evidence: Evidence,
    faults: Sequence[Fault] = (),
    duplicates: int = 0,
    odd: Iterable[str] = (),
) -> Report:
    """Judge a run. `duplicates` is what the processes counted."""
    return Report(
        seed=seed,
        acknowledged=ledger.counts(),
        faults=[(fault, _recovery(fault, ledger, evidence)) for fault in faults],
        duplicates=duplicates,
        violations=violations(ledger, evidence),
        odd=tuple(odd),
    )


def _recovery(fault: Fault, ledger: Ledger, evidence: Evidence) -> float:
    """Say how long after a fault was lifted the last purchase acknowledged before that was in service.

    Purchases that first wait for details are left out: people take their time.
    """
    active: dict[UUID, float] = {}
    for said in evidence.records:
        if isinstance(said.event.data, DidActivated):
            active[said.did_id] = min(said.at, active.get(said.did_id, said.at))
    free = (entry for entry in ledger.of("purchase") if entry.said["registration"] == "not_required")
    before = [UUID(entry.did_id) for entry in free if entry.at <= fault.lifted]
    done = [active[did_id] for did_id in before if did_id in active]
    return max(0.0, max(done, default=fault.lifted) - fault.lifted)


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"


def _percentiles(seconds: Sequence[float]) -> str:
    if not seconds:
        return "nothing was broken"
    cuts = quantiles([*seconds, *seconds], n=100, method="inclusive")
    return f"{len(seconds):>4}  p50 {cuts[49]:.1f} s, p99 {cuts[98]:.1f} s, worst {max(seconds):.1f} s"
