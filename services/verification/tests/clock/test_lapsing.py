"""Approvals end by the clock, with a warning first; requirements change on a date, come and go."""

from dataclasses import replace as amended
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from didflow_contracts.events import VerificationExpired, VerificationExpiring
from didflow_verification.domain.axes.verification import Verification, verification_id
from didflow_verification.domain.catalogue.rules import (
    ANYWHERE,
    CountryRules,
    DocumentGroup,
    Requirement,
    Review,
)
from didflow_verification.domain.clock.recheck import Recheck
from didflow_verification.domain.details.document import StoredDocument

DAY = timedelta(days=1)
TODAY = date(2026, 11, 20)
TOMORROW = date(2026, 11, 21)
MIDNIGHT = datetime(2026, 11, 21, tzinfo=UTC)
GRACE = datetime(2026, 12, 15, tzinfo=UTC)
BILL = DocumentGroup(group="proof_of_address", accepts=("utility_bill",))


def irish(*rows: Requirement) -> CountryRules:
    """Rules for Ireland."""
    return CountryRules(country="IE", languages=(), places={}, requirements=rows)


@pytest.fixture
def row(make: Any) -> Requirement:
    """A row for Ireland that a person reviews."""
    row: Requirement = make.requirement(key="ie.local.any", review=Review(manual=True))
    return row


@pytest.fixture
def bill(acme: Any) -> StoredDocument:
    """A utility bill of the business that ends on 31 January."""
    return StoredDocument(
        document_id=acme.identity_id,
        identity_id=acme.identity_id,
        account=acme.account,
        kind="utility_bill",
        media_type="application/pdf",
        size=1,
        content_id=None,
        issued_on=TODAY,
        expires_on=date(2027, 1, 31),
        states=(),
        created_at=datetime(2026, 11, 20, tzinfo=UTC),
        created_by="ann",
    )


@pytest.fixture
def proved(stage: Any, say: Any, acme: Any, quay: Any, *, row: Any, bill: Any) -> Any:
    """A number approved with a bill."""
    stage.store(irish(amended(row, documents=(BILL,))), acme, quay, bill)
    stage.process_all(
        say.purchased(), say.assigned(acme, quay, document_ids=[bill.document_id]), say.approve()
    )
    assert stage.registration.state == "approved"
    return stage


def heard(stage: Any) -> list[tuple[str, str]]:
    """What was said since the approval: topic and axis."""
    said = stage.axes()[stage.axis_topics().index("approved") + 1 :]
    return [(event.topic.removeprefix("verification."), event.registration) for event in said]


def test_the_end_of_a_proof_is_told_30_days_before_and_ends_the_approval(proved: Any) -> None:
    """Warned once; expired when the day after its last begins; it counts seven days more."""
    ends = datetime(2027, 2, 1, tzinfo=UTC)
    assert proved.axes()[-1].valid_until == ends
    proved.run_timers(ends - 30 * DAY - timedelta(seconds=1))
    assert heard(proved) == []
    proved.run_timers(ends - timedelta(seconds=1))
    (warning,) = proved.axes()[-1:]
    assert isinstance(warning, VerificationExpiring)
    assert (warning.registration, warning.expires_at, warning.reason) == ("approved", ends, "proof_ended")
    proved.run_timers(ends)
    assert heard(proved) == [("expiring", "approved"), ("expired", "expired")]
    over = proved.axes()[-1]
    assert isinstance(over, VerificationExpired)
    assert (over.reason, over.grace_until, over.valid_until) == ("proof_ended", ends + 7 * DAY, None)
    assert [reason.code for reason in over.reasons] == ["proof_ended"]


def test_a_clock_that_was_down_for_a_year_says_the_same(proved: Any, say: Any) -> None:
    """Both, each at its own instant, before whatever comes then."""
    proved.process(say.holding("master/acme/shop"), now=say.zero + 365 * DAY)
    assert heard(proved) == []
    proved.process(say.holding("master/acme/shop", say.zero + 364 * DAY, 2), now=say.zero + 365 * DAY)
    assert heard(proved) == [("expiring", "approved"), ("expired", "expired")]
    proved.run_timers(say.zero + 400 * DAY)
    assert len(heard(proved)) == 2


