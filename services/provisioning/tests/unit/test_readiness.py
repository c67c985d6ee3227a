"""Whether calls and messages reach the customer, and the first missing step of each channel."""

from typing import Any

import pytest

from didflow_contracts.events.carrier import SmsDelivery, VoiceDelivery
from didflow_provisioning.domain.events import routing_changed
from didflow_provisioning.domain.routing import Applied, Failure, Routing, SmsSetting, VoiceSetting


@pytest.fixture
def ready(messages: Any) -> Routing:
    """A number for calls and messages that is ready."""
    voice = VoiceDelivery(kind="trunk", id=messages.trunk_id, name="Dublin")
    sms = SmsDelivery(id=messages.next_did_id, name="Inbox")
    return Routing(
        did_id=messages.did_id,
        number=messages.number,
        account=messages.account,
        features=("voice_in", "sms_in"),
        confirmed=True,
        stock="assigned",
        registration="approved",
        term="active",
        carrier_state="active",
        voice=VoiceSetting(account=messages.account, delivery=voice),
        capacity=1,
        sms=SmsSetting(account=messages.account, delivery=sms),
        applied=Applied(voice=voice, capacity=1, sms=sms),
    )


def test_a_ready_number_has_no_missing_step(ready: Routing) -> None:
    """Both channels are ready."""
    axis = routing_changed(ready)
    assert (axis.voice_ready, axis.sms_ready) == (True, True)
    assert (axis.missing.voice, axis.missing.sms) == (None, None)


BOTH_CHANNELS = [
    ({"stock": "porting_in", "term": "canceled"}, "await_porting"),
    ({"term": "canceled", "stock": "blocked"}, "restore"),
    ({"term": "aging", "stock": "blocked"}, "renew"),
    ({"stock": "blocked", "registration": "awaiting"}, "unblock"),
    ({"stock": "on_hold", "held_by": "hand", "registration": "awaiting"}, "await_hold_end"),
    ({"stock": "on_hold", "held_by": "package", "registration": "awaiting"}, "reactivate_package"),
    ({"registration": None, "carrier_state": "inactive"}, "await_requirement"),
    (
        {"confirmed": False, "registration": "awaiting", "carrier_state": "inactive"},
        "assign_end_user_details",
    ),
    ({"confirmed": False, "registration": "not_required", "carrier_state": "inactive"}, "await_requirement"),
    ({"registration": "awaiting", "carrier_state": "inactive"}, "assign_end_user_details"),
    ({"registration": "rejected", "carrier_state": "inactive"}, "fix_end_user_details"),
    ({"registration": "expired", "carrier_state": "suspended"}, "fix_end_user_details"),
    ({"registration": "pending", "carrier_state": "inactive"}, "await_review"),
    ({"carrier_state": "failed"}, "retry_carrier"),
    ({"carrier_state": "inactive"}, "await_carrier"),
    ({"carrier_state": "activating"}, "await_carrier"),
    ({"carrier_state": "suspended"}, "await_carrier"),
]


@pytest.mark.parametrize(("changes", "missing"), BOTH_CHANNELS)
def test_the_first_matching_condition_gives_the_missing_step(
    ready: Routing, changed: Any, changes: dict[str, Any], missing: str
) -> None:
    """These conditions hold for calls and messages alike and come before missing settings."""
    axis = routing_changed(changed(ready, voice=None, sms=None, capacity=None, **changes))
    assert (axis.missing.voice, axis.missing.sms) == (missing, missing)
    assert not axis.voice_ready
    assert not axis.sms_ready


SETTINGS = [
    ("set_voice", {"capacity": 1}, "voice"),
    ("set_capacity", {"voice": True}, "voice"),
    ("set_sms", {}, "sms"),
]


@pytest.mark.parametrize(("action", "applied", "channel"), SETTINGS)
def test_a_setting_that_the_carrier_refused_for_good_needs_a_retry(
    ready: Routing, changed: Any, action: Any, applied: dict[str, Any], channel: str
) -> None:
    """The carrier will not act by itself until it is retried. A failure of another setting is not waited for."""
    known: dict[str, Any] = {
        name: ready.applied.voice if value is True else value for name, value in applied.items()
    }
    failure = Failure(command_id=ready.did_id, action=action, code="rejected")
    unconfirmed = changed(ready, applied=Applied(**known))
    assert getattr(routing_changed(unconfirmed).missing, channel) == "await_carrier"
    refused = routing_changed(changed(unconfirmed, failures=(failure,)))
    assert getattr(refused.missing, channel) == "retry_carrier"
    retried = changed(failure, retry_id=ready.did_id)
    assert (
        getattr(routing_changed(changed(unconfirmed, failures=(retried,))).missing, channel)
        == "await_carrier"
    )
    assert not getattr(refused, f"{channel}_ready")
    other = "sms" if channel == "voice" else "voice"
    assert getattr(refused.missing, other) == "await_carrier"


