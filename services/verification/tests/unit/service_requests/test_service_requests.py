"""Additional services of a DID: they are requested, decided and canceled, and they follow the end user."""

from datetime import timedelta
from itertools import product
from typing import Any, get_args
from uuid import UUID

import pytest
from msgspec.structs import replace

from didflow_chassis.decision import Decided, Refused, Unchanged
from didflow_contracts.events.registration import Reason
from didflow_contracts.events.services import SERVICE_STATES
from didflow_contracts.ids import derived_id
from didflow_contracts.vocabulary import AdditionalService
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.axes.service_request import ServiceData, ServiceRequest
from didflow_verification.domain.axes.transitions import SERVICE_REQUEST, ForbiddenTransitionError
from didflow_verification.domain.commands import (
    CancelService,
    CorrectService,
    DecideService,
    RequestService,
)

HOUR = timedelta(hours=1)
SERVICES: tuple[AdditionalService, ...] = get_args(AdditionalService)
REASON = (Reason(code="other", message="Please say more."),)
NEW_YORK = "+12125551234"


class Services:
    """Requests, decides and cancels the services of one DID."""

    def __init__(self, stage: Any, build: Any) -> None:
        self.stage, self.build = stage, build

    def request(
        self, service: AdditionalService, key: int = 1, *, account: str = "master/acme", **data: Any
    ) -> Any:
        """Request a service as Ann of an account, with valid data unless the test gives other data."""
        command = RequestService(
            entity_id=self.build.did,
            subject=self.build.number,
            caller=self.build.caller("ann", "reseller", account),
            request_id=self.key(service, key),
            service=service,
            data=ServiceData(**GOOD[service] | data),
        )
        return self.stage.process(command)

    def decide(
        self,
        service: AdditionalService,
        state: Any,
        *,
        key: int = 1,
        reasons: Any = (),
        by: str = "rita",
        account: str = "master",
    ) -> Any:
        """Move a request to a state, as a reviewer of an account."""
        command = DecideService(
            entity_id=self.build.did,
            subject=self.build.number,
            caller=self.build.caller(by, account=account),
            request_id=self.key(service, key),
            state=state,
            reasons=reasons,
        )
        return self.stage.process(command)

    def correct(self, service: AdditionalService, key: int = 1, *, by: str = "ann", **changes: Any) -> Any:
        """Correct a request as somebody of Acme."""
        command = CorrectService(
            entity_id=self.build.did,
            subject=self.build.number,
            caller=self.build.caller(by, "reseller", "master/acme"),
            request_id=self.key(service, key),
            changes=changes,
        )
        return self.stage.process(command)

    def cancel(self, service: AdditionalService, key: int = 1, *, account: str = "master/acme") -> Any:
        """Cancel a request as Ann of an account."""
        command = CancelService(
            entity_id=self.build.did,
            subject=self.build.number,
            caller=self.build.caller("ann", "reseller", account),
            request_id=self.key(service, key),
        )
        return self.stage.process(command)

    def key(self, service: str, key: int) -> UUID:
        """Return the id of a request."""
        return derived_id("request", service, str(key))

    def state(self, service: AdditionalService, key: int = 1) -> str:
        """Return the state of a request."""
        found = self.stage.state(ServiceRequest, self.key(service, key))
        assert isinstance(found, ServiceRequest)
        return found.state

    def published(self) -> list[tuple[str, str]]:
        """Return service and state of each published event, in order."""
        return [(e.service, e.state) for e in self.stage.published_data("service.changed")]

    def activate(self, service: AdditionalService) -> None:
        """Request and decide a service until it is active."""
        assert isinstance(self.request(service), Decided)
        for state in ("active",) if service == "cnam" else ("in_process", "active"):
            assert isinstance(self.decide(service, state), Decided)


GOOD: dict[str, dict[str, Any]] = {
    "emergency": {"caller_name": "Front desk"},
    "a2p_sms": {
        "brand": "Acme",
        "use_case": "customer_care",
        "sample_messages": ("Your parcel is here.",),
        "opt_in_text": "Tick to agree.",
    },
    "cnam": {"display_name": "ACME BAKERY 24"},
}


