"""A step of a decision about a DID's registration; steps follow one another and are said together."""

from uuid import UUID

from msgspec import Struct

from didflow_chassis.decision import Decided
from didflow_contracts.event_data import EventData
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.axes.service_request import ServiceRequest
from didflow_verification.domain.axes.verification import Verification


class Step(Struct, frozen=True, kw_only=True):
    """What is so after a step: the registration, what else changed, and the events that say so."""

    registration: Registration
    attempts: tuple[Verification, ...] = ()
    others: tuple[ServiceRequest, ...] = ()
    events: tuple[EventData, ...] = ()

    def then(
        self,
        registration: Registration,
        *events: EventData,
        attempts: tuple[Verification, ...] = (),
        others: tuple[ServiceRequest, ...] = (),
    ) -> "Step":
        """Return this step with another after it; a later value of anything takes the earlier one's place."""
        changed: dict[UUID, Verification] = {a.verification_id: a for a in (*self.attempts, *attempts)}
        requests: dict[UUID, ServiceRequest] = {r.request_id: r for r in (*self.others, *others)}
        return Step(
            registration=registration,
            attempts=tuple(changed.values()),
            others=tuple(requests.values()),
            events=(*self.events, *events),
        )

    @property
    def changed(self) -> tuple[Verification | ServiceRequest, ...]:
        """All that changed besides the registration."""
        return (*self.attempts, *self.others)

    def decided(self, answer: object = None) -> Decided[Registration]:
        """Return the whole as a decision."""
        return Decided(state=self.registration, also=self.changed, events=self.events, answer=answer)
