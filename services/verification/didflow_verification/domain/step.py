"""A step of a decision about a DID's registration; steps follow one another and are said together."""

from dataclasses import dataclass
from uuid import UUID

from didflow_chassis.decision import Decided
from didflow_contracts.event import EventData
from didflow_verification.domain.registration import Registration
from didflow_verification.domain.verification import Verification


@dataclass(frozen=True, kw_only=True)
class Step:
    """What is so after a step: the registration, the attempts that changed, and the events that say so."""

    registration: Registration
    attempts: tuple[Verification, ...] = ()
    events: tuple[EventData, ...] = ()

    def then(
        self,
        registration: Registration,
        *events: EventData,
        attempts: tuple[Verification, ...] = (),
    ) -> "Step":
        """Return this step with another after it; a later value of an attempt takes the earlier one's place."""
        changed: dict[UUID, Verification] = {a.verification_id: a for a in (*self.attempts, *attempts)}
        return Step(
            registration=registration, attempts=tuple(changed.values()), events=(*self.events, *events)
        )

    def decided(self, answer: object = None) -> Decided[Registration]:
        """Return the whole as a decision."""
        return Decided(state=self.registration, also=self.attempts, events=self.events, answer=answer)
