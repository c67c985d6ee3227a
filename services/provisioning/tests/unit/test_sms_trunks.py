"""SMS trunks: what a DID on one gets, and when a trunk can be created, changed, replaced and deleted."""

from typing import Any
from uuid import UUID

import pytest

from didflow_chassis.decision import Decided, NewJob, Refused, Unchanged
from didflow_contracts.events.carrier import Endpoint
from didflow_contracts.ids import derived_id
from didflow_provisioning.domain.targets.commands import (
    ChangeSmsTrunk,
    DeleteSmsTrunk,
    EncryptedSecret,
    MoveSms,
    ReplaceSmsTrunk,
)
from didflow_provisioning.domain.targets.job_kinds import CHANGE_SMS_TRUNK, REPLACE_SMS_TRUNK, Move
from didflow_provisioning.domain.targets.sms_trunks import SmsTrunk, SmsTrunkUse

OTHER_ID, JOB_ID = derived_id("other SMS trunk"), derived_id("job")
NOT_FOUND = Refused("not_found", "No such SMS trunk in your accounts.")
SMS = {"features": ["sms_in"], "sms_carrier": "texter"}


def change(messages: Any, **changes: Any) -> ChangeSmsTrunk:
    """Build the command to change the SMS trunk."""
    caller = messages.caller(account=changes.pop("account", messages.account))
    ids = {"entity_id": messages.sms_trunk_id, "subject": "", "job_id": JOB_ID}
    return ChangeSmsTrunk(**ids, caller=caller, **changes)


def deletion(messages: Any, **caller: str) -> DeleteSmsTrunk:
    """Build the command to delete the SMS trunk."""
    return DeleteSmsTrunk(entity_id=messages.sms_trunk_id, subject="", caller=messages.caller(**caller))


def take(messages: Any, trunk_id: UUID | None = None) -> MoveSms:
    """Build the command of a job for the DID on the SMS trunk."""
    fields = messages.command_fields(messages.did_id)
    to = trunk_id or messages.sms_trunk_id
    return MoveSms(**fields, former=messages.sms_trunk_id, sms_trunk_id=to)


@pytest.fixture
def with_sms(stage: Any, messages: Any) -> Any:
    """A stage with an active DID that receives messages, whose SMS trunk was set before the activation."""
    stage.process(messages.purchased(**SMS), messages.create_sms_trunk(), messages.set_sms())
    stage.process(messages.did_changed(**SMS), messages.registration())
    stage.succeed_all(messages)
    return stage


def test_a_set_sms_goes_to_the_sms_carrier_and_has_no_secret(with_sms: Any, messages: Any) -> None:
    """The activation goes to the other carrier and has no SMS target. Afterwards the number is ready for SMS."""
    assert [(c.action, c.carrier) for c in with_sms.issued()] == [
        ("activate", "simulator"),
        ("set_sms", "texter"),
    ]
    (endpoint,) = with_sms.issued()[-1].parameters.sms.endpoints
    assert (endpoint.kind, endpoint.address, endpoint.settings) == (
        "http",
        "https://sms.example.com",
        {"secret_version": 1},
    )
    assert "ciphertext" not in with_sms.issued()[-1].model_dump_json()
    axis = with_sms.axis()
    assert (axis.sms.id, axis.sms.name, axis.sms_ready) == (messages.sms_trunk_id, "Texts", True)


def test_a_number_that_takes_no_messages_gets_no_sms_trunk(stage: Any, messages: Any) -> None:
    """Refused `not_supported`."""
    stage.process(messages.purchased(features=["voice_in", "sms_out"]), messages.create_sms_trunk())
    assert stage.process(messages.set_sms()).code == "not_supported"


@pytest.mark.parametrize("account", ["master/other", "master/acme/shop"])
def test_an_sms_trunk_that_does_not_serve_the_did_is_refused(stage: Any, messages: Any, account: str) -> None:
    """A trunk of an account beside or below the holder, and an unknown one, have one answer."""
    stage.process(messages.purchased(**SMS))
    unknown = stage.process(messages.set_sms(role="operator"))
    stage.process(messages.create_sms_trunk(account, role="operator"))
    foreign = stage.process(messages.set_sms(role="operator"))
    assert foreign == unknown
    assert (foreign.code, foreign.field) == ("sms_trunk_not_found", "sms_trunk_id")


def test_a_trunk_of_an_account_above_serves_the_did_until_it_leaves(stage: Any, messages: Any) -> None:
    """A new holder outside of the account of the trunk has no SMS target."""
    stage.process(messages.purchased(**SMS), messages.create_sms_trunk("master", role="operator"))
    assert isinstance(stage.process(messages.set_sms()), Decided)
    stage.process(messages.did_changed(account="master/acme/shop", **SMS))
    assert stage.axis().sms is not None
    stage.process(messages.did_changed(account="rival", sequence=2, **SMS))
    assert stage.axis().sms is None


