"""A refusal reaches the account: in the history with its code, and in My Numbers if its own details are refused."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from inspect import getsource
from types import CodeType, FunctionType
from typing import Any, Final

import pytest
from assignments.both_services import (
    ACCOUNT,
    BEGIN,
    DID,
    MINUTE,
    NUMBER,
    OWNER,
    PURCHASE,
    VERIFICATION,
    BothServices,
    identity,
)

from didflow_billing.service import service as billing_service
from didflow_billing.settings import BillingSettings
from didflow_chassis.decision import Decided, Refused, Unchanged
from didflow_chassis.testing import FakeStage
from didflow_contracts.assignments import AssignmentRefused
from didflow_contracts.events import (
    DidPurchased,
    EnduserAssigned,
    MessageRefused,
    PurchaseRefused,
    ResultReported,
)
from didflow_contracts.sources import RegisteredSource
from didflow_provisioning.service import service as provisioning_service
from didflow_provisioning.settings import ProvisioningSettings

FOREIGN, ACME = identity("globex", "master/globex"), identity("acme")
OTHER_NUMBER: Final = "+35319609037"
NOT_PUBLISHED: Final = {"outdated", "command_unknown"}
"""Refusals of which the specification says that nobody is told. Source: spec events, `message.refused`."""
OF_AUTOMATIC_PROFILES: Final = {
    "capacity_exhausted",
    "capacity_group_not_found",
    "sms_trunk_not_found",
    "voice_trunk_group_not_found",
    "voice_trunk_not_found",
}
"""Why an automatic profile leaves a setting of a new DID out. `did.changed` is applied, and the DID misses the setting.

`test_profiles.py` of provisioning shows this.
"""

BILLING: Final = billing_service(BillingSettings.placeholder())
PROVISIONING: Final = provisioning_service(ProvisioningSettings.placeholder())
SERVICES: Final = {"verification": VERIFICATION, "billing": BILLING, "provisioning": PROVISIONING}


def without_requirement() -> BothServices:
    """Return a DID without a requirement, whose details are those of acme, and a foreign identity."""
    both = BothServices(required=False)
    both.verification.store(ACME, FOREIGN)
    both.give(ACME.identity_id, BEGIN + MINUTE)
    return both


def test_the_identity_of_another_account_on_a_did_without_requirement_is_shown_with_its_reason() -> None:
    """The batch cannot know it, because identities live in verification only. The former details stay."""
    both = without_requirement()
    assert isinstance(both.give(FOREIGN.identity_id, BEGIN + 2 * MINUTE), Decided)

    shown = both.shown
    (reason,) = shown.registration.reasons
    assert (reason.code, reason.field) == ("not_yours", "identity_id")
    assert reason.message == "This does not exist, or it cannot be used for this number."
    assert (shown.registration.state, shown.identity.identity_id) == ("not_required", ACME.identity_id)


def test_the_refusal_of_an_assignment_over_http_is_in_the_history_with_its_code() -> None:
    """The entry names the assignment that was refused, and the next one shows the change of the reasons."""
    both = without_requirement()
    both.give(FOREIGN.identity_id, BEGIN + 2 * MINUTE)

    assigned = both.inventory.published("enduser.assigned")[-1]
    (entry,) = (entry for entry in both.history if entry.type == MessageRefused.type())
    assert (entry.code, entry.extra["field"]) == ("not_yours", "identity_id")
    assert entry.extra["refused_id"] == assigned.id
    assert any("registration.reasons" in each.changes for each in both.history)


def test_refused_details_can_be_given_again_and_the_reason_goes_when_they_are_accepted() -> None:
    """They are not `unchanged`: the identity may have been created meanwhile."""
    both = BothServices(required=False)
    both.give(ACME.identity_id, BEGIN + MINUTE)
    assert [reason.code for reason in both.shown.registration.reasons] == ["not_yours"]

    both.verification.store(ACME)
    assert isinstance(both.give(ACME.identity_id, BEGIN + 2 * MINUTE), Decided)
    assert (both.shown.registration.reasons, both.shown.identity.identity_id) == ((), ACME.identity_id)
    assert isinstance(both.give(ACME.identity_id, BEGIN + 3 * MINUTE), Unchanged)


def test_the_reason_goes_when_the_former_details_are_given_again() -> None:
    """They are in force already, so verification says only that nothing is refused any more."""
    both = without_requirement()
    both.give(FOREIGN.identity_id, BEGIN + 2 * MINUTE)
    both.give(ACME.identity_id, BEGIN + 3 * MINUTE)
    assert (both.shown.registration.reasons, both.shown.identity.identity_id) == ((), ACME.identity_id)


def test_the_refusal_of_an_older_assignment_does_not_hide_the_newer_one() -> None:
    """Verification decides both before inventory receives either answer, in whatever order they arrive."""
    for order in (1, -1):
        both = without_requirement()
        seen = len(both.verification.published())
        both.give(FOREIGN.identity_id, BEGIN + 2 * MINUTE, relay=False)
        both.give(ACME.identity_id, BEGIN + 3 * MINUTE, relay=False)
        for event in both.inventory.published("enduser.assigned")[1:]:
            both.verification.receive(event)
        for event in both.verification.published()[seen:][::order]:
            both.inventory.receive(event)
        assert (both.shown.registration.reasons, both.shown.identity.identity_id) == ((), ACME.identity_id)
        assert isinstance(both.give(ACME.identity_id, BEGIN + 4 * MINUTE), Unchanged)


def test_a_refused_portal_changes_nothing_that_my_numbers_shows() -> None:
    """Another account's portal is refused by both services. The holder sees it in the history only."""
    both = without_requirement()
    before = both.shown
    both.portal(both.assigned(FOREIGN.identity_id, BEGIN + 2 * MINUTE, "master/globex"))
    assert both.shown == before
    assert [entry.code for entry in both.history[-2:]] == ["not_yours", "not_yours"]


