"""The users of enterprises: who may have one, which DIDs a user gets, and its default DID in one step."""

from typing import Any

import pytest

from didflow_chassis.decision import Decided, Unchanged
from didflow_contracts.ids import derived_id
from didflow_inventory.domain.accounts.users import User, UserUse
from didflow_inventory.domain.did import Did

FIRM = "master/acme/firm"
USER = derived_id("user")
SECOND = derived_id("second DID")
OTHER_NUMBER = "+35319609037"


@pytest.fixture
def firm(stage: Any, make: Any) -> Any:
    """An inventory with an enterprise that has one DID."""
    stage.decide(make.create_account(FIRM, kind="enterprise"))
    stage.decide(make.purchased(account=FIRM))
    return stage


def user_of(stage: Any) -> User:
    """Return the user that the tests are about."""
    found: User = stage.state(User, USER)
    return found


def test_a_user_belongs_to_an_enterprise(firm: Any, make: Any) -> None:
    """The answer is the user. A repeat is unchanged."""
    decision = firm.decide(make.create_user())
    assert isinstance(decision, Decided)
    assert (decision.answer, decision.answer.account) == (user_of(firm), FIRM)
    assert isinstance(firm.decide(make.create_user()), Unchanged)


@pytest.mark.parametrize(
    ("account", "code"),
    [("master/acme", "not_an_enterprise"), ("master/acme/none", "not_found"), ("other", "not_found")],
)
def test_a_user_of_any_other_account_is_refused(firm: Any, make: Any, account: Any, code: Any) -> None:
    """Foreign and absent accounts are answered alike."""
    assert firm.code(make.create_user(account=account)) == code


@pytest.mark.parametrize(
    ("role", "code"),
    [("reseller", "extension_not_allowed"), ("operator", None), ("service", None)],
)
def test_only_an_operator_or_a_service_creates_a_user_with_an_extension(
    firm: Any, make: Any, role: Any, code: Any
) -> None:
    """New users take the exact number."""
    by = make.caller("master", role)
    assert firm.code(make.create_user(by, extension="+353123")) == code


def test_a_user_is_changed_and_the_same_change_again_is_unchanged(firm: Any, make: Any) -> None:
    """A foreign user is answered like one that does not exist."""
    firm.decide(make.create_user())
    assert isinstance(firm.decide(make.change_user(name="Front desk", subject="eve")), Decided)
    assert (user_of(firm).name, user_of(firm).subject) == ("Front desk", "eve")
    assert isinstance(firm.decide(make.change_user(name="Front desk", subject="eve")), Unchanged)
    foreign = firm.decide(make.change_user(make.caller("other"), name="x"))
    absent = firm.decide(make.change_user(user_id=SECOND, name="x"))
    assert (foreign, foreign.code) == (absent, "not_found")


def test_a_changed_user_without_its_former_default_did_is_answered_without_it(firm: Any, make: Any) -> None:
    """The answer to a change says the same as the list, and the history says when the default was dropped."""
    firm.decide(make.set_default_did(make.create_user()))
    assert firm.decide(make.change_user(name="Front desk")).answer.default_did == make.did_id
    firm.change_did(user=None)
    answer = firm.decide(make.change_user(name="Back desk")).answer
    assert (answer.default_did, answer.default_number) == (None, None)
    assert firm.history[-1].changes["default_did"] == {"before": str(make.did_id), "after": None}
    assert isinstance(firm.decide(make.change_user(name="Back desk")), Unchanged)


def test_only_a_user_that_has_an_extension_gets_another_one(firm: Any, make: Any) -> None:
    """It can always be taken away, and then there is none any more."""
    firm.decide(make.create_user())
    assert firm.code(make.change_user(extension="+353124")) == "extension_not_allowed"
    second = derived_id("second")
    firm.decide(make.create_user(make.caller("master", "service"), user_id=second, extension="+353123"))
    assert firm.code(make.change_user(user_id=second, extension="+353124")) is None
    assert firm.code(make.change_user(user_id=second, extension=None)) is None
    assert firm.code(make.change_user(user_id=second, extension="+353124")) == "extension_not_allowed"


def test_a_user_is_created_with_its_default_did_in_one_step(firm: Any, make: Any) -> None:
    """The DID has the user, and this is published. The same again is unchanged."""
    command = make.set_default_did(make.create_user())
    decision = firm.decide(command)
    assert decision.answer == user_of(firm)
    assert (user_of(firm).default_did, user_of(firm).default_number) == (make.did_id, make.number)
    assert firm.did.holding.user == str(USER)
    assert firm.published("did.changed")[-1].data.user == str(USER)
    assert {"http.set_default_did"} == {e.type for e in firm.history if e.thing == "user"}
    assert isinstance(firm.decide(command), Unchanged)


