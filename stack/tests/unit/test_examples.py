"""The examples are valid input. What they state about numbers, people and retries is true."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import phonenumbers
import pytest
from phonenumbers import PhoneNumberType

from didflow.demo.examples import Address, Examples, Expect, Identity, Purchase, Then, read
from didflow.demo.people import DESK, tenant_of
from didflow.errors import BadInput
from didflow.stack import ACCOUNTS
from didflow_contracts.accounts import is_within
from didflow_contracts.envelope import CONTENT_TYPE, BadEvent, Event, decode
from didflow_contracts.events import DidPurchased
from didflow_contracts.numbers import country_of

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HEADERS = [("content-type", CONTENT_TYPE.encode())]
TYPES = {
    "local": {PhoneNumberType.FIXED_LINE, PhoneNumberType.FIXED_LINE_OR_MOBILE},
    "mobile": {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE},
    "toll_free": {PhoneNumberType.TOLL_FREE},
    "national": {PhoneNumberType.UAN, PhoneNumberType.VOIP, PhoneNumberType.FIXED_LINE},
}
"""Our number types -> what the numbering plans call them."""


@pytest.fixture(scope="module")
def examples() -> Examples:
    return read()


def heard(purchase: Purchase) -> Event[Any]:
    return decode(purchase.value(NOW), HEADERS, types={DidPurchased.type(): DidPurchased})


def numbers(examples: Examples) -> list[DidPurchased]:
    return [heard(purchase).data for purchase in examples.ending("status")]


def test_there_are_sixty_purchases_of_valid_numbers(examples: Examples) -> None:
    """Each number is valid and has the stated type. No number is expected to be sold twice."""
    bought = numbers(examples)
    assert len(bought) >= 60
    assert len({purchase.number for purchase in bought}) == len(bought)
    for purchase in bought:
        parsed = phonenumbers.parse(purchase.number)
        assert phonenumbers.is_valid_number(parsed), purchase.number
        assert phonenumbers.number_type(parsed) in TYPES[purchase.number_type], purchase.number


def test_they_come_from_at_least_twelve_countries(examples: Examples) -> None:
    """There is also every type of number."""
    bought = numbers(examples)
    assert len({country_of(purchase.number) for purchase in bought}) >= 12
    assert {purchase.number_type for purchase in bought} == set(TYPES)


def test_businesses_and_individuals_buy_with_and_without_registration(examples: Examples) -> None:
    """Both kinds of end user, both kinds of requirement, several accounts."""
    bought = examples.ending("status")
    assert {purchase.event["data"]["end_user_type"] for purchase in bought} == {"business", "individual"}
    ends = Counter(purchase.expect.status for purchase in bought)
    assert ends["active"] >= 20
    assert ends["awaiting_registration"] >= 10
    free = [p for p in bought if p.expect.status == "active" and not p.then.details]
    registered = [p for p in bought if p.expect.status == "active" and p.then.details]
    assert free
    assert registered
    assert len({purchase.account for purchase in bought}) >= 3


def test_every_kind_of_routing_leads_to_active(examples: Examples) -> None:
    """A trunk, a trunk group, a capacity group, an SMS trunk alone, and a profile that applies itself."""
    active = [p for p in examples.ending("status") if p.expect.status == "active"]
    assert {p.then.voice for p in active} == {None, "switchboard", "both-sites"}
    assert any(p.then.capacity_group for p in active)
    assert any(p.then.sms and "voice_in" not in p.event["data"]["features"] for p in active)
    of_desk = [p for p in examples.purchases if p.event and p.account == DESK]
    assert of_desk
    assert all(p.then == Then() and p.expect.status == "active" for p in of_desk)


def test_every_kind_of_next_step_is_shown(examples: Examples) -> None:
    """Numbers end with a next step for the account, for a reviewer and for nobody."""
    steps = {purchase.expect.next_step for purchase in examples.ending("status")}
    assert steps >= {
        "none",
        "assign_end_user_details",
        "fix_end_user_details",
        "await_review",
        "assign_voice_trunk",
        "assign_capacity",
        "assign_sms_trunk",
        "retry_carrier",
        "set_billing_cycles",
    }


def test_a_purchase_is_retried_under_its_own_id(examples: Examples) -> None:
    """One event is repeated exactly. Another one has a new event id but the same DID."""
    ids = Counter((p.event["source"], p.event["id"]) for p in examples.purchases if p.event)
    assert [count for count in ids.values() if count > 1] == [2]
    repeats = examples.ending("duplicate")
    assert len(repeats) == 2
    dids = {purchase.did_id for purchase in examples.ending("status")}
    assert all(repeat.did_id in dids for repeat in repeats)


def test_two_accounts_buy_the_same_number(examples: Examples) -> None:
    """The second one in the file is refused."""
    refused = {purchase.expect.refused: purchase for purchase in examples.ending("refused")}
    second = refused["number_taken"]
    first = next(p for p in examples.purchases if p.number == second.number)
    assert first is not second
    assert (first.expect.status, tenant_of(first.account) != tenant_of(second.account)) == ("active", True)
    assert set(refused) >= {"number_taken", "duplicate_order", "account_unknown", "invalid_number"}


def test_one_line_is_malformed(examples: Examples) -> None:
    """It is published unchanged, and no consumer can decode it."""
    (broken,) = examples.ending("dead_letter")
    with pytest.raises(BadEvent) as raised:
        heard(broken)
    assert raised.value.code == broken.expect.dead_letter == "not_json"


def test_identities_belong_to_the_accounts_that_use_them(examples: Examples) -> None:
    """Every identity's account exists and serves the accounts that register numbers with it."""
    for identity in examples.identities.values():
        assert identity.account in ACCOUNTS
    for purchase in examples.purchases:
        if purchase.then.details:
            address = examples.addresses[purchase.then.details]
            assert is_within(purchase.account, examples.identities[address.identity].account)