def test_details_that_verification_refused_to_the_new_holder_can_be_given_again() -> None:
    """Its portal was faster than the handover. Inventory knew the holder and accepted, verification did not."""
    both = BothServices()
    globex = identity("globex", "master/globex")
    both.verification.store(globex)
    both.both_at(BEGIN + 2 * MINUTE)
    handover = both.hand_over("master/globex", BEGIN + MINUTE, relay=False)
    both.portal(both.assigned(globex.identity_id, BEGIN + 2 * MINUTE, "master/globex"))
    both.verification.receive(handover)
    both.relay()
    assert (both.history[-1].code, both.registration.assigned) == ("not_yours", None)

    assert isinstance(both.give(globex.identity_id, BEGIN + 3 * MINUTE), Decided)
    assert (both.shown.registration.state, both.shown.identity.identity_id) == ("pending", globex.identity_id)


class Installation:
    """One DID in all services. Its carrier was told to activate it."""

    def __init__(self) -> None:
        self.both = BothServices(required=False)
        self.both.verification.store(ACME, FOREIGN)
        self.billing = FakeStage(BILLING, now=BEGIN)
        self.provisioning = FakeStage(PROVISIONING, now=BEGIN)
        adapter = RegisteredSource(prefix="/carriers/other", kind="adapter", carriers=("other",))
        self.provisioning.register(adapter)
        purchase = self.purchase()
        told = (purchase, *self.both.inventory.published(), *self.both.verification.published())
        for stage, service in ((self.billing, BILLING), (self.provisioning, PROVISIONING)):
            for event in told:
                if type(event.data) in service.events:
                    stage.receive(event)

    def purchase(self, **changes: Any) -> Any:
        """Return the purchase of the DID by an order system."""
        return self.both.event(DidPurchased.model_validate(PURCHASE | changes), BEGIN, "/orders/acme")

    def assigned(self, **changes: Any) -> Any:
        """Return an assignment in a portal."""
        data = OWNER | {"identity_id": ACME.identity_id} | changes
        return self.both.event(EnduserAssigned.model_validate(data), BEGIN + MINUTE)

    def purchase_refused(self) -> Any:
        """Return the refusal of the purchase by inventory."""
        data = OWNER | {"order_id": "o-1", "code": "number_taken", "message": ""}
        return self.both.event(PurchaseRefused.model_validate(data), BEGIN, "/didflow/inventory", 999)

    def result(self, source: str = "/carriers/simulator", **changes: Any) -> Any:
        """Return the result of the activation."""
        command = self.provisioning.published_data("provisioning.commands")[-1]
        data = OWNER | {"command_id": command.command_id, "outcome": "succeeded"} | changes
        return self.both.event(ResultReported.model_validate(data), BEGIN, source)

    def ended(self) -> "Installation":
        """Remove the DID in verification."""
        self.both.verification.receive(self.both.removed(BEGIN + MINUTE))
        return self


