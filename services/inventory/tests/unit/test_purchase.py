"""How a number becomes a DID: the purchase is accepted, refused with a code, or recognized as a repeat."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from msgspec.structs import replace

from didflow_chassis.decision import Decided, Refused, Unchanged
from didflow_inventory.domain.accounts.account import Account
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.holding.commands import EditDid, Edits, TakeBack
from didflow_inventory.domain.stock.number import Number, OrderedNumber, ordered_number_key


def refusal(stage: Any) -> Any:
    """Return the data of the last published refusal."""
    return stage.published("purchase.refused")[-1].data


def test_a_purchase_gives_the_number_to_the_account(stage: Any, make: Any) -> None:
    """The DID is assigned, its whole stock axis is published, and the number has the DID."""
    decision = stage.decide(make.purchased(region="Dublin"))

    assert isinstance(decision, Decided)
    assert stage.topics() == ["did.changed"]
    data = stage.published()[0].data
    assert (data.stock, data.account, data.payer, data.origin, data.held_by) == (
        "assigned",
        make.account,
        make.account,
        "purchased",
        None,
    )
    assert (stage.did.holding.country, stage.did.holding.region, stage.did.holding.purchased_at) == (
        "IE",
        "Dublin",
        make.zero,
    )
    assert (stage.number.did_id, stage.number.releasing) == (make.did_id, False)


def test_no_status_is_published_before_verification_has_answered(purchased: Any) -> None:
    """Until then the DID counts as awaiting registration, but order systems are not told."""
    assert purchased.did.listing.status == "awaiting_registration"
    assert purchased.statuses() == []


def test_a_repeated_purchase_with_the_same_did_id_changes_nothing(purchased: Any, make: Any) -> None:
    """A retry under another event id changes nothing and publishes nothing."""
    topics = purchased.topics()
    assert isinstance(purchased.decide(make.purchased()), Unchanged)
    assert purchased.topics() == topics


def test_a_number_with_a_live_did_is_taken(purchased: Any, make: Any) -> None:
    """Another order for the same number is refused, and the first DID stays."""
    purchased.decide(make.purchased(did_id=make.other_id, order_id="o-2", account="other"))

    assert (refusal(purchased).code, refusal(purchased).did_id) == ("number_taken", make.other_id)
    assert purchased.number.did_id == make.did_id
    refused = purchased.state(Did, make.other_id)
    assert (refused.holding.stock, refused.listing.status) == ("refused", None)


def test_the_same_order_with_another_did_id_is_a_duplicate(purchased: Any, make: Any) -> None:
    """An order system that lost its did_id and sends a new one keeps the first DID."""
    purchased.decide(make.purchased(did_id=make.other_id))

    assert refusal(purchased).code == "duplicate_order"
    ordered = purchased.state(OrderedNumber, ordered_number_key(make.account, "o-1", make.number))
    assert ordered.did_id == make.did_id


def test_the_same_order_after_a_refusal_is_a_duplicate_too(stage: Any, make: Any) -> None:
    """A refused purchase is also recognized by its order."""
    stage.store(Number(number=make.number, releasing=True))
    stage.decide(make.purchased())
    stage.store(Number(number=make.number))
    stage.decide(make.purchased(did_id=make.other_id))

    assert [event.data.code for event in stage.published()] == ["number_releasing", "duplicate_order"]


def test_an_order_can_buy_a_number_again_after_its_did_was_removed(purchased: Any, make: Any) -> None:
    """After the removal and the release, the same order may purchase the number again."""
    purchased.decide(make.removed())
    purchased.decide(make.routing("released"))
    purchased.decide(make.purchased(did_id=make.other_id))

    assert purchased.number.did_id == make.other_id
    assert purchased.state(Did, make.other_id).holding.stock == "assigned"


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (Number(number="", releasing=True), "number_releasing"),
        (Number(number="", stock="archived", uploaded_by="master"), "number_archived"),
        (Number(number="", stock="reserved", uploaded_by="master"), "number_reserved"),
        (Number(number="", stock="held", uploaded_by="master"), "number_reserved"),
        (Number(number="", stock="in_stock", uploaded_by="other"), "number_taken"),
        (Number(number="", stock="in_stock", uploaded_by="master/acme/shop"), "number_taken"),
        (Number(number="", stock="archived", uploaded_by="other"), "number_taken"),
        (Number(number="", stock="held", uploaded_by="other", held_for="other"), "number_taken"),
        (Number(number="", stock="in_stock", uploaded_by="other", releasing=True), "number_taken"),
    ],
)
def test_a_number_that_cannot_be_purchased_is_refused_by_its_state(
    stage: Any, make: Any, number: Any, code: Any
) -> None:
    """Each state of a number has its own code. Of a number in a foreign stock, nothing more is said."""
    stage.store(replace(number, number=make.number))
    stage.decide(make.purchased())

    assert refusal(stage).code == code
    assert stage.number.did_id is None


def test_a_number_in_the_stock_of_an_account_above_can_be_purchased(stage: Any, make: Any) -> None:
    """The DID records that the number came from stock."""
    stage.store(Number(number=make.number, stock="in_stock", uploaded_by="master"))
    stage.decide(make.purchased())

    assert (stage.did.holding.origin, stage.number.stock, stage.number.uploaded_by) == (
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
def test_a_number_without_a_numbering_plan_or_with_another_country_is_invalid(
    stage: Any, make: Any, changes: Any
) -> None:
    """E.164 form is not enough, and the given country must be a country of the number."""
    stage.decide(make.purchased(**changes))
    assert refusal(stage).code == "invalid_number"


def test_a_number_that_several_countries_share_keeps_the_given_country(stage: Any, make: Any) -> None:
    """A North American toll-free number belongs to Canada as well as to the United States."""
    stage.decide(make.purchased(number="+18005550199", country="CA", number_type="toll_free"))
    assert stage.did.holding.country == "CA"


def test_an_international_number_has_no_country(stage: Any, make: Any) -> None:
    """An international freephone number is sold without a country."""
    stage.decide(make.purchased(number="+80012345678", number_type="toll_free"))
    assert (stage.did.holding.stock, stage.did.holding.country) == ("assigned", None)


def test_a_number_in_stock_is_not_added_as_an_external_number(stage: Any, make: Any) -> None:
    """An external number needs no price, so the account would have the number of another one for nothing."""
    stage.store(Number(number=make.number, stock="in_stock", uploaded_by="master"))
    external = {"acquired": "external", "price": None}
    assert stage.code(make.purchase(**external)) == "number_taken"

    stage.decide(make.purchased(**external))
    assert (refusal(stage).code, stage.number.stock) == ("number_taken", "in_stock")


def test_a_purchase_for_an_account_that_does_not_exist_is_refused(stage: Any, make: Any) -> None:
    """The refusal names the order."""
    stage.decide(make.purchased(account="master/nobody"))
    assert (refusal(stage).code, refusal(stage).order_id) == ("account_unknown", "o-1")


def test_an_outside_source_cannot_repeat_the_purchase_of_another_account(purchased: Any, make: Any) -> None:
    """Knowing the did_id is not enough."""
    assert purchased.code(make.purchased(account="other")) == "not_yours"


def test_a_did_id_cannot_be_used_for_another_number(purchased: Any, make: Any) -> None:
    """A did_id names one life of one number."""
    purchased.decide(make.purchased(number="+35319609037"))
    assert purchased.refusals() == ["did_id_taken"]


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
def test_a_carrier_that_is_not_given_is_the_default_carrier(
    stage: Any, make: Any, features: Any, given: Any, expected: Any
) -> None:
    """Calls, including fax, and messages each get the default where no carrier is given."""
    stage.store(Account(path=make.account, name="a", default_carrier="shop-net", created_at=make.zero))
    stage.decide(make.purchased(features=features, **given))

    assert (stage.did.holding.carrier, stage.did.holding.sms_carrier) == expected


def test_the_nearest_account_above_gives_the_default_carrier(stage: Any, make: Any) -> None:
    """If no account above has a default carrier, the deployment's default is taken."""
    stage.decide(make.purchased(account="master/acme/shop"))
    assert stage.did.holding.carrier == "simulator"

    stage.store(Account(path="master", name="m", default_carrier="far", created_at=make.zero))
    stage.store(Account(path=make.account, name="a", default_carrier="near", created_at=make.zero))
    changes = {"did_id": make.other_id, "order_id": "o-2", "number": "+35319609037"}
    stage.decide(make.purchased(account="master/acme/shop", **changes))
    assert stage.state(Did, make.other_id).holding.carrier == "near"


