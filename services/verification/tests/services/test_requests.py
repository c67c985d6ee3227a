"""Additional services of a DID: requested, decided, canceled, and following its end user."""

from datetime import timedelta
from itertools import product
from typing import Any, get_args
from uuid import UUID

import pytest
from msgspec.structs import replace

from didflow_chassis.decision import Decided, Refused, Unchanged
from didflow_contracts.events import ServiceChanged
from didflow_contracts.events.registration import Reason
from didflow_contracts.events.services import SERVICE_STATES
from didflow_contracts.ids import derived_id
from didflow_contracts.vocabulary import AdditionalService
from didflow_verification.domain.axes.forbidden import ForbiddenTransitionError
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.axes.service_request import TRANSITIONS, ServiceData, ServiceRequest, moved
from didflow_verification.domain.services.commands import CancelService, DecideService, RequestService

HOUR = timedelta(hours=1)
SERVICES: tuple[AdditionalService, ...] = get_args(AdditionalService)
REASON = (Reason(code="other", message="Please say more."),)
NEW_YORK = "+12125551234"


class Desk:
    """Says what is wished for one DID's services, and looks at what came of it."""

    def __init__(self, stage: Any, say: Any) -> None:
        self.stage, self.say = stage, say

    def request(self, service: AdditionalService, key: int = 1, **data: Any) -> Any:
        """Ann requests a service with data that passes unless told otherwise."""
        command = RequestService(
            entity_id=self.say.did,
            subject=self.say.number,
            caller=self.say.caller("ann", "reseller", "master/acme"),
            request_id=self.key(service, key),
            service=service,
            data=ServiceData(**GOOD[service] | data),
        )
        return self.stage.process(command)

    def decide(
        self, service: AdditionalService, state: Any, *, key: int = 1, reasons: Any = (), by: str = "rita"
    ) -> Any:
        """A reviewer moves a request on."""
        command = DecideService(
            entity_id=self.say.did,
            subject=self.say.number,
            caller=self.say.caller(by),
            request_id=self.key(service, key),
            state=state,
            reasons=reasons,
        )
        return self.stage.process(command)

    def cancel(self, service: AdditionalService, key: int = 1) -> Any:
        """Ann cancels."""
        command = CancelService(
            entity_id=self.say.did,
            subject=self.say.number,
            caller=self.say.caller("ann", "reseller", "master/acme"),
            request_id=self.key(service, key),
        )
        return self.stage.process(command)

    def key(self, service: str, key: int) -> UUID:
        """The id of a request."""
        return derived_id("request", service, str(key))

    def state(self, service: AdditionalService, key: int = 1) -> str:
        """What a request has come to."""
        found = self.stage.state(ServiceRequest, self.key(service, key))
        assert isinstance(found, ServiceRequest)
        return found.state

    def told(self) -> list[tuple[str, str]]:
        """AdditionalService and state of all that was said, in order."""
        return [(e.service, e.state) for e in self.stage.published_data() if isinstance(e, ServiceChanged)]

    def activate(self, service: AdditionalService) -> None:
        """Request and decide until it is active."""
        assert isinstance(self.request(service), Decided)
        for state in ("active",) if service == "cnam" else ("in_process", "active"):
            assert isinstance(self.decide(service, state), Decided)


GOOD: dict[str, dict[str, Any]] = {
    "emergency": {"caller_name": "Front stage"},
    "a2p_sms": {
        "brand": "Acme",
        "use_case": "customer_care",
        "sample_messages": ("Your parcel is here.",),
        "opt_in_text": "Tick to agree.",
    },
    "cnam": {"display_name": "ACME BAKERY 24"},
}


@pytest.fixture
def services(stage: Any, say: Any, make: Any) -> Desk:
    """A number in New York that can do all, free of registration, with an end user."""
    say.number = NEW_YORK
    identity = make.company()
    place = make.address(identity, "New York", "US", postal_code="10001")
    stage.store(identity, place)
    GOOD["emergency"]["address_id"] = place.address_id
    stage.process(say.purchased(features=["voice_in", *SERVICES]))
    stage.process(say.assigned(identity, place))
    return Desk(stage, say)


