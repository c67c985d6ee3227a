"""How a number becomes a DID: taken, refused by code, and recognized when it is asked for again."""

from typing import Any

import pytest
from msgspec.structs import replace

from didflow_chassis.decision import Decided, Refused, Unchanged
from didflow_inventory.domain.account import Account
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.stock import Number, Order, order_key


def refusal(inventory: Any) -> Any:
    """The last refusal said."""
    return next(event for event in reversed(inventory.published_data()) if event.topic == "purchase.refused")


def test_a_purchase_gives_the_number_to_the_account(inventory: Any, say: Any) -> None:
    """The DID is assigned, its holding is said whole, and the number has it."""
    outcome = inventory.process(say.purchased(region="Dublin"))

    assert isinstance(outcome, Decided)
    assert inventory.topics() == ["did.changed"]
    holding = inventory.published_data()[0]
    assert (holding.stock, holding.account, holding.payer, holding.origin) == (
        "assigned",
        say.account,
        say.account,
        "purchased",
    )
    assert (inventory.did.country, inventory.did.region, inventory.did.purchased_at) == (
        "IE",
        "Dublin",
        say.zero,
    )
    assert (inventory.number.did_id, inventory.number.releasing) == (say.did, False)


def test_nothing_is_said_of_the_status_before_verification_has_spoken(bought: Any) -> None:
    """Until then a number counts as awaiting registration, and no order system is told so."""
    assert bought.did.status == "awaiting_registration"
    assert bought.statuses() == []


def test_a_purchase_again_with_the_same_did_id_is_nothing(bought: Any, say: Any) -> None:
    """A retry under another event id changes nothing and says nothing."""
    said = bought.published_data()
    assert isinstance(bought.process(say.purchased()), Unchanged)
    assert bought.published_data() == said


def test_a_living_number_is_taken(bought: Any, say: Any) -> None:
    """Another order for the same number is refused, and the first one keeps it."""
    bought.process(say.purchased(did_id=say.other, order_id="o-2", account="other"))

    assert (refusal(bought).code, refusal(bought).did_id) == ("number_taken", say.other)
    assert bought.number.did_id == say.did
    assert (bought.state(Did, say.other).stock, bought.state(Did, say.other).status) == ("refused", None)


def test_the_same_order_with_another_did_id_is_a_duplicate(bought: Any, say: Any) -> None:
    """The order system lost its did_id and made another: the first DID stands."""
    bought.process(say.purchased(did_id=say.other))

    assert refusal(bought).code == "duplicate_order"
    order = bought.state(Order, order_key(say.account, "o-1", say.number))
    assert order.did_id == say.did


def test_the_same_order_after_a_refusal_is_a_duplicate_too(inventory: Any, say: Any) -> None:
    """A refused purchase is remembered by its order as well."""
    inventory.store(Number(number=say.number, releasing=True))
    inventory.process(say.purchased())
    inventory.store(Number(number=say.number))
    inventory.process(say.purchased(did_id=say.other))

    assert [e.code for e in inventory.published_data()] == ["number_releasing", "duplicate_order"]


def test_a_removed_did_does_not_stand_in_the_way_of_its_order(bought: Any, say: Any) -> None:
    """After the removal and the release the same order may buy the number anew."""
    bought.process(say.removed())
    bought.process(say.routing("released"))
    bought.process(say.purchased(did_id=say.other))

    assert bought.number.did_id == say.other
    assert bought.state(Did, say.other).stock == "assigned"


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (Number(number="", releasing=True), "number_releasing"),
        (Number(number="", stock="archived", uploader="master"), "number_archived"),
        (Number(number="", stock="reserved", uploader="master"), "number_reserved"),
        (Number(number="", stock="held", uploader="master"), "number_reserved"),
        (Number(number="", stock="in_stock", uploader="other"), "number_taken"),
        (Number(number="", stock="in_stock", uploader="master/acme/shop"), "number_taken"),
    ],
)
def test_a_number_that_is_not_to_be_had_is_refused_by_its_state(
    inventory: Any, say: Any, number: Any, code: Any
) -> None:
    """Each state of a number in stock has its own code."""
    inventory.store(replace(number, number=say.number))
    inventory.process(say.purchased())

    assert refusal(inventory).code == code
    assert inventory.number.did_id is None


def test_a_number_in_the_stock_above_can_be_bought(inventory: Any, say: Any) -> None:
    """Stock of an account above serves it; the DID remembers that the number came from there."""
    inventory.store(Number(number=say.number, stock="in_stock", uploader="master"))
    inventory.process(say.purchased())

    assert (inventory.did.origin, inventory.number.stock, inventory.number.uploader) == (
        "stock",
        None,
        "master",
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"number": "+35319999999999"},
        {"number": "+999123456789"},
        {"country": "DE"},
        {"number": "+80012345678", "country": "IE"},
    ],
)
def test_a_number_that_no_plan_knows_or_whose_country_contradicts_it_is_invalid(
    inventory: Any, say: Any, changes: Any
) -> None:
    """E.164 in form is not enough, and a country that is not the number's is no country of it."""
    inventory.process(say.purchased(**changes))
    assert refusal(inventory).code == "invalid_number"


def test_a_country_that_shares_the_numbers_range_is_taken_at_its_word(inventory: Any, say: Any) -> None:
    """A North American toll-free number belongs to Canada as well as to the United States."""
    inventory.process(say.purchased(number="+18005550199", country="CA", number_type="toll_free"))
    assert inventory.did.country == "CA"


def test_a_number_of_no_country_has_none(inventory: Any, say: Any) -> None:
    """An international freephone number is sold without a country."""
    inventory.process(say.purchased(number="+80012345678", number_type="toll_free"))
    assert (inventory.did.stock, inventory.did.country) == ("assigned", None)


