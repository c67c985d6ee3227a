"""What My Numbers offers: each line of the closed table, for one DID that it holds for and for others."""

import re
from collections.abc import Mapping
from itertools import product
from typing import Any, get_args

import pytest
from msgspec.structs import replace

from didflow_chassis.decision import Caller
from didflow_contracts.events.routing import Unapplied, VoiceTarget
from didflow_contracts.roles import ROLES, may
from didflow_contracts.vocabulary import CarrierState, Registration, TermState
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.my_numbers.actions import ACTIONS, OF_OTHER_AXES, actions_of
from didflow_inventory.domain.views import RegistrationView, RoutingView, ServiceView, TermView, Views

FEATURES = ("voice_in", "sms_in", "emergency", "a2p_sms", "cnam")
LIVE = ("assigned", "blocked", "on_hold")
HERE = ("porting_in", *LIVE)
TERM = {"set_cycles", "renew", "restore", "cancel", "remove"}
ROUTING = {"set_voice", "set_capacity", "set_sms", "apply_profile", "clear_routing"}


@pytest.fixture
def did(stage: Any, make: Any) -> Did:
    """An active DID from stock that an enterprise has: approved, running, with a trunk."""
    stage.decide(make.purchased(features=FEATURES))
    holding = replace(stage.did.holding, origin="stock", in_enterprise=True)
    views = Views(
        registration=RegistrationView(
            state="approved", identity_id=make.identity_id, completed=True, since=make.zero
        ),
        routing=RoutingView(
            carrier_state="active", voice=VoiceTarget(kind="trunk", id=make.identity_id, name="Office")
        ),
        term=TermView(state="active", billing_period=1),
    )
    return Did(holding=holding, views=views)


def offered(
    did: Did,
    role: str = "operator",
    account: str = "root",
    *,
    holding: Mapping[str, Any] = {},
    **axes: Mapping[str, Any],
) -> set[str]:
    """Return what is offered for the DID with changed fields of its holding and of its views."""
    views = did.views
    for axis, changes in axes.items():
        view = changes if axis == "services" else replace(getattr(views, axis), **changes)
        views = replace(views, **{axis: view})
    caller = Caller(subject="ann", account=account, role=role)
    return set(actions_of(replace(did.holding, **holding), views, caller))


def test_an_active_did_offers_what_its_table_lists(did: Did) -> None:
    """The carrier works, so there is nothing to retry. No service is requested yet. An operator is not below it."""
    expected = {"assign_end_user", "set_cycles", "renew", "cancel", *ROUTING, "edit", "assign_account"}
    expected |= {"assign_user", "hold", "block", "port_out", "return"}
    expected |= {"request_emergency", "request_a2p_sms", "request_cnam"}
    assert offered(did) == expected


def test_the_actions_are_in_the_order_of_the_table(did: Did) -> None:
    """A client can show them as they come."""
    caller = Caller(subject="ann", account="root", role="operator")
    found = actions_of(did.holding, did.views, caller)
    assert list(found) == sorted(found, key=ACTIONS.index)


@pytest.mark.parametrize("stock", ["removed", "refused"])
def test_nothing_is_offered_for_a_did_that_is_not_live(did: Did, stock: Any) -> None:
    """A removed or refused DID has only a history."""
    assert offered(did, holding={"stock": stock}) == set()


@pytest.mark.parametrize("stock", HERE)
def test_a_number_that_is_ported_in_takes_settings_and_details_but_no_term_actions(
    did: Did, stock: Any
) -> None:
    """Term, port-out and services need a live DID."""
    found = offered(did, holding={"stock": stock})
    assert ROUTING | {"assign_end_user", "edit"} <= found
    is_live = stock in LIVE
    assert ("cancel" in found, "port_out" in found, "request_cnam" in found) == (is_live,) * 3
    assert ("cancel_porting" in found) is (stock == "porting_in")
    assert ("hold" in found) is (stock in {"assigned", "blocked"})
    assert ("block" in found) is (stock == "assigned")


@pytest.mark.parametrize("state", get_args(TermState))
def test_the_term_offers_what_its_state_allows(did: Did, state: Any) -> None:
    """Source: spec roles, the lines of the term."""
    running = {"set_cycles", "renew", "cancel"}
    expected = {
        "none": set(),
        "active": running,
        "delayed_removal": running,
        "canceled": {"restore"},
        "aging": {"renew"},
        "closed": set(),
    }
    assert offered(did, term={"state": state}) & TERM == expected[state]
    assert ("assign_account" in offered(did, term={"state": state})) is (
        state in {"none", "active", "delayed_removal"}
    )


@pytest.mark.parametrize(("state", "completed"), list(product(get_args(Registration), (True, False))))
def test_remove_is_offered_only_before_the_registration_was_complete(
    did: Did, state: Any, *, completed: bool
) -> None:
    """Afterwards cancel ends the term, and nothing is refunded."""
    found = offered(did, registration={"state": state, "completed": completed})
    assert ("remove" in found) is (not completed and state in {"awaiting", "rejected", "pending"})
    assert "cancel" in found