def test_names_are_visibly_fictitious(examples: Examples) -> None:
    """No real company, person or mail address is in the examples."""
    stems = ("exampl", "exempl", "beispiel", "voorbeeld", "przykład", "eksempel", "esempio")
    for identity in examples.identities.values():
        named = " ".join(identity.body.get(f) or "" for f in ("company_name", "last_name")).casefold()
        assert any(stem in named for stem in stems), named
        assert identity.body.get("contact_email", "x.example").endswith(".example")


def test_a_file_with_an_unknown_name_is_refused(tmp_path: Any) -> None:
    """The error comes before anything starts."""
    line = '{"event": {"id": "1"}, "then": {"details": "nobody"}, "expect": {"status": "active", "next_step": "none"}}'
    (tmp_path / "purchases.jsonl").write_text(line)
    for name in ("identities", "addresses"):
        (tmp_path / f"{name}.jsonl").touch()
    with pytest.raises(BadInput, match="nobody"):
        read(tmp_path / "purchases.jsonl")
    with pytest.raises(BadInput, match=r"none\.jsonl"):
        read(tmp_path / "none.jsonl")


def test_details_that_one_review_approves_and_another_rejects_are_refused() -> None:
    """The approval of one number covers the other, so the rejection would find it decided."""

    def reviewed(number_type: str, review: str) -> Purchase:
        data = {"account": "master/acme", "number_type": number_type}
        expect = {"status": "active", "next_step": "none"}
        then = {"details": "bakery", "review": review}
        return Purchase.model_validate({"event": {"data": data}, "then": then, "expect": expect})

    def file(*purchases: Purchase) -> Examples:
        address = Address(name="bakery", identity="bakery", body={})
        identity = Identity(name="bakery", account="master/acme", body={})
        return Examples(purchases=purchases, identities={"bakery": identity}, addresses={"bakery": address})

    assert file(reviewed("local", "approve"), reviewed("mobile", "reject:mismatch"))
    with pytest.raises(ValueError, match="an approval and a rejection of the same details: bakery"):
        file(reviewed("local", "approve"), reviewed("local", "reject:mismatch"))


@pytest.mark.parametrize("ends", [{}, {"status": "active"}, {"refused": "number_taken", "duplicate": True}])
def test_a_line_expects_exactly_one_end(ends: dict[str, Any]) -> None:
    """No end and two ends are errors."""
    with pytest.raises(ValueError, match="exactly one"):
        Expect(**ends)