@pytest.fixture
def services(stage: Any, build: Any, make: Any) -> Services:
    """A number in New York with all features, without a requirement, with an end user."""
    build.number = NEW_YORK
    identity = make.company()
    place = make.address(identity, "New York", "US", postal_code="10001")
    stage.store(identity, place)
    GOOD["emergency"]["address_id"] = place.address_id
    stage.process(build.purchased(features=["voice_in", *SERVICES]))
    stage.process(build.assigned(identity, place))
    return Services(stage, build)


def code(outcome: Any) -> tuple[str, str | None]:
    """Return the code and the field of a refusal."""
    assert isinstance(outcome, Refused)
    return outcome.code, outcome.field


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_requested_decided_and_published(services: Services, service: AdditionalService) -> None:
    """Each step is an event with the id of the request. No event has its data."""
    services.activate(service)
    states = ["pending", "active"] if service == "cnam" else ["new", "in_process", "active"]
    assert services.published() == [(service, state) for state in states]
    published = str(services.stage.published_data())
    assert "Front desk" not in published
    assert "ACME BAKERY" not in published


@pytest.mark.parametrize("service", SERVICES)
def test_a_request_follows_its_table(services: Services, service: AdditionalService) -> None:
    """Every pair of states is either in the table, or it raises an error that names both states."""
    services.request(service)
    request = services.stage.state(ServiceRequest, services.key(service, 1))
    for before, after in product(SERVICE_STATES[service], repeat=2):
        state = replace(request, state=before)
        if after in SERVICE_REQUEST[service][before]:
            assert state.moved_to(after).state == after
        else:
            with pytest.raises(ForbiddenTransitionError, match=f"{before} -> {after}"):
                state.moved_to(after)


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
def test_each_service_has_its_own_checks(services: Services, service: Any, data: Any, expected: Any) -> None:
    """A missing or wrong field is refused with its code and name, and nothing is written."""
    assert code(services.request(service, **data)) == expected
    assert services.published() == []


def test_a_name_of_fifteen_characters_is_accepted(services: Services) -> None:
    """It may have letters, digits and spaces."""
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
def test_an_emergency_address_is_a_civic_address_in_the_numbers_country(
    services: Services, make: Any, place: Any, expected: str
) -> None:
    """It needs a house number and a postal code, and is no post office box."""
    where = {"city": "New York", "country": "US", "postal_code": "10001"} | place
    address = make.address(make.company(), **where)
    services.stage.store(address)
    assert code(services.request("emergency", address_id=address.address_id)) == (expected, "address_id")


def test_a_foreign_address_cannot_be_used(services: Services, make: Any) -> None:
    """It belongs to another identity, or does not exist."""
    foreign = make.address(make.company("other"), "New York", "US", postal_code="10001")
    services.stage.store(foreign)
    assert code(services.request("emergency", address_id=foreign.address_id)) == ("not_yours", "address_id")
    assert code(services.request("emergency", address_id=services.build.did)) == ("not_yours", "address_id")


def test_cnam_is_for_north_american_numbers(stage: Any, build: Any, make: Any) -> None:
    """A number in London is refused."""
    build.number = "+442079460000"
    acme = make.company()
    stage.store(acme)
    stage.process_all(build.purchased(features=["cnam"]), build.assigned(acme))
    assert code(Services(stage, build).request("cnam")) == ("not_supported", "service")


def test_a_service_must_be_among_the_features(services: Services) -> None:
    """The features that inventory published decide."""
    services.stage.process(services.build.did_changed(features=["voice_in", "cnam"]))
    assert code(services.request("a2p_sms")) == ("not_supported", "service")


def test_a_service_is_not_requested_for_a_number_that_is_not_here(services: Services) -> None:
    """It is still being ported in, or inventory has withdrawn it. My Numbers does not offer it then."""
    features = list(SERVICES)
    for sequence, stock in enumerate(("porting_in", "removed"), 1):
        services.stage.process(services.build.did_changed(sequence=sequence, stock=stock, features=features))
        assert code(services.request("cnam")) == ("wrong_stock_state", None)
    services.stage.process(services.build.did_changed(sequence=3, stock="on_hold", features=features))
    assert isinstance(services.request("cnam"), Decided)