def code(outcome: Any) -> tuple[str, str | None]:
    """The code and field of a refusal."""
    assert isinstance(outcome, Refused)
    return outcome.code, outcome.field


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_requested_decided_and_told(services: Desk, service: AdditionalService) -> None:
    """Each step is an event with the request's id; nothing that it states is in one."""
    services.activate(service)
    states = ["pending", "active"] if service == "cnam" else ["new", "in_process", "active"]
    assert services.told() == [(service, state) for state in states]
    said = str(services.stage.published_data())
    assert "Front stage" not in said
    assert "ACME BAKERY" not in said


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_not_in_the_table_cannot_happen(services: Desk, service: AdditionalService) -> None:
    """Every pair of states is either in the table or refused by name."""
    services.request(service)
    request = services.stage.state(ServiceRequest, services.key(service, 1))
    for before, after in product(SERVICE_STATES[service], repeat=2):
        state = replace(request, state=before)
        if after in TRANSITIONS[service][before]:
            assert moved(state, after).state == after
        else:
            with pytest.raises(ForbiddenTransitionError, match=f"{before} -> {after}"):
                moved(state, after)


@pytest.mark.parametrize(
    ("service", "data", "expected"),
    [
        ("emergency", {"address_id": None}, ("address_missing", "address_id")),
        ("emergency", {"caller_name": " "}, ("missing_field", "caller_name")),
        ("a2p_sms", {"brand": None}, ("missing_field", "brand")),
        ("a2p_sms", {"use_case": None}, ("missing_field", "use_case")),
        ("a2p_sms", {"opt_in_text": ""}, ("missing_field", "opt_in_text")),
        ("a2p_sms", {"sample_messages": (" ",)}, ("missing_field", "sample_messages")),
        ("cnam", {"display_name": None}, ("missing_field", "display_name")),
        ("cnam", {"display_name": "SIXTEEN LETTERS!"}, ("bad_format", "display_name")),
        ("cnam", {"display_name": "1234567890123456"}, ("bad_format", "display_name")),
        ("cnam", {"display_name": "BÄCKEREI"}, ("bad_format", "display_name")),
        ("cnam", {"display_name": " ACME"}, ("bad_format", "display_name")),
    ],
)
def test_each_service_has_its_own_checks(services: Desk, service: Any, data: Any, expected: Any) -> None:
    """What is missing or wrong is refused with its code and field, and nothing is written."""
    assert code(services.request(service, **data)) == expected
    assert services.told() == []


def test_a_name_of_fifteen_characters_is_taken(services: Desk) -> None:
    """Letters, digits and spaces."""
    assert isinstance(services.request("cnam", display_name="ACME BAKERY 123"), Decided)


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ({"country": "CA"}, "address_outside_country"),
        ({"street": "PO Box 12"}, "po_box"),
        ({"street": "Broadway"}, "bad_format"),
        ({"postal_code": ""}, "bad_format"),
    ],
)
def test_help_is_sent_to_a_civic_address_in_the_numbers_country(
    services: Desk, make: Any, place: Any, expected: str
) -> None:
    """House number, postal code, no box; the end user's own."""
    where = {"city": "New York", "country": "US", "postal_code": "10001"} | place
    address = make.address(make.company(), **where)
    services.stage.store(address)
    assert code(services.request("emergency", address_id=address.address_id)) == (expected, "address_id")


def test_anothers_address_cannot_be_used(services: Desk, make: Any) -> None:
    """It belongs to another identity, or to none."""
    foreign = make.address(make.company("other"), "New York", "US", postal_code="10001")
    services.stage.store(foreign)
    assert code(services.request("emergency", address_id=foreign.address_id)) == ("not_yours", "address_id")
    assert code(services.request("emergency", address_id=services.say.did)) == ("not_yours", "address_id")


