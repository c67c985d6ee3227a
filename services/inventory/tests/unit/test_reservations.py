"""Reservations: all numbers or none, for the reserver alone, until they end by themselves."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from didflow_chassis.decision import Caller, Refused, Unchanged
from didflow_inventory.domain.stock.handout import HandOut
from didflow_inventory.domain.stock.number import Number
from didflow_inventory.domain.stock.reservation import (
    CancelReservation,
    HeldNumbers,
    Reservation,
    Reserve,
)

IDS = [UUID(int=n) for n in range(1, 10)]
NUMBERS = [f"+353196090{n:02}" for n in range(10, 60)]
ACME, SHOP = "reseller:master/acme", "reseller:master/acme/shop"


def caller(by: str) -> Caller:
    """Return the caller that is written as `role:account`."""
    role, _, account = by.partition(":")
    return Caller(subject="ann", account=account, role=role)


def reserve(
    *numbers: str, by: str = ACME, n: int = 0, minutes: int = 30, count: int | None = None
) -> Reserve:
    """Return the command that reserves numbers."""
    return Reserve(
        entity_id=IDS[n],
        subject="",
        caller=caller(by),
        numbers=numbers,
        count=len(numbers) if count is None else count,
        minutes=minutes,
    )


def cancel(n: int = 0, by: str = ACME) -> CancelReservation:
    """Return the command that cancels a reservation."""
    return CancelReservation(entity_id=IDS[n], subject="", caller=caller(by))


def hand_out(account: str, by: str = ACME, number: str = NUMBERS[0], n: int = 5, **more: Any) -> HandOut:
    """Return the command that hands a number out."""
    return HandOut(entity_id=IDS[n], subject=number, caller=caller(by), account=account, **more)


def code(decision: Any) -> str:
    """Return the code of a refusal, else an empty text."""
    return decision.code if isinstance(decision, Refused) else ""


@pytest.fixture
def stocked(stage: Any) -> Any:
    """An inventory with 50 numbers in the stock of the account above."""
    stocked = Number(
        number="",
        stock="in_stock",
        uploaded_by="master",
        country="IE",
        number_type="local",
        features=("voice_in",),
    )
    stage.store(*(replace(stocked, number=name) for name in NUMBERS))
    return stage


def held(stage: Any, account: str = "master/acme") -> int:
    """Return how many numbers an account holds."""
    found = stage.state(HeldNumbers, account)
    return 0 if found is None else found.as_of(stage.now()).count


def states(stage: Any, *numbers: str) -> list[Any]:
    """Return the states of numbers."""
    return [stage.state(Number, name).stock for name in numbers]


def test_a_reservation_holds_its_numbers_until_its_end(stocked: Any, make: Any) -> None:
    """Each number says for whom, and by which reservation."""
    answer = stocked.decide(reserve(*NUMBERS[:3])).answer

    until = make.zero + timedelta(minutes=30)
    assert (answer.numbers, answer.expires_at, answer.account) == (tuple(NUMBERS[:3]), until, "master/acme")
    number = stocked.state(Number, NUMBERS[2])
    assert (number.stock, number.held_for, number.until) == ("held", "master/acme", until)
    assert (number.reservation_id, held(stocked)) == (IDS[0], 3)
    assert stocked.topics() == []


@pytest.mark.parametrize(
    "spoiled",
    [
        {"stock": "reserved"},
        {"stock": "archived"},
        {"uploaded_by": "other"},
        {"uploaded_by": "master/acme/shop"},
        {"stock": None},
        {"releasing": True},
        {"did_id": IDS[8]},
    ],
)
def test_if_one_number_is_not_free_none_is_reserved(stocked: Any, spoiled: dict[str, Any]) -> None:
    """Whatever the reason is, the answer is the same."""
    stocked.store(replace(stocked.state(Number, NUMBERS[1]), **spoiled))
    before = stocked.contents()

    assert code(stocked.decide(reserve(*NUMBERS[:3]))) == "not_enough_numbers"
    assert stocked.contents() == before


def test_a_number_that_is_held_is_free_for_nobody(stocked: Any) -> None:
    """Not for its reserver either."""
    stocked.decide(reserve(NUMBERS[0]))
    for by in (ACME, SHOP, "master_reseller:master", "operator:root"):
        assert code(stocked.decide(reserve(NUMBERS[0], by=by, n=1))) == "not_enough_numbers"


def test_fewer_numbers_than_wanted_are_not_reserved(stocked: Any) -> None:
    """The count decides, not the numbers that were found."""
    assert code(stocked.decide(reserve(*NUMBERS[:2], count=3))) == "not_enough_numbers"
    assert states(stocked, *NUMBERS[:2]) == ["in_stock", "in_stock"]


def test_an_account_that_does_not_exist_reserves_nothing(stocked: Any) -> None:
    """It could not purchase them either."""
    assert code(stocked.decide(reserve(NUMBERS[0], by="reseller:master/ghost"))) == "account_unknown"


def test_a_reservation_ends_at_its_instant_and_not_before(stocked: Any, make: Any) -> None:
    """29 minutes 59 seconds: held. 30 minutes: in stock, and the next one has it."""
    stocked.decide(reserve(*NUMBERS[:2]))
    stocked.set_time(make.zero + timedelta(minutes=29, seconds=59))
    stocked.run_due_timers()
    assert states(stocked, *NUMBERS[:2]) == ["held", "held"]

    stocked.set_time(make.zero + timedelta(minutes=30))
    stocked.run_due_timers()
    assert states(stocked, *NUMBERS[:2]) == ["in_stock", "in_stock"]
    assert (stocked.state(Reservation, IDS[0]).state, held(stocked)) == ("expired", 0)
    assert code(stocked.decide(reserve(NUMBERS[0], by=SHOP, n=1))) == ""


def test_a_reservation_that_is_over_holds_nothing_though_its_timer_has_not_run(
    stocked: Any, make: Any
) -> None:
    """Its late timer then leaves what others hold meanwhile."""
    stocked.decide(reserve(*NUMBERS[:2]))
    stocked.set_time(make.zero + timedelta(minutes=30))
    stocked.decide(reserve(NUMBERS[0], by=SHOP, n=1))
    stocked.decide(make.purchased(number=NUMBERS[1], account="master/acme/shop"))
    stocked.run_due_timers()

    assert states(stocked, *NUMBERS[:2]) == ["held", None]
    assert (held(stocked), held(stocked, "master/acme/shop")) == (0, 1)


def test_a_canceled_reservation_gives_its_numbers_back_once(stocked: Any, make: Any) -> None:
    """Its timer has nothing to do any more."""
    stocked.decide(reserve(*NUMBERS[:2]))
    assert code(stocked.decide(cancel(by="reseller:other"))) == "not_found"
    assert code(stocked.decide(cancel(n=4))) == "not_found"
    stocked.decide(cancel())
    assert isinstance(stocked.decide(cancel()), Unchanged)
    assert (states(stocked, *NUMBERS[:2]), held(stocked)) == (["in_stock", "in_stock"], 0)
    stocked.decide(reserve(NUMBERS[0], by=SHOP, n=1, minutes=60))
    stocked.set_time(make.zero + timedelta(minutes=30))
    stocked.run_due_timers()
    assert states(stocked, NUMBERS[0]) == ["held"]


def test_the_reserver_alone_buys_and_the_number_is_counted_no_more(stocked: Any, make: Any) -> None:
    """Over HTTP also a caller of the account above buys it, for the reserver."""
    stocked.decide(reserve(*NUMBERS[:3], by=SHOP))
    mine = {"account": "master/acme/shop"}
    refused = stocked.decide(make.purchase(caller("reseller:master/acme"), number=NUMBERS[0]))
    assert code(refused) == "number_reserved"
    bought = stocked.decide(make.purchase(caller("reseller:master/acme"), number=NUMBERS[0], **mine))
    assert code(bought) == ""
    stocked.decide(make.purchased(number=NUMBERS[1], did_id=IDS[7], order_id="o-2", **mine))

    assert (states(stocked, *NUMBERS[:3]), held(stocked, "master/acme/shop")) == ([None, None, "held"], 1)
    assert stocked.state(Number, NUMBERS[0]).reservation_id is None


def test_a_reservation_whose_numbers_were_all_sold_is_counted_no_more(stocked: Any, make: Any) -> None:
    """An account that reserves and buys all day is one small row."""
    for n, name in enumerate(NUMBERS[:3]):
        stocked.decide(reserve(name, n=n, minutes=1_440))
        stocked.decide(
            make.purchased(number=name, did_id=UUID(int=100 + n), order_id=f"o-{n}", account="master/acme")
        )
    assert stocked.state(HeldNumbers, "master/acme").held == {}


def test_an_account_holds_at_most_1000_numbers(stocked: Any, make: Any) -> None:
    """Those that were sold, canceled or are over do not count, at once."""
    names = [f"+35319{n:06}" for n in range(100_000, 101_001)]
    stocked.store(*(Number(number=name, stock="in_stock", uploaded_by="master") for name in names))
    assert code(stocked.decide(reserve(*names[:999]))) == ""
    assert code(stocked.decide(reserve(*names[999:1001], n=1))) == "reservation_limit"
    assert code(stocked.decide(reserve(names[999], n=1, minutes=60))) == ""
    assert code(stocked.decide(reserve(names[1000], n=2))) == "reservation_limit"
    assert code(stocked.decide(reserve(names[1000], n=2, by=SHOP))) == ""
    stocked.decide(make.purchased(number=names[0]))
    assert code(stocked.decide(reserve(NUMBERS[0], n=3))) == ""
    stocked.set_time(make.zero + timedelta(minutes=30))
    assert code(stocked.decide(reserve(*NUMBERS[1:50], n=4))) == ""
    assert held(stocked) == 50


def test_a_number_that_is_handed_out_is_a_did_without_a_price(stocked: Any) -> None:
    """The payer is the account that got it. Billing keeps no term for it."""
    stocked.store(replace(stocked.state(Number, NUMBERS[0]), uploaded_by="master/acme", tag="gold"))
    assert code(stocked.decide(hand_out("master/acme/shop"))) == ""

    assert stocked.topics() == ["did.purchased", "did.changed"]
    purchased, changed = (event.data for event in stocked.published())
    assert (purchased.acquired, purchased.price, purchased.order_id) == ("assigned", None, None)
    assert (changed.account, changed.payer, changed.origin, changed.tags) == (
        "master/acme/shop",
        "master/acme/shop",
        "stock",
        ("gold",),
    )
    assert stocked.state(Number, NUMBERS[0]).did_id == IDS[5]
    assert isinstance(stocked.decide(hand_out("master/acme/shop", n=6)), Unchanged)
    assert code(stocked.decide(hand_out("master/acme", "master_reseller:master", n=6))) == "number_taken"


@pytest.mark.parametrize(
    ("account", "by", "expected"),
    [
        ("master/acme", ACME, "not_below"),
        ("master/acme", "master_reseller:master", "not_below"),
        ("master/acme", "operator:root", "not_below"),
        ("master/acme/shop", "master_reseller:master", ""),
        ("master/acme/shop", "operator:root", ""),
        ("master/acme/ghost", ACME, "account_unknown"),
        ("other", ACME, "not_found"),
        ("master", ACME, "not_found"),
        ("master/acme/shop", SHOP, "not_below"),
        ("other", "operator:root", "number_taken"),
    ],
)
def test_a_number_is_handed_out_below_the_caller_and_below_its_uploader(
    stocked: Any, account: str, by: str, expected: str
) -> None:
    """The number is in the stock of the reseller."""
    stocked.store(replace(stocked.state(Number, NUMBERS[0]), uploaded_by="master/acme"))
    assert code(stocked.decide(hand_out(account, by))) == expected


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"stock": "reserved"}, "number_reserved"),
        ({"stock": "archived"}, "number_archived"),
        ({"uploaded_by": "master"}, "not_found"),
    ],
)
def test_only_a_number_in_the_callers_stock_is_handed_out(stocked: Any, state: Any, expected: str) -> None:
    """A number in the stock above is purchased instead."""
    stocked.store(replace(stocked.state(Number, NUMBERS[0]), **({"uploaded_by": "master/acme"} | state)))
    assert code(stocked.decide(hand_out("master/acme/shop"))) == expected


def test_a_number_that_the_caller_holds_itself_is_handed_out(stocked: Any) -> None:
    """What another account holds is not."""
    stocked.store(*(replace(stocked.state(Number, name), uploaded_by="master/acme") for name in NUMBERS[:2]))
    stocked.decide(reserve(NUMBERS[0]))
    stocked.decide(reserve(NUMBERS[1], by=SHOP, n=1))
    assert code(stocked.decide(hand_out("master/acme/shop"))) == ""
    assert held(stocked) == 0
    stocked.store(replace(stocked.state(Number, NUMBERS[1]), held_for="other"))
    assert code(stocked.decide(hand_out("master/acme/shop", number=NUMBERS[1], n=6))) == "number_reserved"