def test_a_look_for_another_reason_moves_no_instant(proved: Any, say: Any) -> None:
    """The catalogue is loaded while the clock is down: the warning is still told of its own day."""
    before = proved.registration
    load = Recheck(did_id=say.did, number=say.number, due_at=datetime(2027, 1, 20, tzinfo=UTC), revoked=None)
    proved.store(load)
    proved.set_time(datetime(2027, 1, 20, tzinfo=UTC))
    proved.run_timer(Recheck, say.did)
    assert proved.registration == before
    assert before.due_at == datetime(2027, 1, 2, tzinfo=UTC)


def test_what_ends_within_30_days_is_told_at_once(
    stage: Any, say: Any, acme: Any, quay: Any, *, row: Any, bill: Any
) -> None:
    """A proof that ends next week: the warning follows the approval, the end comes when it comes."""
    stage.store(irish(amended(row, documents=(BILL,))), acme, quay, replace(bill, expires_on=TODAY + 6 * DAY))
    stage.process_all(
        say.purchased(), say.assigned(acme, quay, document_ids=[bill.document_id]), say.approve()
    )
    stage.run_timers(say.zero + DAY)
    assert heard(stage) == [("expiring", "approved")]
    stage.run_timers(say.zero + 7 * DAY)
    assert heard(stage)[-1] == ("expired", "expired")


def test_the_same_details_after_the_end_are_judged_anew(proved: Any, say: Any, acme: Any, quay: Any) -> None:
    """An ended proof fails now, and what still counts is told with it."""
    proved.run_timers(say.zero + 80 * DAY)
    again = say.assigned(acme, quay, say.zero + 80 * DAY, document_ids=[acme.identity_id])
    proved.process(again, now=say.zero + 80 * DAY)
    last = proved.axes()[-1]
    assert (last.registration, [r.code for r in last.reasons]) == ("rejected", ["document_expired"])
    assert last.grace_until == datetime(2027, 2, 8, tzinfo=UTC)


def test_the_best_paper_of_a_group_says_when_it_ends(
    stage: Any, say: Any, acme: Any, quay: Any, *, row: Any, bill: Any
) -> None:
    """Of two bills the longer one counts; without an end date nothing ends."""
    endless = replace(bill, document_id=quay.address_id, expires_on=None)
    stage.store(irish(amended(row, documents=(BILL,))), acme, quay, bill, endless)
    both = [bill.document_id, endless.document_id]
    stage.process_all(say.purchased(), say.assigned(acme, quay, document_ids=both), say.approve())
    assert stage.axes()[-1].valid_until is None
    assert stage.registration.due_at is None


@pytest.fixture
def changed(row: Any) -> Any:
    """Ireland from tomorrow on: the second version asks for a person's word on the use, everybody anew."""
    second = amended(row, version=2, effective_from=TOMORROW, reverify=True, grace_until=GRACE.date())
    return irish(row, second)


def test_a_change_dated_tomorrow_leaves_today_and_what_runs_alone(
    stage: Any, say: Any, acme: Any, quay: Any, changed: Any
) -> None:
    """Today's submission is judged by the old version, also when it is decided tomorrow; tomorrow's by the new."""
    stage.store(changed, acme, quay)
    stage.process(say.purchased())
    stage.process(say.assigned(acme, quay), now=MIDNIGHT - timedelta(microseconds=1))
    assert stage.attempt().requirement_version == 1
    stage.run_timers(MIDNIGHT + DAY)
    assert stage.registration.state == "pending"
    second = type(say)()
    second.did, second.number = quay.address_id, "+35314567890"
    stage.process(second.purchased())
    stage.process(second.assigned(acme, quay, MIDNIGHT), now=MIDNIGHT)
    later = next(
        s for s in stage.all_states().values() if isinstance(s, Verification) and s.did_id == second.did
    )
    assert (later.requirement_version, later.status) == (2, "pending")