def test_a_number_whose_porting_has_just_started_has_no_service(stage: Any, build: Any, make: Any) -> None:
    """Inventory has not said anything of the DID yet."""
    build.number = NEW_YORK
    acme = make.company()
    stage.store(acme)
    stage.process_all(build.porting_started(features=list(SERVICES)), build.assigned(acme))
    assert code(Services(stage, build).request("cnam")) == ("wrong_stock_state", None)


def test_a_service_needs_an_end_user(stage: Any, build: Any, acme: Any, quay: Any) -> None:
    """Without details, or with rejected ones, the refusal is `identity_missing`. Pending details are enough."""
    build.number_type, services = "local", Services(stage, build)
    stage.store(acme, quay)
    stage.process(build.purchased(features=list(SERVICES)))
    assert code(services.request("a2p_sms")) == ("identity_missing", None)
    stage.process(build.assigned(acme, quay))
    assert isinstance(services.request("a2p_sms"), Decided)
    stage.process(build.reject())
    assert code(services.request("cnam"))[0] == "identity_missing"


def test_one_request_of_a_service_is_open_at_a_time(services: Services) -> None:
    """A second one is refused. After a cancelation a new one is accepted."""
    services.request("a2p_sms")
    assert code(services.request("a2p_sms", 2)) == ("request_open", None)
    services.cancel("a2p_sms")
    assert isinstance(services.request("a2p_sms", 3), Decided)


def test_a_request_is_sent_again_after_required_changes(services: Services) -> None:
    """The request keeps its id, has the changed field beside the others, and has no reasons any more."""
    services.request("a2p_sms")
    services.decide("a2p_sms", "in_process")
    assert code(services.decide("a2p_sms", "changes_required")) == ("reasons_missing", "reasons")
    services.decide("a2p_sms", "changes_required", reasons=REASON)
    assert [reason.code for reason in services.stage.published_data()[-1].reasons] == ["other"]
    services.correct("a2p_sms", brand="Acme Foods", by="bob")
    request = services.stage.state(ServiceRequest, services.key("a2p_sms", 1))
    assert (request.state, request.reasons, request.requested_by) == ("new", (), "user:bob")
    assert (request.data.brand, request.data.opt_in_text) == ("Acme Foods", "Tick to agree.")
    assert isinstance(services.correct("a2p_sms", brand="Acme Foods"), Unchanged)
    assert code(services.decide("a2p_sms", "in_process", by="bob"))[0] == "own_submission"


def test_required_changes_are_made_in_one_way(services: Services) -> None:
    """A new request does not replace the one that requires changes, and nothing else can be corrected."""
    services.request("a2p_sms")
    assert code(services.correct("a2p_sms", brand="Acme Foods")) == ("no_changes_required", None)
    services.decide("a2p_sms", "in_process")
    assert code(services.correct("a2p_sms", brand="Acme Foods")) == ("no_changes_required", None)
    services.decide("a2p_sms", "changes_required", reasons=REASON)
    assert code(services.request("a2p_sms", 2, brand="Acme Foods")) == ("request_open", None)
    services.cancel("a2p_sms")
    assert code(services.correct("a2p_sms", brand="Acme Foods")) == ("no_changes_required", None)


def test_a_correction_is_checked_like_a_new_request(services: Services, make: Any) -> None:
    """Nothing is written. The request still requires changes."""
    services.request("emergency")
    services.decide("emergency", "in_process")
    services.decide("emergency", "changes_required", reasons=REASON)
    foreign = make.address(make.company("other"), "New York", "US", postal_code="10001")
    services.stage.store(foreign)
    published = len(services.published())
    assert code(services.correct("emergency", caller_name=" ")) == ("missing_field", "caller_name")
    assert code(services.correct("emergency", address_id=None)) == ("address_missing", "address_id")
    assert code(services.correct("emergency", address_id=foreign.address_id)) == ("not_yours", "address_id")
    assert code(services.correct("emergency", brand="Acme")) == ("unknown_field", "brand")
    assert (services.state("emergency"), len(services.published())) == ("changes_required", published)
    assert isinstance(services.correct("emergency", caller_name="Reception"), Decided)