def test_cnam_is_for_north_american_numbers(stage: Any, say: Any, make: Any) -> None:
    """A number in London shows no name."""
    say.number = "+442079460000"
    acme = make.company()
    stage.store(acme)
    stage.process_all(say.purchased(features=["cnam"]), say.assigned(acme))
    assert code(Desk(stage, say).request("cnam")) == ("not_supported", "service")


def test_a_number_that_cannot_do_it_has_no_such_service(services: Desk) -> None:
    """What inventory says of the number counts."""
    services.stage.process(services.say.holding(features=["voice_in", "cnam"]))
    assert code(services.request("a2p_sms")) == ("not_supported", "service")


def test_a_service_needs_an_end_user(stage: Any, say: Any, acme: Any, quay: Any) -> None:
    """None assigned, or rejected: `identity_missing`; one that waits for a reviewer will do."""
    say.number_type, wish = "local", Desk(stage, say)
    stage.store(acme, quay)
    stage.process(say.purchased(features=list(SERVICES)))
    assert code(wish.request("a2p_sms")) == ("identity_missing", None)
    stage.process(say.assigned(acme, quay))
    assert isinstance(wish.request("a2p_sms"), Decided)
    stage.process(say.reject())
    assert code(wish.request("cnam"))[0] == "identity_missing"


def test_one_request_of_a_service_is_open_at_a_time(services: Desk) -> None:
    """A second one is refused; after a cancelation a new one is taken."""
    services.request("a2p_sms")
    assert code(services.request("a2p_sms", 2)) == ("request_open", None)
    services.cancel("a2p_sms")
    assert isinstance(services.request("a2p_sms", 3), Decided)


def test_required_changes_are_answered_by_asking_again(services: Desk) -> None:
    """The same request with other data, new again, its reasons gone."""
    services.request("a2p_sms")
    services.decide("a2p_sms", "in_process")
    assert code(services.decide("a2p_sms", "changes_required")) == ("reasons_missing", "reasons")
    services.decide("a2p_sms", "changes_required", reasons=REASON)
    assert services.stage.published_data()[-1].reasons == REASON
    services.request("a2p_sms", 2, brand="Acme Foods")
    request = services.stage.state(ServiceRequest, services.key("a2p_sms", 1))
    assert (request.state, request.data.brand, request.reasons) == ("new", "Acme Foods", ())


def test_a_cnam_can_be_refused_with_reasons(services: Desk) -> None:
    """It is not configured then, and what it stated is gone."""
    services.request("cnam")
    assert code(services.decide("cnam", "not_configured")) == ("reasons_missing", "reasons")
    services.decide("cnam", "not_configured", reasons=REASON)
    request = services.stage.state(ServiceRequest, services.key("cnam", 1))
    assert (request.state, request.data, request.reasons) == ("not_configured", None, REASON)
    assert services.stage.state(Registration, services.say.did).services == {}


def test_an_active_cnam_is_canceled_by_the_carrier_first(services: Desk) -> None:
    """Cancelation pending until the back office says so; everything else is closed at once."""
    services.activate("cnam")
    services.cancel("cnam")
    assert services.state("cnam") == "cancelation_pending"
    assert isinstance(services.cancel("cnam"), Unchanged)
    services.decide("cnam", "not_configured")
    assert services.state("cnam") == "not_configured"
    services.activate("emergency")
    services.cancel("emergency")
    assert services.told()[-1] == ("emergency", "not_configured")


@pytest.mark.parametrize("service", SERVICES)
def test_given_twice_nothing_more_is_said(services: Desk, service: AdditionalService) -> None:
    """The same request, decision or cancelation under another key."""
    services.request(service)
    assert isinstance(services.request(service), Unchanged)
    first = "active" if service == "cnam" else "in_process"
    services.decide(service, first)
    assert isinstance(services.decide(service, first), Unchanged)
    services.cancel(service)
    said = len(services.told())
    assert isinstance(services.cancel(service), Unchanged)
    assert len(services.told()) == said


