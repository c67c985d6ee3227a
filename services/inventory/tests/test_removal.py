"""The end of a DID: final for what people see, and the number waits for its carrier."""

from typing import Any

from didflow_chassis.decision import Unchanged
from didflow_inventory.domain.stock import Number


def test_a_removed_did_is_shown_nowhere(bought: Any, say: Any) -> None:
    """It has no status and no filter, and its term is closed."""
    bought.process(say.registration("not_required"))
    bought.process(say.term("aging"))
    bought.process(say.removed())

    did = bought.did
    assert (did.stock, did.status, did.in_all, did.term.state) == ("removed", None, False, "closed")
    assert (did.removal, did.removed_at.month) == ("aged_out", 5)


def test_a_number_is_releasing_until_its_carrier_let_go(bought: Any, say: Any) -> None:
    """Only the release of its last DID makes the number free again."""
    bought.process(say.routing("active"))
    bought.process(say.removed())
    assert (bought.number.did_id, bought.number.releasing) == (None, True)

    bought.process(say.routing("suspended", 2))
    assert bought.number.releasing
    bought.process(say.routing("released", 3))
    assert not bought.number.releasing


def test_a_release_that_is_heard_first_frees_the_number_at_the_removal(bought: Any, say: Any) -> None:
    """The two come on different topics; either may be first."""
    bought.process(say.routing("released", 2))
    bought.process(say.removed())
    assert (bought.number.did_id, bought.number.releasing) == (None, False)


def test_a_number_from_stock_goes_back_to_it(inventory: Any, say: Any) -> None:
    """Origin stock: in stock again, though not to be had before the release."""
    inventory.store(Number(number=say.number, stock="in_stock", uploader="master"))
    inventory.process(say.purchased())
    inventory.process(say.removed())
    assert (inventory.number.stock, inventory.number.uploader, inventory.number.releasing) == (
        "in_stock",
        "master",
        True,
    )


def test_a_removal_is_applied_whatever_its_sequence(bought: Any, say: Any) -> None:
    """Final means final: a later count of another topic does not hold it up."""
    bought.process(say.term("active", 12))
    bought.process(say.removed(4))
    assert bought.did.stock == "removed"


def test_what_comes_after_the_removal_is_noted_and_shows_nothing(bought: Any, say: Any) -> None:
    """A late approval or term neither revives a DID nor opens its term."""
    bought.process(say.removed())
    bought.process(say.registration("approved", 7))
    bought.process(say.term("active", 8))

    assert (bought.did.registration.state, bought.did.term.state) == ("approved", "closed")
    assert (bought.did.status, bought.did.in_all, bought.statuses()) == (None, False, [])


def test_a_second_removal_is_nothing(bought: Any, say: Any) -> None:
    """Removed is removed."""
    bought.process(say.removed())
    before = bought.did
    assert isinstance(bought.process(say.removed(10)), Unchanged)
    assert bought.did == before


def test_a_late_release_of_a_former_did_leaves_the_present_one_alone(bought: Any, say: Any) -> None:
    """What is said of a former DID does nothing to the number's present one."""
    bought.process(say.removed())
    bought.process(say.routing("released"))
    bought.process(say.purchased(did_id=say.other, order_id="o-2"))
    present = bought.number
    bought.process(say.routing("released", 2))
    assert bought.number == present