def test_a_purchase_over_http_publishes_the_same_event(stage: Any, make: Any) -> None:
    """`did.purchased` carries the instant of the request, and `did.changed` follows it."""
    decision = stage.decide(make.purchase())

    assert stage.topics() == ["did.purchased", "did.changed"]
    assert stage.published()[0].data.purchased_at == make.zero
    answer = decision.answer
    assert (answer.did.holding.did_id, answer.did.listing.status) == (make.did_id, "awaiting_registration")


def test_the_same_order_over_http_is_answered_with_the_did_that_it_made(stage: Any, make: Any) -> None:
    """A caller that lost the answer and sends a new did_id still has one purchase."""
    stage.decide(make.purchase())
    decision = stage.decide(make.purchase(did_id=make.other_id))

    assert isinstance(decision, Unchanged)
    assert decision.answer.did.holding.did_id == make.did_id
    assert isinstance(stage.decide(make.purchase()), Unchanged)


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
def test_a_refused_purchase_over_http_stores_and_publishes_nothing(
    purchased: Any, make: Any, changes: Any, code: Any
) -> None:
    """The code is the answer."""
    topics = purchased.topics()
    changes = {**changes, "did_id": changes.get("did_id", make.did_id) or make.other_id}

    assert purchased.code(make.purchase(**changes)) == code
    assert purchased.topics() == topics
    assert purchased.state(Did, make.other_id) is None


