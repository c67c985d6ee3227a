"""The start of a DID's routing."""

from typing import Any

import pytest

from didflow_chassis.decision import Refused, Unchanged


def test_a_purchase_alone_sends_no_command(stage: Any, messages: Any) -> None:
    """A purchase creates an inactive routing and publishes nothing."""
    stage.process(messages.purchased())
    assert stage.routing().carrier_state == "inactive"
    assert stage.events == []


def test_a_did_id_belongs_to_one_number(stage: Any, messages: Any) -> None:
    """A purchase of another number under a known did_id is refused."""
    stage.process(messages.purchased())
    decision = stage.process(messages.purchased(number="+35319609037"))
    assert isinstance(decision, Refused)
    assert decision.code == "did_id_taken"


@pytest.mark.parametrize("account", ["master/other", "master/acme/shop"])
def test_a_purchase_under_an_account_that_contradicts_the_holder_is_not_yours(
    stage: Any, messages: Any, account: str
) -> None:
    """An account beside or below the holder contradicts it."""
    stage.process(messages.purchased())
    decision = stage.process(messages.purchased(account=account))
    assert isinstance(decision, Refused)
    assert (decision.code, decision.field) == ("not_yours", "account")


def test_a_purchase_under_an_account_above_the_holder_is_a_repeat(stage: Any, messages: Any) -> None:
    """The order system of a reseller may repeat the purchase of an account below."""
    stage.process(messages.purchased())
    assert isinstance(stage.process(messages.purchased(account="master")), Unchanged)


def test_a_refused_event_is_shown_in_the_history(stage: Any, messages: Any) -> None:
    """Provisioning publishes `message.refused` with the holder's account, so inventory can record it."""
    stage.process(messages.purchased())
    refused = messages.purchased(account="master/other")
    stage.process(refused)
    (event,) = stage.published("message.refused")
    assert (event.data.account, event.data.did_id) == (messages.account, messages.did_id)
    assert (event.data.code, event.data.field) == ("not_yours", "account")
    assert (event.data.refused_type, event.data.refused_source) == (refused.type, refused.source)
    assert event.data.refused_id == refused.id


def test_a_result_for_an_unknown_command_is_not_shown_in_the_history(stage: Any, messages: Any) -> None:
    """`command_unknown` is part of normal operation and is not published."""
    stage.process(messages.purchased(), messages.did_changed(), messages.registration())
    stage.process(messages.result(stage.open_command, command_id=messages.next_did_id))
    assert stage.refusals() == ["command_unknown"]
    assert stage.published("message.refused") == []
