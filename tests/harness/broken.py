"""What the running test broke, noted by whatever broke it, so that a report can say it without the test's help."""

import time
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that was broken, and when it was whole again (Unix seconds; None: never in this test)."""

    kind: str
    what: str
    began: float
    lifted: float | None = None


@dataclass(kw_only=True)
class Journal:
    """The faults of one test, in order; `duplicates` is what stages without a process of their own counted."""

    faults: list[Fault] = field(default_factory=list)
    duplicates: int = 0

    def forget(self) -> None:
        """Begin anew, for the next test."""
        self.faults.clear()
        self.duplicates = 0

    def begin(self, kind: str, what: str) -> None:
        """Note that something is broken from now on."""
        self.faults.append(Fault(kind=kind, what=what, began=time.time()))

    def lift(self, what: str) -> None:
        """Note that it is whole again, whatever was wrong with it."""
        now = time.time()
        for place, fault in enumerate(self.faults):
            if fault.what == what and fault.lifted is None:
                self.faults[place] = replace(fault, lifted=now)

    def once(self, kind: str, what: str = "") -> None:
        """Note what is over as soon as it is done."""
        now = time.time()
        self.faults.append(Fault(kind=kind, what=what, began=now, lifted=now))


JOURNAL = Journal()
"""One test runs at a time."""