def test_an_order_that_was_refused_as_an_event_is_a_duplicate_over_http(stage: Any, make: Any) -> None:
    """The order system was told that the order is refused, so HTTP must not accept it."""
    stage.decide(make.purchased(number="+35319999999999"))
    stage.decide(make.purchase(number="+35319999999999", did_id=make.other_id))
    assert stage.refusals() == ["duplicate_order"]


def test_the_did_id_of_a_removed_did_cannot_be_used_again(purchased: Any, make: Any) -> None:
    """A new DID needs a new did_id."""
    purchased.decide(make.removed())
    purchased.decide(make.routing("released"))
    assert purchased.code(make.purchase()) == "did_id_taken"


@pytest.mark.parametrize("role", ["enterprise_admin", "service"])
def test_an_external_number_is_added_only_if_its_account_allows_it(stage: Any, make: Any, role: Any) -> None:
    """The account of an enterprise must allow it; this also holds for services."""
    caller = make.caller(make.account, role)
    external = {"acquired": "external", "did_id": make.other_id}
    assert isinstance(stage.decide(make.purchase(caller, **external)), Refused)
    assert stage.refusals() == ["external_numbers_not_allowed"]

    stage.store(
        Account(
            path=make.account,
            name="a",
            allow_external_numbers=True,
            may_set_prices=True,
            created_at=make.zero,
        )
    )
    stage.decide(make.purchase(caller, **external))
    assert stage.state(Did, make.other_id).holding.origin == "external"


def test_a_reseller_adds_external_numbers_without_the_permission_of_the_account(
    stage: Any, make: Any
) -> None:
    """It has no such limit."""
    stage.decide(make.purchase(acquired="external", did_id=make.other_id))
    assert stage.state(Did, make.other_id).holding.origin == "external"


