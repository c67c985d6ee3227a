"""The result of a run: what was acknowledged, which faults were injected, and what they cost."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from faults.evidence import Evidence
from faults.invariants import violations
from faults.ledger import Ledger
from faults.summary import Summary, TestResult, Timed
from faults.violation import HARMS, Violation
from harness.fault_journal import Fault

from didflow_contracts.events import DidActivated
from didflow_contracts.topics import SERVICES, SOURCES

_SHOWN: Final = 50


@dataclass(frozen=True, kw_only=True)
class Report:
    """One run. `faults` has, for each fault, the seconds from its end until the recovery."""

    seed: int
    acknowledged: Counter[str]
    faults: Sequence[tuple[Fault, float | None]]
    duplicates: int
    violations: Sequence[Violation]
    odd: Sequence[str] = field(default=())

    @property
    def passed(self) -> bool:
        """True if everything is as promised."""
        return not self.violations and not self.odd

    def outcome(self, name: str, rows: Iterable[str] = ()) -> TestResult:
        """Return the figures of the run, in the form of a test's figures."""
        return TestResult(
            name=name,
            rows=tuple(rows),
            seed=self.seed,
            passed=self.passed,
            acknowledged=dict(self.acknowledged),
            faults=tuple(Timed(fault.kind, seconds) for fault, seconds in self.faults),
            duplicates=self.duplicates,
            harms={harm: sum(one.harm == harm for one in self.violations) for harm in HARMS},
        )

    def __str__(self) -> str:
        """Return the report as text."""
        lines = [
            str(Summary((self.outcome("this run"),))),
            *(f"  {violation}" for violation in self.violations[:_SHOWN]),
            *(f"  odd: {words}" for words in self.odd[:_SHOWN]),
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
    """Judge a run. `duplicates` is the number that the processes counted."""
    done = _done(evidence)
    return Report(
        seed=seed,
        acknowledged=ledger.counts(),
        faults=[(fault, _recovery(fault, ledger, done)) for fault in faults],
        duplicates=duplicates,
        violations=violations(ledger, evidence),
        odd=tuple(odd),
    )


def _recovery(fault: Fault, ledger: Ledger, done: Mapping[UUID, float]) -> float | None:
    """Return how long after the end of a fault the last purchase that was acknowledged before was done.

    Purchases that wait for details are left out, because people take their time. None: the fault was never lifted, or
    nothing was acknowledged before its end.
    """
    if fault.lifted is None:
        return None
    free = (entry for entry in ledger.of("purchase") if entry.said["registration"] == "not_required")
    before = [UUID(entry.did_id) for entry in free if entry.at <= fault.lifted]
    ends = [done[did_id] for did_id in before if did_id in done]
    return max(0.0, max(ends) - fault.lifted) if ends else None


def _done(evidence: Evidence) -> dict[UUID, float]:
    """Return when each DID was active. Without all services: when each service had published its first event."""
    served: dict[UUID, float] = {}
    spoke: dict[UUID, dict[str, float]] = {}
    for said in evidence.records:
        if isinstance(said.event.data, DidActivated):
            served[said.did_id] = min(said.at, served.get(said.did_id, said.at))
        first = spoke.setdefault(said.did_id, {})
        first[said.event.source] = min(said.at, first.get(said.event.source, said.at))
    if set(evidence.services) == set(SERVICES):
        return served
    wanted = {SOURCES[name] for name in evidence.services}
    return {
        did_id: max(first[source] for source in wanted)
        for did_id, first in spoke.items()
        if wanted <= first.keys()
    }