def test_a_corrected_request_takes_the_identity_that_the_did_has_now(services: Services, make: Any) -> None:
    """The end user changed while the request waited for changes."""
    services.request("a2p_sms")
    services.decide("a2p_sms", "in_process")
    services.decide("a2p_sms", "changes_required", reasons=REASON)
    other = make.company("other")
    services.stage.store(other)
    services.stage.process(services.build.assigned(other, None, services.build.zero + HOUR))
    assert isinstance(services.correct("a2p_sms"), Decided)
    request = services.stage.state(ServiceRequest, services.key("a2p_sms", 1))
    assert (request.state, request.identity_id) == ("new", other.identity_id)


def test_a_request_is_corrected_though_the_features_of_the_number_changed(services: Services) -> None:
    """The features decide about new requests. An open one goes on until it is canceled."""
    services.request("a2p_sms")
    services.decide("a2p_sms", "in_process")
    services.decide("a2p_sms", "changes_required", reasons=REASON)
    services.stage.process(services.build.did_changed(features=["voice_in"]))
    assert isinstance(services.correct("a2p_sms", brand="Acme Foods"), Decided)


def test_a_cnam_can_be_refused_with_reasons(services: Services) -> None:
    """Its state is not_configured then, and its data is deleted."""
    services.request("cnam")
    assert code(services.decide("cnam", "not_configured")) == ("reasons_missing", "reasons")
    services.decide("cnam", "not_configured", reasons=REASON)
    request = services.stage.state(ServiceRequest, services.key("cnam", 1))
    assert (request.state, request.data, request.reasons) == ("not_configured", None, REASON)
    assert services.stage.state(Registration, services.build.did).services == {}


def test_an_active_cnam_is_canceled_by_the_carrier_first(services: Services) -> None:
    """It is cancelation_pending until the back office decides. Other services are closed at once."""
    services.activate("cnam")
    services.cancel("cnam")
    assert services.state("cnam") == "cancelation_pending"
    assert isinstance(services.cancel("cnam"), Unchanged)
    services.decide("cnam", "not_configured")
    assert services.state("cnam") == "not_configured"
    services.activate("emergency")
    services.cancel("emergency")
    assert services.published()[-1] == ("emergency", "not_configured")


@pytest.mark.parametrize("service", SERVICES)
def test_a_repeated_command_publishes_nothing(services: Services, service: AdditionalService) -> None:
    """The same request, decision or cancelation is given with another key."""
    services.request(service)
    assert isinstance(services.request(service), Unchanged)
    first = "active" if service == "cnam" else "in_process"
    services.decide(service, first)
    assert isinstance(services.decide(service, first), Unchanged)
    services.cancel(service)
    published = len(services.published())
    assert isinstance(services.cancel(service), Unchanged)
    assert len(services.published()) == published


@pytest.mark.parametrize("service", SERVICES)
def test_an_unknown_did_or_request_is_not_found(stage: Any, build: Any, service: AdditionalService) -> None:
    """The DID or the request does not exist yet."""
    services = Services(stage, build)
    GOOD["emergency"]["address_id"] = None
    for outcome in (services.request(service), services.decide(service, "active"), services.cancel(service)):
        assert code(outcome)[0] == "not_found"


def test_a_decision_follows_its_table_and_comes_from_somebody_else(services: Services) -> None:
    """The refusal names both states. Nobody decides a request of their own."""
    services.request("emergency")
    refused = services.decide("emergency", "active")
    assert code(refused) == ("already_decided", "state")
    assert refused.message == "A request for emergency in the state new cannot become active."
    assert code(services.decide("emergency", "in_process", by="ann"))[0] == "own_submission"


