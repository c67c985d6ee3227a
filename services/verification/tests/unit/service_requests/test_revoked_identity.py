"""Services of a DID whose registration is revoked stop, and do not start again on the revoked identity."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, get_args
from uuid import UUID

import pytest
from msgspec.structs import replace

from didflow_chassis.decision import Decided, Refused, Unchanged
from didflow_contracts.ids import derived_id
from didflow_contracts.vocabulary import AdditionalService
from didflow_verification.domain.axes.registration import Lapse, Registration
from didflow_verification.domain.axes.service_request import ServiceData, ServiceRequest
from didflow_verification.domain.axes.verification import Verification, verification_id
from didflow_verification.domain.commands import CorrectService, DecideService, RequestService
from didflow_verification.domain.registration.lapse import lapsed
from didflow_verification.domain.requirements import AddressRule, CountryRules, Review

SERVICES: tuple[AdditionalService, ...] = get_args(AdditionalService)
STOPPED = {"emergency": "changes_required", "a2p_sms": "changes_required", "cnam": "pending"}
NUMBERS = {1: "+12125551234", 2: "+12125551235"}
DIDS = {1: UUID("0190a5b6-7c00-7000-8000-000000000001"), 2: UUID("0190a5b6-7c00-7000-8000-000000000002")}


class Services:
    """Two numbers in New York that need a review of the identity. The second rests on the review of the first."""

    def __init__(self, stage: Any, build: Any, identity: Any, place: Any) -> None:
        self.stage, self.build, self.identity, self.place = stage, build, identity, place
        for which in NUMBERS:
            one = self.messages(which)
            stage.process_all(
                one.purchased(features=["voice_in", *SERVICES]), one.assigned(identity, place, build.zero)
            )
            if which == 1:
                stage.process(one.approve())
        assert self.registration(2).approved.rests_on == verification_id(DIDS[1], 1)

    def messages(self, which: int) -> Any:
        """Return the messages about one of the numbers."""
        one = type(self.build)()
        one.did, one.number = DIDS[which], NUMBERS[which]
        return one

    def registration(self, which: int) -> Registration:
        """Return the registration of one of the numbers."""
        found = self.stage.state(Registration, DIDS[which])
        assert isinstance(found, Registration)
        return found

    def expire(self, which: int) -> None:
        """End the approval of one of the numbers by its date."""
        lapse = Lapse(at=self.build.zero, reason="proof_ended", grace_until=self.build.zero)
        self.stage.store(lapsed(self.registration(which), lapse).registration)

    def decide(self, which: int, service: AdditionalService, state: Any) -> Any:
        """Move the request of a service to a state."""
        return self.stage.process(
            DecideService(
                entity_id=DIDS[which],
                subject=NUMBERS[which],
                caller=self.build.caller("desk", "service", "master"),
                request_id=derived_id("request", service, str(which)),
                state=state,
            )
        )

    def request(self, which: int, service: AdditionalService) -> Any:
        """Request a service with valid data."""
        data: dict[str, dict[str, Any]] = {
            "emergency": {"caller_name": "Front desk", "address_id": self.place.address_id},
            "a2p_sms": {"brand": "A", "use_case": "mixed", "sample_messages": ("M",), "opt_in_text": "O"},
            "cnam": {"display_name": "ACME"},
        }
        return self.stage.process(
            RequestService(
                entity_id=DIDS[which],
                subject=NUMBERS[which],
                caller=self.build.caller("ann", "reseller", "master/acme"),
                request_id=derived_id("request", service, str(which)),
                service=service,
                data=ServiceData(**data[service]),
            )
        )

    def activate_all(self) -> None:
        """Activate all services of both numbers."""
        for which in NUMBERS:
            for service in SERVICES:
                assert isinstance(self.request(which, service), Decided)
                for state in ("active",) if service == "cnam" else ("in_process", "active"):
                    assert isinstance(self.decide(which, service, state), Decided)

    def of(self, which: int) -> list[ServiceRequest]:
        """Return the requests of one of the numbers."""
        return [each for each in self.stage.states(ServiceRequest) if each.did_id == DIDS[which]]

    def states(self, which: int) -> dict[str, str]:
        """Return the state of each service of one of the numbers."""
        found = (
            (s, self.stage.state(ServiceRequest, derived_id("request", s, str(which)))) for s in SERVICES
        )
        return {service: request.state for service, request in found}


@pytest.fixture
def services(new_stage: Callable[..., Any], make: Any, build: Any) -> Services:
    """Two approved numbers, without services yet."""
    row = make.requirement(
        address=AddressRule(required=True, match="none", proof=False), review=Review(manual=True)
    )
    stage = new_stage((CountryRules(country="US", languages=(), places={}, requirements=(row,)),))
    identity = make.company()
    place = make.address(identity, "New York", "US", postal_code="10001")
    stage.store(identity, place)
    return Services(stage, build, identity, place)


def revoke_directly(services: Services) -> None:
    """Revoke the review of the first number, and run the item of the second."""
    services.stage.process(services.messages(1).revoke())
    services.stage.process(services.messages(2).revoke_resting(verification_id(DIDS[1], 1)))


def revoke_through_the_second(services: Services) -> None:
    """Revoke the automatic approval of the second number, and run the item of the first."""
    services.stage.process(services.messages(2).revoke())
    services.stage.process(services.messages(1).revoke_resting(verification_id(DIDS[1], 1)))


@pytest.mark.parametrize("revoked", [revoke_directly, revoke_through_the_second])
def test_active_services_do_not_stay_active_on_a_revoked_identity(
    services: Services, revoked: Callable[[Services], None]
) -> None:
    """All of both numbers stop, in whichever way the revocation ends the approval, and say why."""
    services.activate_all()
    published = len(services.stage.published_data("service.changed"))
    revoked(services)
    for which in NUMBERS:
        assert services.registration(which).state == "expired"
        assert services.states(which) == STOPPED
    events = services.stage.published_data("service.changed")[published:]
    assert len(events) == 2 * len(SERVICES)
    assert {(each.service, each.state) for each in events} == set(STOPPED.items())
    assert {reason.code for each in events for reason in each.reasons} == {"revoked"}


def test_only_this_stops_the_services_of_one_number(services: Services) -> None:
    """Those of the number that was reviewed stay active."""
    services.activate_all()
    services.stage.process(services.messages(2).revoke(only_this=True))
    assert services.states(2) == STOPPED
    assert set(services.states(1).values()) == {"active"}


@pytest.mark.parametrize("resubmitted", [False, True])
def test_a_service_does_not_become_active_on_a_revoked_identity(
    services: Services, *, resubmitted: bool
) -> None:
    """Neither while the registration is expired, nor while the same details wait for a person."""
    services.request(1, "emergency")
    services.decide(1, "emergency", "in_process")
    services.request(1, "cnam")
    services.stage.process(services.messages(1).revoke())
    if resubmitted:
        services.stage.process(services.messages(1).resubmit(1, services.identity, services.place))
        assert services.registration(1).state == "pending"
    for service in ("emergency", "cnam"):
        outcome = services.decide(1, service, "active")  # type: ignore[arg-type]
        assert isinstance(outcome, Refused)
        assert outcome.code == "identity_missing"
    assert "active" not in {request.state for request in services.stage.states(ServiceRequest)}


def test_services_that_were_not_active_stay_as_they_are(services: Services) -> None:
    """A request that is new or in process goes on when a person has approved the details again."""
    services.request(1, "a2p_sms")
    services.decide(1, "a2p_sms", "in_process")
    services.stage.process(services.messages(1).revoke())
    services.stage.process(services.messages(1).resubmit(1, services.identity, services.place))
    services.stage.process(services.messages(1).approve(2))
    assert services.stage.states(ServiceRequest)[0].state == "in_process"
    assert isinstance(services.decide(1, "a2p_sms", "active"), Decided)


def test_services_take_the_identity_that_replaced_the_revoked_one(services: Services, make: Any) -> None:
    """Two services of a DID never have two identities: those that stopped take the one that was assigned since."""
    services.activate_all()
    services.stage.process(services.messages(1).revoke())
    other = make.company("other")
    place = make.address(other, "New York", "US", postal_code="10001")
    services.stage.store(other, place)
    later = services.build.zero + timedelta(minutes=1)
    assert isinstance(services.stage.process(services.messages(1).assigned(other, place, later)), Decided)
    assert services.registration(1).state == "pending"
    assert {each.identity_id for each in services.of(1)} == {other.identity_id}


def test_no_service_stays_active_with_an_identity_that_left_the_did(services: Services, make: Any) -> None:
    """The approval ended by its date, which keeps services active. Then other details are assigned."""
    services.activate_all()
    services.expire(1)
    other = make.company("other")
    services.stage.store(other)
    later = services.build.zero + timedelta(minutes=1)
    services.stage.process(services.messages(1).assigned(other, services.place, later))
    assert services.registration(1).state == "rejected"
    assert services.states(1) == {"emergency": "in_process", "a2p_sms": "in_process", "cnam": "pending"}
    assert isinstance(services.decide(1, "cnam", "active"), Refused)


def test_services_stop_if_the_approval_that_ended_by_its_date_rested_on_the_revoked_review(
    services: Services,
) -> None:
    """The second number expired by date, so its services stayed active. Then the review of the first is revoked."""
    services.activate_all()
    services.expire(2)
    revoke_directly(services)
    assert services.states(2) == STOPPED
    assert services.stage.state(Verification, verification_id(DIDS[2], 1)).status == "revoked"
    again = services.messages(2).revoke_resting(verification_id(DIDS[1], 1))
    assert isinstance(services.stage.process(again), Unchanged)


def test_no_service_takes_an_erased_identity(services: Services, make: Any) -> None:
    """The approval is revoked, and an erased identity is submitted, which is refused. The services keep theirs."""
    services.activate_all()
    services.stage.process(services.messages(1).revoke())
    erased = replace(make.company("other"), erased_at=services.build.zero)
    services.stage.store(erased)
    services.stage.process(services.messages(1).resubmit(1, erased))
    registration = services.registration(1)
    assert (registration.state, [each.code for each in registration.reasons]) == ("rejected", ["not_yours"])
    assert {each.identity_id for each in services.of(1)} == {services.identity.identity_id}


@pytest.mark.parametrize("erased", [False, True], ids=["expired", "rejected"])
def test_a_service_that_a_revocation_stopped_is_corrected_and_waits_for_an_identity(
    services: Services, make: Any, *, erased: bool
) -> None:
    """My Numbers offers the correction. The request keeps its identity if rejected details serve nobody."""
    services.activate_all()
    services.stage.process(services.messages(1).revoke())
    if erased:
        other = replace(make.company("other"), erased_at=services.build.zero)
        services.stage.store(other)
        services.stage.process(services.messages(1).resubmit(1, other))
    assert services.registration(1).state == ("rejected" if erased else "expired")
    corrected = CorrectService(
        entity_id=DIDS[1],
        subject=NUMBERS[1],
        caller=services.build.caller("ann", "reseller", "master/acme"),
        request_id=derived_id("request", "a2p_sms", "1"),
        changes={"brand": "B"},
    )
    assert isinstance(services.stage.process(corrected), Decided)
    assert isinstance(services.decide(1, "a2p_sms", "in_process"), Decided)
    outcome = services.decide(1, "a2p_sms", "active")
    assert isinstance(outcome, Refused)
    assert outcome.code == "identity_missing"