@pytest.mark.parametrize(
    ("by", "buyer", "code"),
    [
        ("operator:nobody", "other", None),
        ("service:other", "other", None),
        ("master_reseller:other", "other", "price_not_allowed"),
        ("reseller:other", "other", "price_not_allowed"),
        ("enterprise_admin:other", "other", "price_not_allowed"),
        ("reseller:other", "other/priced", "price_not_allowed"),
        ("enterprise_admin:other/priced", "other/priced", None),
        ("reseller:master", "master/acme/shop", None),
    ],
)
def test_a_price_is_named_only_by_whoever_may(
    stage: Any, make: Any, by: str, buyer: str, code: str | None
) -> None:
    """The account of the caller counts: the permission of the buying account below it does not help."""
    fields = {"allow_external_numbers": True, "created_at": make.zero}
    stage.store(Account(path="other", name="o", **fields))
    stage.store(Account(path="other/priced", name="p", may_set_prices=True, **fields))
    role, _, account = by.partition(":")
    caller = make.caller(account, role)

    numbers = {"purchased": "+35319609101", "external": "+35319609102"}
    for acquired, number in numbers.items():
        new = {"did_id": uuid4(), "order_id": number, "number": number, "acquired": acquired}
        assert stage.code(make.purchase(caller, account=buyer, **new)) == code


@pytest.mark.parametrize("role", ["operator", "service", "reseller"])
def test_a_purchase_without_a_price_is_published_without_one(stage: Any, make: Any, role: Any) -> None:
    """Billing takes the price of its price list. An account that may not set prices can purchase too."""
    stage.store(Account(path=make.account, name="a", may_set_prices=False, created_at=make.zero))
    assert stage.code(make.purchase(make.caller(make.account, role), price=None)) is None
    (published,) = stage.published_data("did.purchased")
    assert (published.acquired, published.price) == ("purchased", None)


@pytest.mark.parametrize("role", ["service", "reseller", "enterprise_admin"])
def test_a_token_for_an_account_that_does_not_exist_can_own_nothing(stage: Any, make: Any, role: Any) -> None:
    """Neither the account itself nor one below it gets a number."""
    caller = make.caller("ghost", role)
    for account in ("ghost", "ghost/shop"):
        for acquired in ("purchased", "external"):
            assert stage.code(make.purchase(caller, account=account, acquired=acquired)) == "account_unknown"
    assert stage.topics() == []


@pytest.mark.parametrize(
    ("back", "code"),
    [
        (timedelta(days=31), None),
        (timedelta(days=31, seconds=1), "out_of_range"),
        (timedelta(0), None),
        (timedelta(seconds=-1), "out_of_range"),
        (timedelta(days=365 * 50), "out_of_range"),
    ],
)
def test_a_purchase_over_http_is_dated_at_most_31_days_back_and_not_ahead(
    stage: Any, make: Any, back: Any, code: Any
) -> None:
    """Otherwise a caller could start a term in the past, or never."""
    assert stage.code(make.purchase(purchased_at=make.zero - back)) == code


def test_an_order_that_is_repeated_a_year_later_is_answered_with_its_did(stage: Any, make: Any) -> None:
    """Its date was right when the order was made."""
    stage.decide(make.purchase(purchased_at=make.zero))
    again = stage.decide(make.purchase(purchased_at=make.zero), make.zero + timedelta(days=365))
    assert isinstance(again, Unchanged)


@pytest.mark.parametrize("did_id", ["same", "another"])
def test_an_order_sent_again_does_not_show_a_did_that_another_account_has_now(
    stage: Any, make: Any, did_id: str
) -> None:
    """The number was taken back and handed to a sibling. The order is known, and what became of it is not said."""
    stage.decide(make.purchase())
    master = make.caller("master", "master_reseller")
    stage.decide(make.about(TakeBack, by=master))
    stage.decide(make.about(EditDid, by=master, edits=Edits(notes="for the sibling")))
    again = make.purchase(did_id=make.did_id if did_id == "same" else make.other_id)
    assert stage.code(again) == "duplicate_order"
    assert stage.history[-1].type != "http.purchase"