def test_before_verification_has_answered_there_is_nothing_to_cancel_or_to_assign(did: Did) -> None:
    """The registration is an assumption until then."""
    found = offered(did, registration={"state": "awaiting", "since": None, "completed": False})
    assert found.isdisjoint({"assign_end_user", "cancel", "remove", "request_cnam"})
    assert "set_cycles" in found


def test_details_are_offered_without_a_requirement_only_for_a_service(did: Did) -> None:
    """A number that needs no registration and has no additional service needs no end user."""
    not_required = {"state": "not_required"}
    assert "assign_end_user" in offered(did, registration=not_required)
    plain = {"features": ("voice_in",)}
    assert "assign_end_user" not in offered(did, holding=plain, registration=not_required)


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        (("voice_in",), {"set_voice", "set_capacity", "apply_profile"}),
        (("fax",), {"set_voice", "set_capacity", "apply_profile"}),
        (("sms_in",), {"set_sms", "apply_profile"}),
        (("voice_out",), set()),
    ],
)
def test_routing_is_offered_for_the_features_of_the_number(did: Did, features: Any, expected: Any) -> None:
    """Nothing of it is offered after the carrier has released the number."""
    unset = {"voice": None}
    assert offered(did, holding={"features": features}, routing=unset) & ROUTING == expected
    released = {"carrier_state": "released", "voice": None}
    assert offered(did, holding={"features": features}, routing=released) & ROUTING == set()


@pytest.mark.parametrize("state", get_args(CarrierState))
def test_a_carrier_is_tried_again_after_it_failed(did: Did, state: Any) -> None:
    """The activation failed, or a setting was not applied."""
    assert ("retry_carrier" in offered(did, routing={"carrier_state": state})) is (state == "failed")
    for unapplied, expected in (("failed", True), ("queued", False)):
        setting = Unapplied(action="set_voice", state=unapplied)  # type: ignore[arg-type]
        found = offered(did, routing={"unapplied": (setting,)})
        assert ("retry_carrier" in found) is expected


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("not_configured", {"request"}),
        ("new", {"cancel"}),
        ("in_process", {"cancel"}),
        ("active", {"cancel"}),
        ("changes_required", {"cancel", "correct"}),
    ],
)
def test_a_service_offers_what_its_state_allows(did: Did, state: Any, expected: set[str]) -> None:
    """A request needs the feature, an identity and a registration that is not lost."""

    def found(**changes: Any) -> set[str]:
        names = offered(did, services={"emergency": ServiceView(state=state)}, **changes)
        return {name.removesuffix("_emergency") for name in names if name.endswith("_emergency")}

    assert found() == expected
    assert "request" not in found(holding={"features": ("voice_in",)})
    assert "request" not in found(registration={"identity_id": None})
    assert "request" not in found(registration={"state": "rejected"})
    assert ("request" in found(registration={"state": "pending"})) is (state == "not_configured")


def test_a_canceled_service_is_not_canceled_again(did: Did) -> None:
    """The caller name is being removed."""
    assert "cancel_cnam" not in offered(did, services={"cnam": ServiceView(state="cancelation_pending")})


def test_what_depends_on_the_place_of_the_caller(did: Did) -> None:
    """Take-back needs an account below; unblock needs the account that blocked, or one above it."""
    assert "take_back" in offered(did, "reseller", "master")
    assert "take_back" not in offered(did, "reseller", "master/acme")
    assert offered(did, "reseller", "other") == set()
    for account, expected in (("master", True), ("master/acme", False)):
        blocked = {"stock": "blocked", "blocked_by": "master"}
        assert ("unblock" in offered(did, "reseller", account, holding=blocked)) is expected


def test_a_hold_ends_by_hand_only_if_it_was_set_by_hand(did: Did) -> None:
    """A package ends its own holds."""
    for by, expected in (("hand", True), ("package", False)):
        assert ("unhold" in offered(did, holding={"stock": "on_hold", "held_by": by})) is expected


def test_a_number_with_a_user_is_not_moved(did: Did) -> None:
    """It is unassigned first. Only an enterprise has users."""
    moves = {"assign_account", "take_back", "return"}
    assert offered(did, "reseller", "master", holding={"user": "u1"}).isdisjoint(moves)
    assert moves <= offered(did, "reseller", "master")
    assert "assign_user" not in offered(did, holding={"in_enterprise": False})
    assert "return" not in offered(did, holding={"origin": "purchased"})


@pytest.mark.parametrize("role", ROLES)
def test_nothing_is_offered_that_the_role_may_not_do(did: Did, role: Any) -> None:
    """The roles of each action are those of the table of roles."""
    permission = {name: name for name in ACTIONS} | {name: p for name, (p, _) in OF_OTHER_AXES.items()}
    account = "root" if role == "operator" else "master"
    everything = offered(did, "operator") | {"take_back"}
    expected = {name for name in everything if may(role, permission[name])}  # type: ignore[arg-type]
    if role == "operator":
        expected -= {"take_back"}
    assert offered(did, role, account) == expected
    assert all(re.fullmatch("[a-z0-9_]+", name) for name in expected)
