"""The report of a run: acknowledged requests, injected faults, recovery times and violations."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from faults.evidence import Evidence
from faults.invariants import violations
from faults.ledger import Ledger
from faults.summary import FaultResult, Summary, Timed
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
    unexpected: Sequence[str] = field(default=())

    @property
    def passed(self) -> bool:
        """True if nothing is violated and nothing unexpected happened."""
        return not self.violations and not self.unexpected

    def result(self, name: str, rows: Iterable[str] = ()) -> FaultResult:
        """Return the figures of the run, in the form of a test's figures."""
        return FaultResult(
            name=name,
            rows=tuple(rows),
            seed=self.seed,
            passed=self.passed,
            acknowledged=dict(self.acknowledged),
            faults=tuple(Timed(fault.kind, seconds) for fault, seconds in self.faults),
            duplicates=self.duplicates,
            harms={harm: sum(violation.harm == harm for violation in self.violations) for harm in HARMS},
        )

    def __str__(self) -> str:
        """Return the report as text."""
        lines = [
            str(Summary((self.result("this run"),))),
            *(f"  {violation}" for violation in self.violations[:_SHOWN]),
            *(f"  unexpected: {text}" for text in self.unexpected[:_SHOWN]),
        ]
        return "\n".join(lines)


def report_of(
    *,
    seed: int,
    ledger: Ledger,
    evidence: Evidence,
    faults: Sequence[Fault] = (),
    duplicates: int = 0,
    unexpected: Iterable[str] = (),
) -> Report:
    """Check the invariants and return the report. `duplicates` is the number that the processes counted."""
    ready_at = _ready_times(evidence)
    return Report(
        seed=seed,
        acknowledged=ledger.counts(),
        faults=[(fault, _recovery(fault, ledger, ready_at)) for fault in faults],
        duplicates=duplicates,
        violations=violations(ledger, evidence),
        unexpected=tuple(unexpected),
    )


def _recovery(fault: Fault, ledger: Ledger, ready_at: Mapping[UUID, float]) -> float | None:
    """Return the seconds from the end of a fault until all purchases that were acknowledged before are ready.

    Purchases that wait for end-user details are not counted. Return None if the fault was never lifted, or if no
    purchase was acknowledged before its end.
    """
    if fault.lifted is None:
        return None
    free = (entry for entry in ledger.of("purchase") if entry.values["registration"] == "not_required")
    before = [UUID(entry.did_id) for entry in free if entry.at <= fault.lifted]
    ends = [ready_at[did_id] for did_id in before if did_id in ready_at]
    return max(0.0, max(ends) - fault.lifted) if ends else None


def _ready_times(evidence: Evidence) -> dict[UUID, float]:
    """Return when each DID was active. Without all services: when each service had published its first event."""
    activated: dict[UUID, float] = {}
    first_events: dict[UUID, dict[str, float]] = {}
    for published in evidence.records:
        if isinstance(published.event.data, DidActivated):
            activated[published.did_id] = min(published.at, activated.get(published.did_id, published.at))
        first = first_events.setdefault(published.did_id, {})
        first[published.event.source] = min(published.at, first.get(published.event.source, published.at))
    if set(evidence.services) == set(SERVICES):
        return activated
    sources = {SOURCES[name] for name in evidence.services}
    return {
        did_id: max(first[source] for source in sources)
        for did_id, first in first_events.items()
        if sources <= first.keys()
    }