GLOBEX: Final = {"account": "master/globex"}
REFUSALS: Final[Mapping[tuple[str, str, str], Callable[[Installation], Any]]] = {
    ("verification", "did_id_taken", "enduser.assigned"): lambda i: i.assigned(number=OTHER_NUMBER),
    ("verification", "did_id_taken", "did.purchased"): lambda i: i.purchase(number=OTHER_NUMBER),
    ("verification", "not_yours", "did.purchased"): lambda i: i.purchase(**GLOBEX),
    ("verification", "not_yours", "enduser.assigned"): lambda i: i.assigned(**GLOBEX),
    ("verification", "not_yours", "enduser.assigned of a foreign identity"): lambda i: i.assigned(
        identity_id=FOREIGN.identity_id
    ),
    ("verification", "did_ended", "enduser.assigned"): lambda i: i.ended().assigned(),
    ("billing", "did_id_taken", "did.purchased"): lambda i: i.purchase(number=OTHER_NUMBER),
    ("billing", "not_yours", "did.purchased"): lambda i: i.purchase(**GLOBEX),
    ("billing", "purchase_accepted", "purchase.refused"): lambda i: i.purchase_refused(),
    ("provisioning", "did_id_taken", "did.purchased"): lambda i: i.purchase(number=OTHER_NUMBER),
    ("provisioning", "not_yours", "did.purchased"): lambda i: i.purchase(**GLOBEX),
    ("provisioning", "not_yours", "provisioning.results"): lambda i: i.result(**GLOBEX),
    ("provisioning", "not_yours", "provisioning.results of another carrier"): lambda i: i.result(
        "/carriers/other"
    ),
}
"""Service, code and event -> the event, about a known DID, that the service refuses with the code."""


@pytest.mark.parametrize("case", REFUSALS, ids=" ".join)
def test_every_refusal_of_an_event_about_a_known_did_is_in_its_history(case: tuple[str, str, str]) -> None:
    """The entry has the code, and the type, source and id of the refused event."""
    name, code, about = case
    installation = Installation()
    both = installation.both
    stage = both.verification if name == "verification" else getattr(installation, name)
    event = REFUSALS[case](installation)
    stage.receive(event)

    (refused,) = stage.published("message.refused")
    both.inventory.receive(refused)
    entry = both.history[-1]
    assert (entry.did_id, entry.number, entry.account) == (DID, NUMBER, ACCOUNT)
    assert (entry.code, entry.actor) == (code, f"service:{name}")
    shown = {name: entry.extra[name] for name in ("refused_type", "refused_source", "refused_id")}
    assert shown == {
        "refused_type": f"didflow.{about.split()[0]}.v1",
        "refused_source": event.source,
        "refused_id": event.id,
    }


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _codes(function: Any, seen: set[Any]) -> Iterator[str]:
    """Yield the codes that a decision can refuse with: its own, and those of the functions that it calls."""
    function = function.func if isinstance(function, partial) else function
    if not isinstance(function, FunctionType) or function in seen:
        return
    seen.add(function)
    yield from re.findall(r'Refused\(\s*"(\w+)"', getsource(function))
    for name in _names(function.__code__):
        found = function.__globals__.get(name)
        if isinstance(found, Refused | AssignmentRefused):
            yield found.code
        elif getattr(found, "__module__", "").startswith("didflow_"):
            yield from _codes(found, seen)


@pytest.mark.parametrize("name", ["verification", "billing", "provisioning"])
def test_no_refusal_of_an_event_is_left_out(name: str) -> None:
    """The codes are read from the decisions on events, and from all that they call."""
    service = SERVICES[name]
    codes = {code for handler in service.events.values() for code in _codes(handler.decide, set())}
    published = codes - NOT_PUBLISHED - (OF_AUTOMATIC_PROFILES if name == "provisioning" else set())
    assert published == {code for service_, code, _ in REFUSALS if service_ == name}


def test_details_given_before_verification_has_answered_are_judged_when_it_has() -> None:
    """They wait in verification, so nothing is lost by accepting them."""
    both = BothServices(answered=False)
    both.verification.store(ACME)
    assert isinstance(both.give(ACME.identity_id, BEGIN + MINUTE), Decided)
    both.verification.receive(both.event(DidPurchased.model_validate(PURCHASE), BEGIN, "/orders/acme"))
    both.relay()
    assert (both.shown.registration.state, both.verification.parked()) == ("pending", [])


def test_details_cannot_be_given_to_a_removed_did() -> None:
    """The batch knows that the DID is removed, and refuses at once."""
    both = without_requirement()
    both.inventory.receive(both.removed(BEGIN + timedelta(days=1)))
    decision = both.give(ACME.identity_id, BEGIN + timedelta(days=2))
    assert isinstance(decision, Refused)
    assert decision.code == "not_found"