def test_an_unknown_number_is_added_as_an_external_one_where_the_account_allows_it(
    firm: Any, make: Any
) -> None:
    """Whoever asks. User and DID are there together or not at all."""
    command = make.set_default_did(make.create_user(), SECOND, OTHER_NUMBER)
    assert firm.code(command) == "external_numbers_not_allowed"
    assert firm.state(User, USER) is None
    assert firm.state(Did, SECOND) is None
    firm.decide(make.change_account(FIRM, allow_external_numbers=True))
    assert firm.code(command) is None
    holding = firm.state(Did, SECOND).holding
    assert (holding.user, holding.account, holding.origin) == (str(USER), FIRM, "external")
    assert firm.published("did.purchased")[-1].data.acquired == "external"
    assert user_of(firm).default_did == SECOND


def test_no_number_of_anybody_else_is_added(firm: Any, make: Any) -> None:
    """A live DID of a sibling is taken, and a number of no numbering plan is invalid; the field is named."""
    firm.decide(make.change_account(FIRM, allow_external_numbers=True))
    firm.decide(make.purchased(account="other", number=OTHER_NUMBER, did_id=make.other_id, order_id="o-2"))
    for number, code in ((OTHER_NUMBER, "number_taken"), ("+35311", "invalid_number")):
        decision = firm.decide(make.set_default_did(make.create_user(), SECOND, number))
        assert (decision.code, decision.field) == (code, "default_did")


@pytest.mark.parametrize("kind", ["pbx", "trunk"])
def test_a_pbx_or_trunk_user_has_one_did(firm: Any, make: Any, kind: Any) -> None:
    """Another default DID is refused until the first one is unassigned."""
    firm.decide(make.purchased(account=FIRM, number=OTHER_NUMBER, did_id=SECOND, order_id="o-2"))
    firm.decide(make.set_default_did(make.create_user(kind=kind)))
    second = make.set_default_did(make.change_user(), SECOND, OTHER_NUMBER)
    assert firm.code(second) == "user_has_default"
    firm.change_did(user=None)
    assert firm.code(second) is None
    assert user_of(firm).default_did == SECOND


def test_the_did_of_another_account_cannot_be_the_default(stage: Any, make: Any) -> None:
    """Also if the caller reaches both, and if the DID is on hold."""
    stage.decide(make.create_account(FIRM, kind="enterprise"))
    stage.decide(make.purchased())
    assert stage.code(make.set_default_did(make.create_user())) == "not_found"
    stage.change_did(account=FIRM, stock="on_hold")
    assert stage.code(make.set_default_did(make.create_user())) == "wrong_stock_state"


def test_a_user_with_several_dids_keeps_its_messages(firm: Any, make: Any) -> None:
    """Without them it can have one DID. So the further ones are unassigned first. An SMS user has any number."""
    firm.decide(make.create_user(sms_enabled=True))
    firm.store(UserUse(user_id=str(USER), dids=2))
    off = make.change_user(sms_enabled=False)
    assert firm.decide(off).field == "sms_enabled"
    assert [firm.code(each) for each in (off, make.set_default_did(off))] == ["in_use"] * 2
    assert user_of(firm).sms_enabled
    firm.store(UserUse(user_id=str(USER), dids=1))
    assert firm.code(off) is None
    firm.decide(make.create_user(user_id=SECOND, kind="sms", sms_enabled=True))
    firm.store(UserUse(user_id=str(SECOND), dids=2))
    assert firm.code(make.change_user(user_id=SECOND, sms_enabled=False)) is None


def test_a_user_with_live_dids_cannot_be_deleted(firm: Any, make: Any) -> None:
    """The count comes from the DIDs. A deleted user is answered like one that never was."""
    second = derived_id("second")
    firm.decide(make.create_user())
    firm.decide(make.create_user(user_id=second))
    firm.store(UserUse(user_id=str(second), dids=2))
    assert firm.code(make.delete_user(user_id=second)) == "in_use"
    assert firm.code(make.delete_user(make.caller("other"))) == "not_found"
    assert firm.code(make.delete_user()) is None
    assert firm.code(make.delete_user()) == "not_found"
    assert firm.code(make.change_user(name="x")) == "not_found"
    assert firm.code(make.set_default_did(make.change_user())) == "not_found"


def test_a_deleted_user_leaves_no_personal_data(firm: Any, make: Any) -> None:
    """No token sees anything by it, and the fact that there was a user stays."""
    firm.decide(make.create_user(name="Eve Doe", email="eve@example.com", subject="eve"))
    firm.decide(make.delete_user())
    left = user_of(firm)
    assert (left.name, left.email, left.subject, left.deleted) == ("", None, None, True)


def test_the_history_of_a_user_has_no_personal_data(firm: Any, make: Any) -> None:
    """It says that the e-mail address and the subject changed, and not to what."""
    firm.decide(make.create_user(email="eve@example.com", subject="eve"))
    firm.decide(make.change_user(email="ada@example.com", subject="ada", sms_enabled=True))
    entry = firm.history[-1]
    assert (entry.thing, entry.thing_id, entry.account) == ("user", str(USER), FIRM)
    assert entry.changes == {
        "email": {"before": "***", "after": "***"},
        "subject": {"before": "***", "after": "***"},
        "sms_enabled": {"before": False, "after": True},
    }