def test_approved_ones_stay_unless_the_version_says_reverify(
    stage: Any, say: Any, acme: Any, quay: Any, row: Any
) -> None:
    """A newer version alone ends nothing."""
    stage.store(irish(row, amended(row, version=2, effective_from=TOMORROW)), acme, quay)
    stage.process_all(say.purchased(), say.assigned(acme, quay), say.approve())
    stage.run_timers(say.zero + 365 * DAY)
    assert heard(stage) == []


def test_reverify_warns_and_asks_anew_with_grace(
    stage: Any, say: Any, acme: Any, quay: Any, changed: Any
) -> None:
    """The warning at once, the end at 00:00 UTC of its date, counting until the grace date; then judged anew."""
    stage.store(changed, acme, quay)
    stage.process_all(say.purchased(), say.assigned(acme, quay), say.approve())
    stage.run_timers(MIDNIGHT)
    assert heard(stage) == [("expiring", "approved"), ("expired", "expired")]
    assert (stage.axes()[-2].expires_at, stage.axes()[-2].valid_until) == (MIDNIGHT, MIDNIGHT)
    assert (stage.axes()[-1].reason, stage.axes()[-1].grace_until) == ("requirement_changed", GRACE)
    stage.process(say.assigned(acme, quay, MIDNIGHT), now=MIDNIGHT + DAY)
    assert (stage.registration.state, stage.attempt(2).rests_on) == ("pending", None)
    assert stage.axes()[-1].grace_until == GRACE
    stage.process(say.approve(2), now=MIDNIGHT + 2 * DAY)
    assert (stage.registration.state, stage.registration.grace_until) == ("approved", None)
    assert stage.attempt(2).requirement_version == 2
    stage.run_timers(MIDNIGHT + 400 * DAY)
    assert stage.registration.state == "approved"


def test_a_version_that_leaves_an_end_user_type_out_asks_it_anew_too(
    stage: Any, say: Any, acme: Any, quay: Any, row: Any
) -> None:
    """It was approved under the row that is no longer for it."""
    persons = amended(
        row,
        version=2,
        effective_from=TOMORROW,
        end_user_types=("individual",),
        reverify=True,
        grace_until=GRACE.date(),
    )
    stage.store(irish(row, persons), acme, quay)
    stage.process_all(say.purchased(), say.assigned(acme, quay), say.approve())
    stage.run_timers(MIDNIGHT)
    assert stage.registration.state == "expired"
    stage.process(say.assigned(acme, quay, MIDNIGHT), now=MIDNIGHT)
    assert [reason.code for reason in stage.axes()[-1].reasons] == ["individual_only"]


def test_more_time_may_be_given_after_the_warning(
    stage: Any, say: Any, acme: Any, quay: Any, *, row: Any, changed: Any
) -> None:
    """A version that has not begun gets a later grace date: nobody is warned twice."""
    stage.store(changed, acme, quay)
    stage.process_all(say.purchased(), say.assigned(acme, quay), say.approve())
    stage.run_timers(say.zero + timedelta(hours=2))
    second = amended(changed.requirements[1], grace_until=date(2027, 3, 1))
    stage.store(irish(row, second))
    stage.run_timers(MIDNIGHT)
    assert heard(stage) == [("expiring", "approved"), ("expired", "expired")]
    assert stage.axes()[-1].grace_until == datetime(2027, 3, 1, tzinfo=UTC)


def test_an_attempt_that_is_approved_after_the_change_is_asked_anew_at_once(
    stage: Any, say: Any, acme: Any, quay: Any, changed: Any
) -> None:
    """It kept its version while it waited; what counts is the grace date."""
    stage.store(changed, acme, quay)
    stage.process_all(say.purchased(), say.assigned(acme, quay))
    later = MIDNIGHT + DAY
    stage.process(say.approve(), now=later)
    assert stage.attempt().requirement_version == 1
    stage.run_timers(later)
    assert heard(stage) == [("expiring", "approved"), ("expired", "expired")]
    assert stage.axes()[-1].grace_until == GRACE


