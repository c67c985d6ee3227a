"""Every handler: delivered twice, and too early."""

from typing import Any, get_args

import pytest

from didflow_chassis.decision import Decided, Refused, TooEarly, Unchanged
from didflow_contracts.events import DidPortingStarted, DidPurchased, ResultReported
from didflow_contracts.topics import PROVISIONING, topics_read_by
from didflow_contracts.vocabulary import Registration
from didflow_provisioning.domain.commands import CreateVoiceTrunk, DeleteVoiceTrunk, KeepVoiceTrunk
from didflow_provisioning.handlers import COMMANDS, EVENTS

STARTS = (DidPurchased, DidPortingStarted)


def heard(say: Any) -> dict[str, Any]:
    """One event of each kind that provisioning hears about a DID that has begun."""
    axes = {f"registration {state}": say.registration(state) for state in get_args(Registration)}
    expiring = say.registration("approved")
    return axes | {
        "holding": say.holding(),
        "term": say.term(),
        "cycle": say.cycle_expired("aging"),
        "removed": say.removed(),
        "refused": say.refused(),
        "approved": expiring,
    }


KINDS = sorted(
    [f"registration {s}" for s in get_args(Registration)] + ["holding", "term", "cycle", "removed", "refused"]
)


def test_it_listens_to_exactly_what_the_topics_say() -> None:
    """The subscription table and the contract's readers name the same events."""
    assert set(EVENTS) == {topic.event for topic in topics_read_by(PROVISIONING)}


@pytest.mark.parametrize("kind", KINDS)
def test_an_event_before_its_purchase_waits_for_it(floor: Any, say: Any, kind: str) -> None:
    """What comes too early is parked, and taken once the DID has begun."""
    event = heard(say)[kind]
    assert floor.feed(event) == TooEarly("did.purchased")
    floor.feed(say.purchased())
    assert floor.early == []


@pytest.mark.parametrize("kind", KINDS)
def test_an_event_heard_twice_under_two_ids_is_a_repeat(floor: Any, say: Any, kind: str) -> None:
    """The same word again, with the same sequence or meaning, changes nothing."""
    floor.feed(say.purchased())
    assert isinstance(floor.take(heard(say)[kind]), Decided)
    said = len(floor.said)
    assert isinstance(floor.take(heard(say)[kind]), Unchanged)
    assert len(floor.said) == said


@pytest.mark.parametrize("start", ["purchased", "porting_started"])
def test_a_start_heard_twice_is_one_start(floor: Any, say: Any, start: str) -> None:
    """A purchase or porting again, under another event id, changes nothing."""
    floor.feed(getattr(say, start)())
    assert isinstance(floor.feed(getattr(say, start)()), Unchanged)


def test_a_result_is_never_early(floor: Any, say: Any) -> None:
    """A result for nothing that is known is refused, not parked."""
    floor.feed(say.purchased(), say.holding(), say.registration())
    stranger = say.result(floor.open, did_id=say.next)
    assert isinstance(floor.feed(stranger), Refused)


def test_an_expiring_registration_is_heard_as_what_it_still_is(activated: Any, say: Any) -> None:
    """`verification.expiring` carries the axis: approved, for now."""
    from didflow_contracts.events import VerificationExpiring

    data = VerificationExpiring(
        did_id=say.did,
        number=say.number,
        account=say.account,
        registration="approved",
        expires_at=say.zero,
        reason="proof_ended",
    )
    activated.feed(say.event(data, "/didflow/verification", 2))
    assert activated.actions() == ["activate"]


WISHES = [wish for wish in COMMANDS if wish not in (CreateVoiceTrunk, DeleteVoiceTrunk, KeepVoiceTrunk)]


@pytest.mark.parametrize("wish", WISHES)
def test_a_wish_for_an_unknown_did_is_not_found(floor: Any, say: Any, wish: type) -> None:
    """Whatever is wished of a DID that is not there, or not there yet, is refused."""
    extra = {"voice_trunk_id": say.trunk, "capacity": 1, "command_id": say.trunk}
    fields = {name: extra[name] for name in getattr(wish, "__annotations__", {}) if name in extra}
    outcome = floor.feed(wish(**say._wish(say.did), **fields))
    assert isinstance(outcome, Refused)
    assert outcome.code == "not_found"


def test_results_are_heard_from_carriers_alone() -> None:
    """No service and no order system answers in a carrier's place."""
    (topic,) = (topic for topic in topics_read_by(PROVISIONING) if topic.event is ResultReported)
    assert topic.allows("/carriers/simulator")
    assert not topic.allows("/orders/acme")