@pytest.mark.parametrize("service", SERVICES)
def test_too_early_or_of_nothing_is_not_found(stage: Any, say: Any, service: AdditionalService) -> None:
    """A DID that has not come, a request that is not there, and one of another DID."""
    wish = Desk(stage, say)
    GOOD["emergency"]["address_id"] = None
    for outcome in (wish.request(service), wish.decide(service, "active"), wish.cancel(service)):
        assert code(outcome)[0] == "not_found"


def test_a_decision_goes_by_its_table_and_not_by_oneself(services: Desk) -> None:
    """What is not listed names the state and the attempt; nobody decides what they requested."""
    services.request("emergency")
    refused = services.decide("emergency", "active")
    assert code(refused) == ("already_decided", "state")
    assert refused.message == "emergency: new cannot become active"
    assert code(services.decide("emergency", "in_process", by="ann"))[0] == "own_submission"


def test_a_new_end_user_sends_active_services_back(services: Desk, make: Any) -> None:
    """On a number without a requirement at once; what is not active only takes the new end user over."""
    services.activate("emergency")
    services.activate("cnam")
    services.request("a2p_sms")
    other = make.company("other")
    services.stage.store(other)
    services.stage.process(services.say.assigned(other, None, services.say.zero + HOUR))
    assert [services.state(service) for service in SERVICES] == ["in_process", "new", "pending"]
    assert services.told()[-2:] == [("emergency", "in_process"), ("cnam", "pending")]
    for service in SERVICES:
        request = services.stage.state(ServiceRequest, services.key(service, 1))
        assert request.identity_id == other.identity_id


def test_with_a_requirement_the_new_end_user_counts_from_its_approval_on(
    pending: Any, say: Any, make: Any
) -> None:
    """While it waits the services stay as they are."""
    say_services = Desk(pending, say)
    pending.process(say.holding(features=list(SERVICES)))
    pending.process(say.approve())
    say_services.activate("a2p_sms")
    other = make.company("other")
    there = make.address(other)
    pending.store(other, there)
    pending.process(say.assigned(other, there, say.zero + HOUR), now=say.zero + 2 * HOUR)
    assert say_services.state("a2p_sms") == "active"
    pending.process(say.approve(2), now=say.zero + 3 * HOUR)
    assert say_services.state("a2p_sms") == "in_process"


def test_the_services_go_with_the_end_user_that_a_number_leaves(services: Desk) -> None:
    """Handed to an account that its identity does not serve: not configured, nothing stated any more."""
    services.activate("emergency")
    services.request("cnam")
    left = services.say.holding("master/globex", services.say.zero + HOUR, features=list(SERVICES))
    services.stage.process(left)
    assert services.told()[-2:] == [("emergency", "not_configured"), ("cnam", "not_configured")]
    assert services.stage.state(ServiceRequest, services.key("cnam", 1)).data is None
    assert code(services.request("a2p_sms"))[0] == "identity_missing"


def test_the_services_stay_with_a_number_inside_its_identitys_accounts(services: Desk) -> None:
    """Handed down: the request follows, so that the new holder sees it."""
    services.activate("emergency")
    services.stage.process(services.say.holding("master/acme/shop", services.say.zero + HOUR))
    request = services.stage.state(ServiceRequest, services.key("emergency", 1))
    assert (request.state, request.account) == ("active", "master/acme/shop")


@pytest.mark.parametrize("end", ["removed", "refused"])
def test_the_end_of_a_did_closes_its_requests_silently(services: Desk, end: str) -> None:
    """Nothing is said of an ended DID; its requests are decided no more."""
    services.activate("emergency")
    said = len(services.told())
    services.stage.process(getattr(services.say, end)())
    request = services.stage.state(ServiceRequest, services.key("emergency", 1))
    assert (request.state, request.data, len(services.told())) == ("not_configured", None, said)
    assert code(services.request("emergency", 2)) == ("did_ended", None)
