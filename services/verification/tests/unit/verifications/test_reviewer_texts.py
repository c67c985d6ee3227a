"""The texts of reviewers about an erased end user are replaced by those of their codes."""

from typing import Any
from uuid import UUID

from didflow_chassis.decision import Unchanged
from didflow_contracts.events.registration import Reason
from didflow_verification.domain.axes.verification import verification_id
from didflow_verification.domain.commands import EraseReviewerTexts, Reject
from didflow_verification.domain.published_reasons import STANDARD_MESSAGES

OWN_WORDS = Reason(code="other", field="identity", message="This is not Ada Murphy.")
NAMED = Reason(code="mismatch", field="identity.last_name: Murphy", message="See the passport.")
CODED = Reason(code="mismatch", message="The passport of Ada Murphy has another number.")


def erasure(build: Any, identity_id: UUID, *attempts: int) -> EraseReviewerTexts:
    """Return the command about the DID and these attempts."""
    return EraseReviewerTexts(
        entity_id=build.did,
        subject=build.number,
        caller=build.caller("olga", "operator", ""),
        identity_id=identity_id,
        verification_ids=tuple(verification_id(build.did, attempt) for attempt in attempts),
        request_ids=(),
    )


def rejected(stage: Any, build: Any) -> Any:
    """Reject the pending verification with texts."""
    about = build.reject()
    stage.process(
        Reject(
            entity_id=about.entity_id,
            subject=about.subject,
            caller=about.caller,
            verification_id=about.verification_id,
            reasons=(OWN_WORDS, NAMED, CODED),
        )
    )
    return stage


def test_texts_are_replaced_once_and_nothing_else(pending: Any, build: Any, acme: Any) -> None:
    """Codes and names of fields stay, as they were published. Nothing is published again.

    A reviewer can write anything as the field, so what is no name of a field is removed.
    """
    stage = rejected(pending, build)
    before, topics = stage.verification(), stage.topics()
    stage.process(erasure(build, acme.identity_id, 1))
    after = stage.verification()
    assert [(reason.code, reason.field, reason.message) for reason in after.reasons] == [
        ("other", "identity", STANDARD_MESSAGES["other"]),
        ("mismatch", None, "The document contradicts the details."),
        ("mismatch", None, "The document contradicts the details."),
    ]
    assert stage.registration.reasons == after.reasons
    assert (after.status, after.decided_by, after.decided_at) == (
        before.status,
        before.decided_by,
        before.decided_at,
    )
    assert stage.topics() == topics
    assert isinstance(stage.process(erasure(build, acme.identity_id, 1)), Unchanged)


def test_texts_about_another_end_user_stay(pending: Any, build: Any) -> None:
    """The command names a verification of another identity. Neither it nor the registration changes."""
    stage = rejected(pending, build)
    before = stage.snapshot()
    assert isinstance(stage.process(erasure(build, UUID(int=9), 1)), Unchanged)
    assert stage.snapshot() == before


def test_an_unknown_did_has_no_texts(stage: Any, build: Any) -> None:
    """Neither a registration nor a verification exists: nothing changes."""
    assert isinstance(stage.process(erasure(build, UUID(int=9), 1)), Unchanged)