def test_another_destination_is_a_new_version_of_the_secret(with_sms: Any, messages: Any) -> None:
    """Each DID on the trunk gets one `set_sms`, even if only the secret is new. A name leaves the secret as it is."""
    with_sms.store(SmsTrunkUse(trunk_id=messages.sms_trunk_id, dids=1))
    same = Endpoint(kind="http", address="https://sms.example.com")
    new = EncryptedSecret(key_id="k1", content=b"other")
    job = with_sms.process(change(messages, endpoint=same, secret=new)).answer
    assert isinstance(job, NewJob)
    assert (job.kind, job.parameters) == (CHANGE_SMS_TRUNK, Move(former=messages.sms_trunk_id))
    assert isinstance(with_sms.process(take(messages)), Decided)
    assert with_sms.process(take(messages)) == Unchanged()
    with_sms.succeed_all(messages)
    assert with_sms.actions() == ["activate", "set_sms", "set_sms"]
    assert with_sms.issued()[-1].parameters.sms.endpoints[0].settings == {"secret_version": 2}
    with_sms.store(SmsTrunkUse(trunk_id=messages.sms_trunk_id, dids=0))
    after = with_sms.process(change(messages, name="Cork")).answer
    assert (after.name, after.secret, after.secret_version) == ("Cork", b"other", 2)


def test_a_trunk_without_a_secret_has_no_version(stage: Any, messages: Any) -> None:
    """A mail address replaces the callback and its secret."""
    stage.process(messages.create_sms_trunk())
    mail = Endpoint(kind="email", address="sms@example.com")
    after = stage.process(change(messages, endpoint=mail)).answer
    assert (after.secret, after.key_id, after.delivery.endpoints) == (None, None, (mail,))


def test_a_did_moves_to_another_trunk_unless_it_was_changed_meanwhile(with_sms: Any, messages: Any) -> None:
    """A replacement. The second time it is not on the former trunk any more, and keeps the one that it has."""
    third = derived_id("third")
    with_sms.process(messages.create_sms_trunk(trunk_id=OTHER_ID), messages.create_sms_trunk(trunk_id=third))
    ids = {"entity_id": messages.sms_trunk_id, "subject": ""}
    command = ReplaceSmsTrunk(**ids, caller=messages.caller(), by=OTHER_ID, job_id=JOB_ID)
    job = with_sms.process(command).answer
    assert (job.kind, job.parameters) == (REPLACE_SMS_TRUNK, Move(former=messages.sms_trunk_id, by=OTHER_ID))
    assert isinstance(with_sms.process(take(messages, OTHER_ID)), Decided)
    assert with_sms.process(take(messages, third)) == Unchanged()
    assert with_sms.routing().sms.delivery.id == OTHER_ID


def test_a_trunk_in_use_and_an_unknown_one_are_not_replaced_by_nothing(stage: Any, messages: Any) -> None:
    """`by` must exist and be another trunk."""
    stage.process(messages.create_sms_trunk())
    ids = {"entity_id": messages.sms_trunk_id, "subject": "", "caller": messages.caller(), "job_id": JOB_ID}
    assert stage.process(ReplaceSmsTrunk(**ids, by=OTHER_ID)).field == "by"
    assert stage.process(ReplaceSmsTrunk(**ids, by=messages.sms_trunk_id)).code == "same_target"


def test_a_trunk_that_dids_use_is_not_deleted(stage: Any, messages: Any) -> None:
    """The refusal has the count. A deleted trunk serves nobody."""
    stage.process(messages.create_sms_trunk(), messages.purchased(**SMS))
    stage.store(SmsTrunkUse(trunk_id=messages.sms_trunk_id, dids=2))
    refused = stage.process(deletion(messages))
    assert (refused.code, refused.message.startswith("2 live DIDs use this SMS trunk.")) == ("in_use", True)
    stage.store(SmsTrunkUse(trunk_id=messages.sms_trunk_id, dids=0))
    assert isinstance(stage.process(deletion(messages)), Decided)
    assert stage.process(messages.set_sms()).code == "sms_trunk_not_found"


@pytest.mark.parametrize("account", ["master/other", "master/acme/shop"])
def test_an_unknown_a_foreign_and_a_deleted_trunk_have_one_answer(
    stage: Any, messages: Any, account: str
) -> None:
    """A caller cannot tell the three apart, and changes none of them."""
    assert stage.process(deletion(messages)) == NOT_FOUND
    stage.process(messages.create_sms_trunk())
    assert stage.process(deletion(messages, account=account)) == NOT_FOUND
    assert stage.process(change(messages, name="x", account=account)) == NOT_FOUND
    stage.process(deletion(messages))
    assert stage.process(change(messages, name="x")) == NOT_FOUND
    assert stage.state(SmsTrunk, messages.sms_trunk_id).deleted
