"""Whether calls and messages reach the customer, and the first missing step of each channel."""

from typing import Any

import pytest

from didflow_contracts.events.carrier import SmsDelivery, VoiceDelivery
from didflow_provisioning.domain.events import routing_changed
from didflow_provisioning.domain.routing import Applied, Routing, SmsSetting, VoiceSetting


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
    ({"stock": "on_hold", "registration": "awaiting"}, "await_hold_end"),
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
