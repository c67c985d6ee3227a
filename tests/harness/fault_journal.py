"""The faults that the running test injected. Whatever injects a fault records it here; the fault report reads it."""

import time
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One injected fault. `began` and `lifted` are Unix seconds; `lifted` is None if the fault lasted to the end."""

    kind: str
    what: str
    began: float
    lifted: float | None = None


@dataclass(kw_only=True)
class Journal:
    """The faults of one test in order. `duplicates` counts repeated events in stages that run inside the test."""

    faults: list[Fault] = field(default_factory=list)
    duplicates: int = 0

    def forget(self) -> None:
        """Remove everything, before the next test."""
        self.faults.clear()
        self.duplicates = 0

    def begin(self, kind: str, what: str) -> None:
        """Record that a fault of `what` begins now."""
        self.faults.append(Fault(kind=kind, what=what, began=time.time()))

    def lift(self, what: str) -> None:
        """Record that all faults of `what` end now."""
        now = time.time()
        for place, fault in enumerate(self.faults):
            if fault.what == what and fault.lifted is None:
                self.faults[place] = replace(fault, lifted=now)

    def once(self, kind: str, what: str = "") -> None:
        """Record a fault that ends in the moment in which it begins, such as a lost connection."""
        now = time.time()
        self.faults.append(Fault(kind=kind, what=what, began=now, lifted=now))


JOURNAL = Journal()
"""The journal of the running test. Only one test runs at a time."""