def test_active_services_are_processed_again_for_a_new_end_user(services: Services, make: Any) -> None:
    """On a number without a requirement this happens at once. Other requests only get the new identity."""
    services.activate("emergency")
    services.activate("cnam")
    services.request("a2p_sms")
    other = make.company("other")
    services.stage.store(other)
    services.stage.process(services.build.assigned(other, None, services.build.zero + HOUR))
    assert [services.state(service) for service in SERVICES] == ["in_process", "new", "pending"]
    assert services.published()[-2:] == [("emergency", "in_process"), ("cnam", "pending")]
    for service in SERVICES:
        request = services.stage.state(ServiceRequest, services.key(service, 1))
        assert request.identity_id == other.identity_id


def test_with_a_requirement_the_new_end_user_counts_from_its_approval_on(
    pending: Any, build: Any, make: Any
) -> None:
    """Until then the services do not change."""
    other_services = Services(pending, build)
    pending.process(build.did_changed(features=list(SERVICES)))
    pending.process(build.approve())
    other_services.activate("a2p_sms")
    other = make.company("other")
    its_address = make.address(other)
    pending.store(other, its_address)
    pending.process(build.assigned(other, its_address, build.zero + HOUR), now=build.zero + 2 * HOUR)
    assert other_services.state("a2p_sms") == "active"
    pending.process(build.approve(2), now=build.zero + 3 * HOUR)
    assert other_services.state("a2p_sms") == "in_process"


def test_services_are_closed_when_a_number_leaves_the_accounts_of_its_identity(services: Services) -> None:
    """Their state is not_configured and their data is deleted."""
    services.activate("emergency")
    services.request("cnam")
    left = services.build.did_changed("master/globex", services.build.zero + HOUR, features=list(SERVICES))
    services.stage.process(left)
    assert services.published()[-2:] == [("emergency", "not_configured"), ("cnam", "not_configured")]
    assert services.stage.state(ServiceRequest, services.key("cnam", 1)).data is None
    assert code(services.request("a2p_sms", account="master/globex"))[0] == "identity_missing"


def test_a_caller_that_lost_the_did_before_the_lock_cannot_change_its_services(services: Services) -> None:
    """The route reads the DID before the decision. Meanwhile the DID can go from the shop back to Acme."""
    services.activate("cnam")
    assert code(services.request("a2p_sms", account="master/acme/shop"))[0] == "not_found"
    assert code(services.cancel("cnam", account="master/acme/shop"))[0] == "not_found"
    assert services.state("cnam") == "active"


def test_a_request_that_moved_to_another_account_is_not_decided(services: Services) -> None:
    """Its DID went from the shop to the kiosk after the reviewer of the shop had looked it up."""
    shop, kiosk, build = "master/acme/shop", "master/acme/kiosk", services.build
    features = list(SERVICES)
    services.stage.process(build.did_changed(shop, build.zero + HOUR, features=features))
    services.request("cnam")
    services.stage.process(build.did_changed(kiosk, build.zero + 2 * HOUR, sequence=2, features=features))
    assert code(services.decide("cnam", "active", account=shop)) == ("not_found", None)
    assert services.state("cnam") == "pending"
    assert isinstance(services.decide("cnam", "active", account=kiosk), Decided)


def test_services_stay_when_a_number_is_handed_down(services: Services) -> None:
    """The request moves to the new account, so that the holder sees it."""
    services.activate("emergency")
    services.stage.process(services.build.did_changed("master/acme/shop", services.build.zero + HOUR))
    request = services.stage.state(ServiceRequest, services.key("emergency", 1))
    assert (request.state, request.account) == ("active", "master/acme/shop")


@pytest.mark.parametrize("end", ["removed", "refused"])
def test_the_end_of_a_did_is_said_of_each_service_that_was_configured(services: Services, end: str) -> None:
    """They can no longer be decided. A repeat of the end publishes nothing."""
    services.activate("emergency")
    services.request("cnam")
    services.request("a2p_sms")
    services.cancel("a2p_sms")
    published = len(services.published())
    ended = getattr(services.build, end)()
    services.stage.process_all(ended, services.build.again(ended))
    request = services.stage.state(ServiceRequest, services.key("emergency", 1))
    assert (request.state, request.data) == ("not_configured", None)
    assert services.published()[published:] == [("emergency", "not_configured"), ("cnam", "not_configured")]
    assert code(services.request("emergency", 2)) == ("did_ended", None)