def test_a_review_from_before_the_change_counts_where_nothing_new_is_asked(
    stage: Any, say: Any, acme: Any, quay: Any, row: Any
) -> None:
    """A second version that asks for no more: the second number needs no reviewer."""
    stage.store(irish(row, amended(row, version=2, effective_from=TOMORROW)), acme, quay)
    stage.process_all(say.purchased(), say.assigned(acme, quay), say.approve())
    second = type(say)()
    second.did, second.number = quay.address_id, "+35314567890"
    stage.process(second.purchased())
    stage.process(second.assigned(acme, quay, MIDNIGHT), now=MIDNIGHT)
    later = next(
        s for s in stage.all_states().values() if isinstance(s, Verification) and s.did_id == second.did
    )
    assert (later.status, later.requirement_version) == ("approved", 2)
    assert later.rests_on == stage.attempt().verification_id


def test_newer_details_that_wait_go_on_waiting_when_the_old_end(
    stage: Any, say: Any, make: Any, acme: Any, quay: Any, *, changed: Any
) -> None:
    """The approved ones end; the attempt that was beside them is the axis now, with the grace."""
    other = make.company("other")
    there = make.address(other)
    stage.store(changed, acme, quay, other, there)
    stage.process_all(say.purchased(), say.assigned(acme, quay), say.approve())
    stage.process(
        say.assigned(other, there, say.zero + timedelta(hours=1)), now=say.zero + timedelta(hours=2)
    )
    stage.run_timers(MIDNIGHT)
    assert heard(stage)[-2:] == [("expired", "expired"), ("pending", "pending")]
    assert stage.axes()[-1].grace_until == GRACE
    stage.process(say.approve(2), now=MIDNIGHT)
    assert stage.registration.state == "approved"


def test_a_requirement_comes_to_a_number_that_needed_none(
    stage: Any, say: Any, acme: Any, quay: Any, row: Any
) -> None:
    """With reverify it awaits, with time to comply; details that were kept are judged at once."""
    free = amended(row, required=False)
    asked = amended(row, version=2, effective_from=TOMORROW, reverify=True, grace_until=GRACE.date())
    stage.store(irish(free, asked), acme, quay)
    stage.process(say.purchased())
    assert stage.axis_topics() == ["not_required"]
    stage.run_timers(MIDNIGHT - timedelta(seconds=1))
    assert stage.axis_topics() == ["not_required"]
    stage.run_timers(MIDNIGHT)
    assert (stage.axis_topics(), stage.axes()[-1].grace_until) == (["not_required", "required"], GRACE)


def test_details_kept_without_a_requirement_are_judged_when_one_comes(
    stage: Any, say: Any, acme: Any, quay: Any, row: Any
) -> None:
    """The first attempt, with nobody having to send the same again."""
    asked = amended(row, version=2, effective_from=TOMORROW, reverify=True, grace_until=GRACE.date())
    stage.store(irish(amended(row, required=False), asked), acme, quay)
    stage.process_all(say.purchased(), say.assigned(acme, quay))
    stage.run_timers(MIDNIGHT)
    assert stage.axis_topics()[-2:] == ["required", "pending"]
    assert (stage.attempt().requirement_version, stage.axes()[-1].grace_until) == (2, GRACE)


def test_a_requirement_goes(stage: Any, say: Any, row: Any) -> None:
    """Who awaited needs nothing any more."""
    free = amended(
        row, version=2, required=False, effective_from=TOMORROW, reverify=True, grace_until=TOMORROW
    )
    stage.store(irish(row, free))
    stage.process(say.purchased())
    stage.run_timers(MIDNIGHT)
    assert stage.axis_topics() == ["required", "not_required"]


def test_without_reverify_requirements_neither_come_nor_go_for_what_has_begun(
    stage: Any, say: Any, row: Any
) -> None:
    """Only new purchases see them."""
    stage.store(irish(amended(row, required=False), amended(row, version=2, effective_from=TOMORROW)))
    stage.process(say.purchased())
    stage.run_timers(MIDNIGHT + 400 * DAY)
    assert stage.axis_topics() == ["not_required"]


