"""A step of a decision about a registration. The steps of one decision are saved and published together."""

from uuid import UUID

from msgspec import Struct

from didflow_chassis.decision import Decided, Known
from didflow_contracts.event_data import EventData
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.axes.service_request import ServiceRequest
from didflow_verification.domain.axes.verification import Verification


class Step(Struct, frozen=True, kw_only=True):
    """The result of a step: the registration, the other states that changed, and the events to publish.

    `manual_checks` are the country and the name of each check that a submission leaves to a reviewer.
    """

    registration: Registration
    verifications: tuple[Verification, ...] = ()
    requests: tuple[ServiceRequest, ...] = ()
    events: tuple[EventData, ...] = ()
    manual_checks: tuple[tuple[str, str], ...] = ()

    def then(
        self,
        registration: Registration,
        *events: EventData,
        verifications: tuple[Verification, ...] = (),
        requests: tuple[ServiceRequest, ...] = (),
        manual_checks: tuple[tuple[str, str], ...] = (),
    ) -> "Step":
        """Return this step with another one after it. A later value of a state replaces the earlier one."""
        verified: dict[UUID, Verification] = {
            each.verification_id: each for each in (*self.verifications, *verifications)
        }
        requested: dict[UUID, ServiceRequest] = {
            each.request_id: each for each in (*self.requests, *requests)
        }
        return Step(
            registration=registration,
            verifications=tuple(verified.values()),
            requests=tuple(requested.values()),
            events=(*self.events, *events),
            manual_checks=(*self.manual_checks, *manual_checks),
        )

    @property
    def changed(self) -> tuple[Verification | ServiceRequest, ...]:
        """Return the states that changed besides the registration."""
        return (*self.verifications, *self.requests)

    def decided(self, answer: object = None) -> Decided[Registration]:
        """Return the whole step as a decision."""
        return Decided(
            state=self.registration,
            also=self.changed,
            events=self.events,
            answer=answer,
            manual_checks=self.manual_checks,
        )


def open_verification(registration: Registration, known: Known) -> Verification | None:
    """Return the verification of the registration that is not decided yet, or None."""
    identifier = registration.open_verification_id
    return known.get(Verification, identifier) if identifier else None
