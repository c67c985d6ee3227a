"""One number, several lives: orders are strictly one after another over all of them."""

from datetime import timedelta
from typing import Any

from didflow_contracts.events import CarrierCommandIssued


def test_the_next_life_waits_for_the_release_of_the_former(activated: Any, say: Any) -> None:
    """The release of a former DID goes before the activation of the next."""
    activated.feed(say.purchased(say.next), say.holding(did=say.next), say.registration(did=say.next))
    assert activated.actions(say.next) == []
    activated.feed(say.removed())
    assert activated.actions() == ["activate", "release"]
    activated.feed(say.result(activated.open))
    assert activated.routing().carrier_state == "released"
    assert activated.actions(say.next) == ["activate"]
    assert activated.line.lives == (say.next,)


def test_a_former_life_that_ends_without_a_command_lets_the_next_go(floor: Any, say: Any) -> None:
    """A DID that was never activated is released at once, and the next is served by the same message."""
    floor.feed(say.purchased(), say.holding(), say.registration("awaiting"))
    floor.feed(say.purchased(say.next), say.holding(did=say.next), say.registration(did=say.next))
    assert floor.orders() == []
    floor.feed(say.removed())
    assert [order.did_id for order in floor.orders()] == [say.next]


def test_a_release_that_failed_holds_the_next_life_back(activated: Any, say: Any) -> None:
    """The number is not free until its carrier says so, or until an operator's retry succeeds."""
    activated.feed(say.purchased(say.next), say.holding(did=say.next), say.registration(did=say.next))
    activated.feed(say.removed())
    release = activated.open
    activated.feed(say.failure(release))
    activated.wait(timedelta(days=30))
    assert activated.actions(say.next) == []
    activated.feed(say.retry(release.command_id, role="operator", account="master"))
    activated.feed(say.result(activated.open))
    assert activated.actions(say.next) == ["activate"]


def test_a_refused_purchase_of_a_taken_number_touches_nothing_of_it(activated: Any, say: Any) -> None:
    """Another account's refused purchase leaves the line to the DID that has the number."""
    line = activated.line
    activated.feed(say.purchased(say.next), say.registration(did=say.next), say.refused(say.next))
    assert activated.line == line
    assert activated.routing(say.next).carrier_state == "released"


def test_no_two_orders_of_a_number_are_ever_open(activated: Any, say: Any) -> None:
    """Between an order and the next one of the number lies the first one's end."""
    activated.feed(say.set_capacity(3), say.set_voice(), say.holding("blocked", 2), say.set_capacity(4))
    activated.answer(say)
    firsts = [s for s in activated.said if isinstance(s, CarrierCommandIssued)]
    assert [order.action for order in firsts] == ["activate", "set_capacity", "suspend", "set_capacity"]
    assert activated.line.open is None


def test_a_message_decided_again_names_the_same_command(say: Any) -> None:
    """A batch that is rolled back and run again orders under the same id."""
    from didflow_provisioning.domain.identity import fresh_id

    event = say.holding()
    assert fresh_id(event) == fresh_id(event)
    assert fresh_id(event) != fresh_id(say.holding())
