"""No event carries the words of a reviewer, whatever they write as the message or as the name of a field."""

from typing import Any, get_args

import pytest
from msgspec.structs import replace

from didflow_contracts import events as contract
from didflow_contracts.event_data import EventData
from didflow_contracts.events import ServiceChanged
from didflow_contracts.events.registration import Reason, RegistrationAxis
from didflow_contracts.vocabulary import AdditionalService
from didflow_verification.domain import events, published_reasons
from didflow_verification.domain.evaluation.findings import REJECTION_CODES

WORDS = "Seraphina Quillfeather of 77 Nowhere Row"
FIELDS = (WORDS, "documents.seraphina_quillfeather", "identity.last_name: Quillfeather", "identity.last_name")
HOSTILE = tuple(
    Reason(code=code, field=field, message=WORDS)
    for code in (*sorted(REJECTION_CODES), "seraphina_quillfeather")
    for field in FIELDS
)


def words_in(published: list[EventData]) -> list[str]:
    """Return the events that name the person."""
    return [
        text
        for data in published
        if "uillfeather" in (text := str(data.model_dump(mode="json"))).lower() or "nowhere" in text.lower()
    ]


@pytest.mark.parametrize("decision", ["reject", "revoke", "reject_the_next"])
def test_the_words_of_a_reviewer_stay_with_the_verification(
    pending: Any, build: Any, later: Any, make: Any, *, decision: str
) -> None:
    """They are in the verification, and in no event and not in the registration."""
    attempt = 1
    if decision == "reject":
        pending.process(later(build.reject(), reasons=HOSTILE))
    else:
        pending.process(build.approve())
    if decision == "revoke":
        pending.process(later(build.revoke(), reasons=HOSTILE))
    if decision == "reject_the_next":
        other = make.company("other")
        its_address = make.address(other)
        pending.store(other, its_address)
        pending.process(build.assigned(other, its_address, build.zero.replace(minute=30)))
        attempt = 2
        pending.process(later(build.reject(2), reasons=HOSTILE))
    assert pending.verification(attempt).reasons == HOSTILE
    assert words_in(pending.published_data()) == []
    assert "uillfeather" not in str(pending.registration)
    event = pending.axis_events[-1]
    assert {reason.code for reason in event.reasons} == REJECTION_CODES
    assert {reason.field for reason in event.reasons} == {None, "documents", "identity.last_name"}
    assert all(reason.message for reason in event.reasons)


@pytest.mark.parametrize("model", sorted({*events.EVENT_OF.values(), ServiceChanged}, key=lambda m: m.topic))
def test_no_event_can_be_built_with_the_words_of_a_reviewer(pending: Any, model: Any) -> None:
    """Even if they were stored where they do not belong."""
    if model is ServiceChanged:
        data = events.service_changed(_request(pending))
    else:
        more = {"reason": "revoked"} if "reason" in model.model_fields else {}
        data = events.registration_event(replace(pending.registration, reasons=HOSTILE[:-4]), model, **more)
    assert WORDS not in str(data.model_dump(mode="json"))
    assert {reason.message for reason in data.reasons} <= set(published_reasons.STANDARD_MESSAGES.values())


def _request(pending: Any) -> Any:
    from types import SimpleNamespace

    about = pending.registration
    return SimpleNamespace(
        did_id=about.did_id,
        number=about.number,
        account=about.account,
        service=get_args(AdditionalService)[0],
        state="changes_required",
        request_id=about.did_id,
        reasons=HOSTILE,
    )


def test_every_event_with_reasons_is_known_here() -> None:
    """A new event of verification with reasons must pass the place that makes them publishable."""
    with_reasons = {
        model
        for model in vars(contract).values()
        if isinstance(model, type) and issubclass(model, EventData) and "reasons" in model.model_fields
    }
    assert {model for model in with_reasons if not issubclass(model, RegistrationAxis)} == {ServiceChanged}