def test_a_country_that_gets_a_row_asks_those_anew_who_came_under_anywhere(
    stage: Any, say: Any, make: Any, row: Any
) -> None:
    """The rule for anywhere is replaced by a row of another key."""
    first = amended(
        row, key="ie.local.first", effective_from=TOMORROW, reverify=True, grace_until=GRACE.date()
    )
    acme = make.company()
    quay = make.address(acme)
    stage.store(irish(first), acme, quay)
    stage.process_all(say.purchased(), say.assigned(acme, quay), say.approve())
    assert stage.attempt().requirement == "any.any"
    assert (CountryRules, ANYWHERE) in stage.all_states()
    stage.run_timers(MIDNIGHT)
    assert heard(stage)[-1] == ("expired", "expired")


def test_the_end_of_a_did_ends_what_is_due(proved: Any, say: Any) -> None:
    """Nothing is said of an ended DID."""
    proved.process(say.removed())
    assert proved.registration.due_at is None
    proved.run_timers(say.zero + 400 * DAY)
    assert heard(proved) == []


def second_number(stage: Any, say: Any, identity: Any, address: Any, at: datetime) -> Verification:
    """Assign the same details, without a paper, to another number of the area; return its attempt."""
    one = type(say)()
    one.did, one.number = address.address_id, "+35314567890"
    stage.process(one.purchased(), now=at)
    stage.process(one.assigned(identity, address, at), now=at)
    attempt = stage.state(Verification, verification_id(one.did, 1))
    assert isinstance(attempt, Verification)
    return attempt


def test_papers_of_the_review_that_is_rested_on_count_as_given(
    proved: Any, say: Any, acme: Any, quay: Any
) -> None:
    """Nobody sends the bill again; the second approval ends when the bill does."""
    attempt = second_number(proved, say, acme, quay, say.zero + DAY)
    assert (attempt.status, attempt.rests_on) == ("approved", proved.attempt().verification_id)
    assert proved.axes()[-1].valid_until == datetime(2027, 2, 1, tzinfo=UTC)


def test_nothing_rests_on_a_review_whose_proof_has_ended(proved: Any, say: Any, acme: Any, quay: Any) -> None:
    """The bill is no longer given, so a proof is missing."""
    attempt = second_number(proved, say, acme, quay, datetime(2027, 2, 1, tzinfo=UTC))
    assert (attempt.status, [r.code for r in attempt.reasons]) == ("rejected", ["proof_missing"])
    assert attempt.rests_on is None


def test_a_new_paper_is_seen_by_a_person_while_the_old_one_counts(
    proved: Any, say: Any, acme: Any, quay: Any, bill: Any
) -> None:
    """Sent before the old one ends: pending beside the approval, which lasts longer once it is approved."""
    newer = replace(bill, document_id=quay.address_id, expires_on=date(2027, 6, 30))
    proved.store(newer)
    at = datetime(2027, 1, 10, tzinfo=UTC)
    proved.process(say.assigned(acme, quay, at, document_ids=[newer.document_id]), now=at)
    assert (proved.registration.state, proved.statuses()) == ("approved", ["approved", "pending"])
    proved.process(say.approve(2), now=at)
    assert proved.axes()[-1].valid_until == datetime(2027, 7, 1, tzinfo=UTC)
    proved.run_timers(datetime(2027, 2, 2, tzinfo=UTC))
    assert proved.registration.state == "approved"


def test_where_no_paper_is_asked_for_none_needs_to_be_seen(
    stage: Any, say: Any, acme: Any, quay: Any, *, row: Any, bill: Any
) -> None:
    """One that is sent along keeps nobody waiting."""
    stage.store(irish(row), acme, quay, bill)
    stage.process_all(say.purchased(), say.assigned(acme, quay), say.approve())
    later = say.zero + 2 * timedelta(hours=1)
    stage.process(say.assigned(acme, quay, later, document_ids=[bill.document_id]), now=later)
    assert stage.statuses() == ["approved", "approved"]