def test_an_account_that_does_not_exist_is_unknown(inventory: Any, say: Any) -> None:
    """Inventory knows the accounts; a purchase for another is refused with the order's name."""
    inventory.process(say.purchased(account="master/nobody"))
    assert (refusal(inventory).code, refusal(inventory).order_id) == ("account_unknown", "o-1")


def test_an_outsider_cannot_repeat_the_purchase_of_another_account(bought: Any, say: Any) -> None:
    """The did_id of a DID is no key to it."""
    assert bought.process(say.purchased(account="other")) == Refused(
        "not_yours", "this DID belongs to another account", "account"
    )


def test_a_did_id_cannot_be_used_for_another_number(bought: Any, say: Any) -> None:
    """One did_id is one life of one number."""
    bought.process(say.purchased(number="+35319609037"))
    assert bought.refusals() == ["did_id_taken"]


@pytest.mark.parametrize(
    ("features", "given", "expected"),
    [
        (["voice_in"], {}, ("shop-net", None)),
        (["sms_in"], {}, (None, "shop-net")),
        (["fax", "sms_out"], {}, ("shop-net", "shop-net")),
        (["voice_in", "sms_in"], {"carrier": "didww"}, ("didww", "shop-net")),
        (["voice_in", "sms_in"], {"sms_carrier": "texts"}, ("shop-net", "texts")),
        ([], {}, ("shop-net", None)),
    ],
)
def test_a_carrier_that_nobody_names_is_the_default_one_per_capability(
    inventory: Any, say: Any, features: Any, given: Any, expected: Any
) -> None:
    """Calls, fax with them, and messages each take the default where no carrier is given."""
    inventory.store(Account(path=say.account, name="a", default_carrier="shop-net", created_at=say.zero))
    inventory.process(say.purchased(features=features, **given))

    assert (inventory.did.carrier, inventory.did.sms_carrier) == expected


def test_the_nearest_account_above_names_the_default_carrier(inventory: Any, say: Any) -> None:
    """An account without a default takes the one of the nearest above, and last the deployment's."""
    inventory.process(say.purchased(account="master/acme/shop"))
    assert inventory.did.carrier == "simulator"

    inventory.store(Account(path="master", name="m", default_carrier="far", created_at=say.zero))
    inventory.store(Account(path=say.account, name="a", default_carrier="near", created_at=say.zero))
    shop = {"account": "master/acme/shop", "did_id": say.other, "order_id": "o-2", "number": "+35319609037"}
    inventory.process(say.purchased(**shop))
    assert inventory.state(Did, say.other).carrier == "near"


def test_a_purchase_over_http_says_the_same_event(inventory: Any, say: Any) -> None:
    """The did.purchased of an HTTP call carries its instant, and the holding follows it."""
    outcome = inventory.process(say.purchase())

    assert inventory.topics() == ["did.purchased", "did.changed"]
    assert inventory.published_data()[0].purchased_at == say.zero
    assert (outcome.answer.did_id, outcome.answer.status) == (say.did, "awaiting_registration")


def test_the_same_order_over_http_answers_with_the_did_that_it_made(inventory: Any, say: Any) -> None:
    """A lost answer and a new did_id: still one purchase."""
    inventory.process(say.purchase())
    outcome = inventory.process(say.purchase(did_id=say.other))

    assert isinstance(outcome, Unchanged)
    assert outcome.answer.did_id == say.did
    assert isinstance(inventory.process(say.purchase()), Unchanged)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"did_id": None, "order_id": "o-2"}, "number_taken"),
        ({"order_id": "o-2"}, "did_id_taken"),
        ({"number": "+35319999999999", "did_id": None}, "invalid_number"),
        ({"account": "master/acme/none", "did_id": None}, "account_unknown"),
        ({"account": "other", "did_id": None}, "not_found"),
    ],
)
def test_a_refused_purchase_over_http_leaves_nothing(bought: Any, say: Any, changes: Any, code: Any) -> None:
    """The code is answered, and there is neither an event nor a DID."""
    said = bought.published_data()
    changes = {**changes, "did_id": changes.get("did_id", say.did) or say.other}
    outcome = bought.process(say.purchase(**changes))

    assert outcome.code == code
    assert bought.published_data() == said
    assert (Did, say.other) not in bought.all_states()


def test_an_order_refused_by_event_is_a_duplicate_over_http(inventory: Any, say: Any) -> None:
    """The order system was told that it is refused; HTTP does not contradict that."""
    inventory.process(say.purchased(number="+35319999999999"))
    inventory.process(say.purchase(number="+35319999999999", did_id=say.other))
    assert inventory.refusals() == ["duplicate_order"]


def test_a_did_id_of_a_former_life_cannot_be_bought_again(bought: Any, say: Any) -> None:
    """A new life has a new id."""
    bought.process(say.removed())
    bought.process(say.routing("released"))
    assert bought.process(say.purchase()).code == "did_id_taken"


def test_an_enterprise_adds_numbers_of_its_own_only_where_that_is_allowed(inventory: Any, say: Any) -> None:
    """The reseller says whether; for a reseller itself there is no such limit."""
    admin = say.caller(say.account, "enterprise_admin")
    external = {"acquired": "external", "did_id": say.other}
    inventory.process(say.purchase(admin, **external))
    assert inventory.refusals() == ["external_numbers_not_allowed"]

    inventory.store(Account(path=say.account, name="a", allow_external_numbers=True, created_at=say.zero))
    inventory.process(say.purchase(admin, **external))
    assert inventory.state(Did, say.other).origin == "external"
