"""Whether calls and messages reach the customer, and what is missing first."""

from typing import Any

import pytest

from didflow_contracts.events.carrier import SmsDelivery, VoiceDelivery
from didflow_provisioning.domain.axis import axis
from didflow_provisioning.domain.routing import Applied, Routing, Sms, Voice


@pytest.fixture
def ready(say: Any) -> Routing:
    """A number for calls and messages that lacks nothing."""
    voice = VoiceDelivery(kind="trunk", id=say.trunk, name="Dublin")
    sms = SmsDelivery(id=say.next, name="Inbox")
    return Routing(
        did_id=say.did,
        number=say.number,
        account=say.account,
        features=("voice_in", "sms_in"),
        confirmed=True,
        stock="assigned",
        registration="approved",
        term="active",
        carrier_state="active",
        voice=Voice(account=say.account, delivery=voice),
        capacity=1,
        sms=Sms(account=say.account, delivery=sms),
        applied=Applied(voice=voice, capacity=1, sms=sms),
    )


def test_nothing_is_missing_of_a_ready_number(ready: Routing) -> None:
    """Both channels are ready."""
    said = axis(ready)
    assert (said.voice_ready, said.sms_ready) == (True, True)
    assert (said.missing.voice, said.missing.sms) == (None, None)


BOTH = [
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


@pytest.mark.parametrize(("changes", "missing"), BOTH)
def test_what_is_missing_for_both_is_named_in_its_order(
    ready: Routing, later: Any, changes: dict[str, Any], missing: str
) -> None:
    """The first condition that matches names the step, for calls and messages alike."""
    said = axis(later(ready, voice=None, sms=None, capacity=None, **changes))
    assert (said.missing.voice, said.missing.sms) == (missing, missing)
    assert not said.voice_ready
    assert not said.sms_ready


def test_calls_need_a_target_then_capacity_then_the_carrier(ready: Routing, later: Any) -> None:
    """Trunk first, then one channel at least, then that the carrier has both."""
    assert axis(later(ready, voice=None, capacity=None)).missing.voice == "assign_voice_trunk"
    for nothing in (None, 0):
        assert axis(later(ready, capacity=nothing)).missing.voice == "assign_capacity"
    assert axis(later(ready, applied=Applied())).missing.voice == "await_carrier"
    assert axis(later(ready, voice=None, capacity=None)).missing.sms is None


def test_messages_need_a_target_and_no_capacity(ready: Routing, later: Any) -> None:
    """An SMS trunk is all that messages need beyond registration and carrier."""
    assert axis(later(ready, capacity=None)).sms_ready
    assert axis(later(ready, sms=None)).missing.sms == "assign_sms_trunk"
    assert axis(later(ready, applied=Applied())).missing.sms == "await_carrier"


def test_a_channel_that_is_not_wanted_is_neither_ready_nor_missing(ready: Routing, later: Any) -> None:
    """Without the feature nothing is asked for; fax is asked for like voice."""
    plain = axis(later(ready, features=("voice_out",)))
    assert (plain.voice_ready, plain.sms_ready) == (False, False)
    assert (plain.missing.voice, plain.missing.sms) == (None, None)
    assert axis(later(ready, features=("fax",))).voice_ready


def test_nothing_is_missing_of_a_number_that_is_gone(ready: Routing, later: Any) -> None:
    """A removed DID is not ready and needs nothing."""
    gone = axis(later(ready, ended="aged_out", voice=None))
    assert (gone.voice_ready, gone.missing.voice) == (False, None)
