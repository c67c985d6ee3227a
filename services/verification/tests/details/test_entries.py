"""Identities and addresses come in under accounts that the caller reaches."""

from typing import Any

import pytest

from didflow_chassis.decision import Decided, Refused, Unchanged
from didflow_contracts.ids import uuid7
from didflow_verification.domain.details.commands import CreateAddress, CreateIdentity
from didflow_verification.domain.details.identity import Person, Place


def identity_command(say: Any, account: str, **caller: Any) -> CreateIdentity:
    """A wish for an identity of an account."""
    return CreateIdentity(
        entity_id=uuid7(),
        subject="",
        caller=say.caller(**{"role": "reseller", "account": "master/acme"} | caller),
        account=account,
        type="business",
        person=Person(company_name="Acme"),
    )


def address_command(say: Any, identity: Any, account: str = "master/acme") -> CreateAddress:
    """A wish for an address of an identity."""
    return CreateAddress(
        entity_id=uuid7(),
        subject="",
        caller=say.caller(role="reseller", account=account),
        identity_id=identity.identity_id,
        place=Place(street="1 Quay Street", city="Dublin", country="IE"),
    )


@pytest.mark.parametrize("account", ["master/acme", "master/acme/shop"])
def test_an_identity_is_entered_for_the_callers_account_or_one_below(
    stage: Any, say: Any, account: str
) -> None:
    """The answer is the identity, in its first revision."""
    outcome = stage.process(identity_command(say, account))
    assert isinstance(outcome, Decided)
    assert (outcome.answer.account, outcome.answer.revision) == (account, 1)


@pytest.mark.parametrize("account", ["master", "master/globex", "master/acmeplus"])
def test_an_account_out_of_reach_does_not_exist(stage: Any, say: Any, account: str) -> None:
    """Refused as not found; an operator reaches it."""
    refused = stage.process(identity_command(say, account))
    assert isinstance(refused, Refused)
    assert (refused.code, refused.field) == ("not_found", "account")
    assert isinstance(stage.process(identity_command(say, account, role="operator")), Decided)


def test_an_address_lies_in_its_identitys_account(stage: Any, say: Any, make: Any) -> None:
    """Whoever of the accounts above enters it."""
    shop = make.company("shop", account="master/acme/shop")
    stage.store(shop)
    outcome = stage.process(address_command(say, shop))
    assert isinstance(outcome, Decided)
    assert (outcome.answer.account, outcome.answer.identity_id) == (shop.account, shop.identity_id)


def test_an_address_of_an_identity_out_of_reach_is_not_entered(stage: Any, say: Any, make: Any) -> None:
    """Foreign and unknown alike."""
    foreign = make.company("globex", account="master/globex")
    unknown = address_command(say, foreign)
    assert stage.process(unknown) == Refused("not_found", "no such identity", "identity_id")
    stage.store(foreign)
    assert stage.process(address_command(say, foreign)) == Refused(
        "not_found", "no such identity", "identity_id"
    )


def test_the_same_id_again_enters_nothing(stage: Any, say: Any, acme: Any) -> None:
    """What is there stays as it is."""
    stage.store(acme)
    identity, address = identity_command(say, "master/acme"), address_command(say, acme)
    for command in (identity, address):
        stage.process(command)
        assert isinstance(stage.process(command), Unchanged)