def test_each_step_of_a_new_number_is_missing_in_its_turn(stage: Any, messages: Any) -> None:
    """From the purchase until both channels are ready: (calls, messages) after each message."""

    def after(*news: Any) -> tuple[str | None, str | None]:
        for new in news:
            stage.process(new() if callable(new) else new)
        axis = routing_changed(stage.routing())
        assert (axis.voice_ready, axis.sms_ready) == tuple(
            stage.routing().end_reason is None and each is None
            for each in (axis.missing.voice, axis.missing.sms)
        )
        return axis.missing.voice, axis.missing.sms

    def both(step: str | None) -> tuple[str | None, str | None]:
        return step, step

    def succeeded() -> Any:
        return messages.result(stage.open_command)

    def failed() -> Any:
        return messages.failure(stage.open_command)

    def retried() -> Any:
        return messages.retry(stage.routing().failures[0].command_id, role="operator", account="master")

    features = ["voice_in", "sms_in"]

    def holding(stock: str, sequence: int, **more: Any) -> Any:
        return messages.did_changed(stock, sequence, features=features, **more)

    stage.process(messages.create_voice_trunk(), messages.create_sms_trunk())
    assert after(messages.purchased(features=features)) == both("await_requirement")
    assert after(holding("assigned", 1)) == both("await_requirement")
    assert after(messages.registration("awaiting", 1)) == both("assign_end_user_details")
    assert after(messages.registration("rejected", 2)) == both("fix_end_user_details")
    assert after(messages.registration("pending", 3)) == both("await_review")
    assert after(messages.registration("approved", 4)) == both("await_carrier")
    assert after(failed) == both("retry_carrier")
    assert after(retried) == both("await_carrier")
    assert after(succeeded) == ("assign_voice_trunk", "assign_sms_trunk")
    assert after(messages.set_voice()) == ("assign_capacity", "assign_sms_trunk")
    assert after(succeeded, messages.set_capacity(0)) == ("assign_capacity", "assign_sms_trunk")
    assert after(succeeded, messages.set_capacity(2)) == ("await_carrier", "assign_sms_trunk")
    assert after(failed) == ("retry_carrier", "assign_sms_trunk")
    assert after(retried) == ("await_carrier", "assign_sms_trunk")
    assert after(succeeded) == (None, "assign_sms_trunk")
    assert after(messages.set_sms()) == (None, "await_carrier")
    assert after(failed) == (None, "retry_carrier")
    assert after(retried, succeeded) == both(None)
    assert after(messages.term("delayed_removal", 1)) == both(None)
    assert after(messages.term("canceled", 2)) == both("restore")
    assert after(messages.term("aging", 3), succeeded) == both("renew")
    assert after(messages.term("active", 4)) == both("await_carrier")
    assert after(failed) == both("retry_carrier")
    assert after(retried, succeeded) == both(None)
    assert after(holding("blocked", 2)) == both("unblock")
    assert after(holding("on_hold", 3, held_by="package")) == both("reactivate_package")
    assert after(holding("on_hold", 4, held_by="hand")) == both("await_hold_end")
    assert after(holding("assigned", 5), succeeded) == both("await_carrier")
    assert after(succeeded) == both(None)
    assert after(messages.registration("expired", 5)) == both("fix_end_user_details")
    assert after(messages.removed()) == both(None)


def test_calls_need_a_trunk_and_capacity_and_the_carrier(ready: Routing, changed: Any) -> None:
    """The trunk is missing first, then the capacity, then the confirmation of the carrier."""
    assert routing_changed(changed(ready, voice=None, capacity=None)).missing.voice == "assign_voice_trunk"
    for insufficient in (None, 0):
        assert routing_changed(changed(ready, capacity=insufficient)).missing.voice == "assign_capacity"
    assert routing_changed(changed(ready, applied=Applied())).missing.voice == "await_carrier"
    assert routing_changed(changed(ready, voice=None, capacity=None)).missing.sms is None


def test_messages_need_a_trunk_and_no_capacity(ready: Routing, changed: Any) -> None:
    """The SMS trunk is missing first, then the confirmation of the carrier."""
    assert routing_changed(changed(ready, capacity=None)).sms_ready
    assert routing_changed(changed(ready, sms=None)).missing.sms == "assign_sms_trunk"
    assert routing_changed(changed(ready, applied=Applied())).missing.sms == "await_carrier"


def test_a_channel_without_its_feature_is_neither_ready_nor_missing(ready: Routing, changed: Any) -> None:
    """Fax needs the same steps as voice."""
    outbound = routing_changed(changed(ready, features=("voice_out",)))
    assert (outbound.voice_ready, outbound.sms_ready) == (False, False)
    assert (outbound.missing.voice, outbound.missing.sms) == (None, None)
    assert routing_changed(changed(ready, features=("fax",))).voice_ready


def test_a_removed_did_has_no_missing_step(ready: Routing, changed: Any) -> None:
    """It is not ready and needs nothing."""
    removed = routing_changed(changed(ready, end_reason="aged_out", voice=None))
    assert (removed.voice_ready, removed.missing.voice) == (False, None)
