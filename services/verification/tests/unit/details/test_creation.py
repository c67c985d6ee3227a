"""Identities and addresses are created in accounts within the caller's reach."""

from typing import Any

import pytest

from didflow_chassis.decision import Decided, Refused, Unchanged
from didflow_contracts.ids import uuid7
from didflow_verification.domain.commands import CreateAddress, CreateIdentity
from didflow_verification.domain.details.identity import Person, Place


def identity_command(build: Any, account: str, **caller: Any) -> CreateIdentity:
    """Return the command to create an identity in an account."""
    return CreateIdentity(
        entity_id=uuid7(),
        subject="",
        caller=build.caller(**{"role": "reseller", "account": "master/acme"} | caller),
        account=account,
        type="business",
        person=Person(company_name="Acme"),
    )


def address_command(build: Any, identity: Any, account: str = "master/acme") -> CreateAddress:
    """Return the command to create an address of an identity."""
    return CreateAddress(
        entity_id=uuid7(),
        subject="",
        caller=build.caller(role="reseller", account=account),
        identity_id=identity.identity_id,
        place=Place(street="1 Quay Street", city="Dublin", country="IE"),
    )


@pytest.mark.parametrize("account", ["master/acme", "master/acme/shop"])
def test_an_identity_is_created_in_the_callers_account_or_below(stage: Any, build: Any, account: str) -> None:
    """The answer is the identity in its first revision."""
    outcome = stage.process(identity_command(build, account))
    assert isinstance(outcome, Decided)
    assert (outcome.answer.account, outcome.answer.revision) == (account, 1)


@pytest.mark.parametrize("account", ["master", "master/globex", "master/acmeplus"])
def test_an_account_outside_the_callers_reach_is_not_found(stage: Any, build: Any, account: str) -> None:
    """An operator reaches every account."""
    refused = stage.process(identity_command(build, account))
    assert isinstance(refused, Refused)
    assert (refused.code, refused.field) == ("not_found", "account")
    assert isinstance(stage.process(identity_command(build, account, role="operator")), Decided)


def test_an_address_belongs_to_the_account_of_its_identity(stage: Any, build: Any, make: Any) -> None:
    """It does not matter which account above creates it."""
    shop = make.company("shop", account="master/acme/shop")
    stage.store(shop)
    outcome = stage.process(address_command(build, shop))
    assert isinstance(outcome, Decided)
    assert (outcome.answer.account, outcome.answer.identity_id) == (shop.account, shop.identity_id)


def test_an_identity_outside_the_callers_reach_gets_no_address(stage: Any, build: Any, make: Any) -> None:
    """A foreign identity and an unknown identity get the same refusal."""
    foreign = make.company("globex", account="master/globex")
    refused = Refused("not_found", "No such identity in your accounts.", "identity_id")
    assert stage.process(address_command(build, foreign)) == refused
    stage.store(foreign)
    assert stage.process(address_command(build, foreign)) == refused


def test_a_repeated_creation_changes_nothing(stage: Any, build: Any, acme: Any) -> None:
    """The second command with the same id is unchanged."""
    stage.store(acme)
    identity, address = identity_command(build, "master/acme"), address_command(build, acme)
    for command in (identity, address):
        stage.process(command)
        assert isinstance(stage.process(command), Unchanged)
