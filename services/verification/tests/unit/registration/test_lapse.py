"""Approvals end on time, after a warning. Requirements change, begin and end on a date."""

from dataclasses import replace as replace_dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from didflow_chassis.decision import Known, Unchanged
from didflow_contracts.events import VerificationExpired, VerificationExpiring
from didflow_verification.domain.axes.verification import Verification, verification_id
from didflow_verification.domain.details.document import Document
from didflow_verification.domain.recheck import recheck
from didflow_verification.domain.requirements import (
    ANYWHERE,
    CountryRules,
    DocumentGroup,
    Requirement,
    Review,
)

DAY = timedelta(days=1)
TODAY = date(2026, 11, 20)
TOMORROW = date(2026, 11, 21)
MIDNIGHT = datetime(2026, 11, 21, tzinfo=UTC)
GRACE = datetime(2026, 12, 15, tzinfo=UTC)
BILL = DocumentGroup(group="proof_of_address", accepts=("utility_bill",))


def irish_rules(*rows: Requirement) -> CountryRules:
    """Return rules for Ireland."""
    return CountryRules(country="IE", languages=(), places={}, requirements=rows)


@pytest.fixture
def row(make: Any) -> Requirement:
    """A row for Ireland that needs a reviewer."""
    row: Requirement = make.requirement(key="ie.local.any", review=Review(manual=True))
    return row


@pytest.fixture
def bill(acme: Any) -> Document:
    """A utility bill of the business that is valid until 31 January."""
    return Document(
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
        created_by="user:ann",
    )


@pytest.fixture
def proved(stage: Any, build: Any, acme: Any, quay: Any, *, row: Any, bill: Any) -> Any:
    """A number that was approved with a bill."""
    stage.store(irish_rules(replace_dataclass(row, documents=(BILL,))), acme, quay, bill)
    stage.process_all(
        build.purchased(), build.assigned(acme, quay, document_ids=[bill.document_id]), build.approve()
    )
    assert stage.registration.state == "approved"
    return stage


def since_approval(stage: Any) -> list[tuple[str, str]]:
    """Return the topic and the axis of each event since the approval."""
    published = stage.axis_events[stage.axis_topics().index("approved") + 1 :]
    return [(event.topic.removeprefix("verification."), event.registration) for event in published]


def test_a_warning_is_published_30_days_before_a_proof_ends(proved: Any) -> None:
    """There is one warning. The approval expires when the day after its last day begins, and counts seven days more."""
    ends = datetime(2027, 2, 1, tzinfo=UTC)
    assert proved.axis_events[-1].valid_until == ends
    proved.run_timers(ends - 30 * DAY - timedelta(seconds=1))
    assert since_approval(proved) == []
    proved.run_timers(ends - timedelta(seconds=1))
    (warning,) = proved.axis_events[-1:]
    assert isinstance(warning, VerificationExpiring)
    assert (warning.registration, warning.expires_at, warning.reason) == ("approved", ends, "proof_ended")
    proved.run_timers(ends)
    assert since_approval(proved) == [("expiring", "approved"), ("expired", "expired")]
    over = proved.axis_events[-1]
    assert isinstance(over, VerificationExpired)
    assert (over.reason, over.grace_until, over.valid_until) == ("proof_ended", ends + 7 * DAY, None)
    assert [reason.code for reason in over.reasons] == ["proof_ended"]


def test_a_timer_that_is_a_year_late_publishes_the_same_events(proved: Any, build: Any) -> None:
    """Both events have their own instants, and they precede the event that arrives then."""
    proved.process(build.did_changed("master/acme/shop"), now=build.zero + 365 * DAY)
    assert since_approval(proved) == []
    proved.process(
        build.did_changed("master/acme/shop", build.zero + 364 * DAY, 2), now=build.zero + 365 * DAY
    )
    assert since_approval(proved) == [("expiring", "approved"), ("expired", "expired")]
    proved.run_timers(build.zero + 400 * DAY)
    assert len(since_approval(proved)) == 2


@pytest.mark.parametrize(
    "last_day",
    [
        date(1900, 1, 1),
        date(1970, 1, 1),
        date(2028, 2, 29),
        date(2199, 12, 31),
        date(2200, 1, 1),
        date(9999, 12, 31),
    ],
)
@pytest.mark.parametrize("issued_on", [date(1900, 1, 1), date(2028, 2, 29), date(9999, 12, 31)])
def test_any_date_on_a_document_is_decided(
    stage: Any, build: Any, acme: Any, quay: Any, *, row: Any, bill: Any, last_day: date, issued_on: date
) -> None:
    """An end from 2200 on is no end. No date makes a decision or a timer raise."""
    group = replace_dataclass(BILL, max_age_days=90)
    dated = replace(bill, issued_on=issued_on, expires_on=last_day)
    stage.store(irish_rules(replace_dataclass(row, documents=(group,))), acme, quay, dated)
    stage.process_all(build.purchased(), build.assigned(acme, quay, document_ids=[bill.document_id]))
    if stage.registration.state == "rejected":
        assert issued_on.year == 1900 or last_day < TODAY
        return
    stage.process(build.approve())
    ends = stage.axis_events[-1].valid_until
    assert (ends is None) == (last_day >= date(2200, 1, 1))
    stage.run_timers(datetime(2199, 12, 31, 23, tzinfo=UTC))
    assert stage.registration.state == ("expired" if ends and ends.year < 2200 else "approved")
    assert stage.dead_letters() == []


def test_a_recheck_does_not_move_the_planned_warning(proved: Any, build: Any) -> None:
    """The catalogue is loaded while no timer runs. The warning still has its own day."""
    at = datetime(2027, 1, 20, tzinfo=UTC)
    outcome = recheck(proved.registration, build.recheck(), at, Known(states=proved.snapshot()))
    assert isinstance(outcome, Unchanged)
    assert proved.registration.due_at == datetime(2027, 1, 2, tzinfo=UTC)


def test_a_proof_that_ends_within_30_days_is_warned_of_at_once(
    stage: Any, build: Any, acme: Any, quay: Any, *, row: Any, bill: Any
) -> None:
    """The warning follows the approval. The end comes on its own day."""
    stage.store(
        irish_rules(replace_dataclass(row, documents=(BILL,))),
        acme,
        quay,
        replace(bill, expires_on=TODAY + 6 * DAY),
    )
    stage.process_all(
        build.purchased(), build.assigned(acme, quay, document_ids=[bill.document_id]), build.approve()
    )
    stage.run_timers(build.zero + DAY)
    assert since_approval(stage) == [("expiring", "approved")]
    stage.run_timers(build.zero + 7 * DAY)
    assert since_approval(stage)[-1] == ("expired", "expired")


def test_the_same_details_are_judged_again_after_the_end(
    proved: Any, build: Any, acme: Any, quay: Any
) -> None:
    """The expired proof fails now. The event still has the grace date."""
    proved.run_timers(build.zero + 80 * DAY)
    again = build.assigned(acme, quay, build.zero + 80 * DAY, document_ids=[acme.identity_id])
    proved.process(again, now=build.zero + 80 * DAY)
    last = proved.axis_events[-1]
    assert (last.registration, [r.code for r in last.reasons]) == ("rejected", ["document_expired"])
    assert last.grace_until == datetime(2027, 2, 8, tzinfo=UTC)


def test_the_document_that_lasts_longest_decides_when_a_group_ends(
    stage: Any, build: Any, acme: Any, quay: Any, *, row: Any, bill: Any
) -> None:
    """A document without an end date never ends."""
    endless = replace(bill, document_id=quay.address_id, expires_on=None)
    stage.store(irish_rules(replace_dataclass(row, documents=(BILL,))), acme, quay, bill, endless)
    both = [bill.document_id, endless.document_id]
    stage.process_all(build.purchased(), build.assigned(acme, quay, document_ids=both), build.approve())
    assert stage.axis_events[-1].valid_until is None
    assert stage.registration.due_at is None


@pytest.fixture
def changed_rules(row: Any) -> Any:
    """Rules for Ireland whose second version begins tomorrow, with `reverify`."""
    second = replace_dataclass(
        row, version=2, effective_from=TOMORROW, reverify=True, grace_until=GRACE.date()
    )
    return irish_rules(row, second)


def test_a_version_that_begins_tomorrow_does_not_change_what_was_submitted_today(
    stage: Any, build: Any, acme: Any, quay: Any, changed_rules: Any
) -> None:
    """Today's submission keeps the old version, even if it is decided later. Tomorrow's gets the new one."""
    stage.store(changed_rules, acme, quay)
    stage.process(build.purchased())
    stage.process(build.assigned(acme, quay), now=MIDNIGHT - timedelta(microseconds=1))
    assert stage.verification().requirement_version == 1
    stage.run_timers(MIDNIGHT + DAY)
    assert stage.registration.state == "pending"
    second = type(build)()
    second.did, second.number = quay.address_id, "+35314567890"
    stage.process(second.purchased())
    stage.process(second.assigned(acme, quay, MIDNIGHT), now=MIDNIGHT)
    later = stage.state(Verification, verification_id(second.did, 1))
    assert (later.requirement_version, later.status) == (2, "pending")


def test_approved_dids_stay_approved_unless_the_version_has_reverify(
    stage: Any, build: Any, acme: Any, quay: Any, row: Any
) -> None:
    """A newer version alone ends nothing."""
    stage.store(irish_rules(row, replace_dataclass(row, version=2, effective_from=TOMORROW)), acme, quay)
    stage.process_all(build.purchased(), build.assigned(acme, quay), build.approve())
    stage.run_timers(build.zero + 365 * DAY)
    assert since_approval(stage) == []


def test_a_version_with_reverify_warns_expires_and_gives_grace(
    stage: Any, build: Any, acme: Any, quay: Any, changed_rules: Any
) -> None:
    """The warning comes at once, the end at 00:00 UTC of its date. The approval counts until the grace date."""
    stage.store(changed_rules, acme, quay)
    stage.process_all(build.purchased(), build.assigned(acme, quay), build.approve())
    stage.run_timers(MIDNIGHT)
    assert since_approval(stage) == [("expiring", "approved"), ("expired", "expired")]
    assert (stage.axis_events[-2].expires_at, stage.axis_events[-2].valid_until) == (MIDNIGHT, MIDNIGHT)
    assert (stage.axis_events[-1].reason, stage.axis_events[-1].grace_until) == ("requirement_changed", GRACE)
    stage.process(build.assigned(acme, quay, MIDNIGHT), now=MIDNIGHT + DAY)
    assert (stage.registration.state, stage.verification(2).rests_on) == ("pending", None)
    assert stage.axis_events[-1].grace_until == GRACE
    stage.process(build.approve(2), now=MIDNIGHT + 2 * DAY)
    assert (stage.registration.state, stage.registration.grace_until) == ("approved", None)
    assert stage.verification(2).requirement_version == 2
    stage.run_timers(MIDNIGHT + 400 * DAY)
    assert stage.registration.state == "approved"


def test_a_version_without_an_end_user_type_ends_approvals_of_that_type(
    stage: Any, build: Any, acme: Any, quay: Any, row: Any
) -> None:
    """They were approved under the row that no longer covers them."""
    persons = replace_dataclass(
        row,
        version=2,
        effective_from=TOMORROW,
        end_user_types=("individual",),
        reverify=True,
        grace_until=GRACE.date(),
    )
    stage.store(irish_rules(row, persons), acme, quay)
    stage.process_all(build.purchased(), build.assigned(acme, quay), build.approve())
    stage.run_timers(MIDNIGHT)
    assert stage.registration.state == "expired"
    stage.process(build.assigned(acme, quay, MIDNIGHT), now=MIDNIGHT)
    assert [reason.code for reason in stage.axis_events[-1].reasons] == ["individual_only"]


def test_the_grace_date_can_be_moved_after_the_warning(
    stage: Any, build: Any, acme: Any, quay: Any, *, row: Any, changed_rules: Any
) -> None:
    """A version that has not begun gets a later grace date. There is no second warning."""
    stage.store(changed_rules, acme, quay)
    stage.process_all(build.purchased(), build.assigned(acme, quay), build.approve())
    stage.run_timers(build.zero + timedelta(hours=2))
    second = replace_dataclass(changed_rules.requirements[1], grace_until=date(2027, 3, 1))
    stage.store(irish_rules(row, second))
    stage.run_timers(MIDNIGHT)
    assert since_approval(stage) == [("expiring", "approved"), ("expired", "expired")]
    assert stage.axis_events[-1].grace_until == datetime(2027, 3, 1, tzinfo=UTC)


def test_an_approval_after_the_change_expires_at_once_with_grace(
    stage: Any, build: Any, acme: Any, quay: Any, changed_rules: Any
) -> None:
    """The verification kept its version while it waited. The approval counts until the grace date."""
    stage.store(changed_rules, acme, quay)
    stage.process_all(build.purchased(), build.assigned(acme, quay))
    later = MIDNIGHT + DAY
    stage.process(build.approve(), now=later)
    assert stage.verification().requirement_version == 1
    stage.run_timers(later)
    assert since_approval(stage) == [("expiring", "approved"), ("expired", "expired")]
    assert stage.axis_events[-1].grace_until == GRACE


def test_an_earlier_review_counts_if_the_new_version_asks_for_nothing_more(
    stage: Any, build: Any, acme: Any, quay: Any, row: Any
) -> None:
    """The second number needs no reviewer."""
    stage.store(irish_rules(row, replace_dataclass(row, version=2, effective_from=TOMORROW)), acme, quay)
    stage.process_all(build.purchased(), build.assigned(acme, quay), build.approve())
    second = type(build)()
    second.did, second.number = quay.address_id, "+35314567890"
    stage.process(second.purchased())
    stage.process(second.assigned(acme, quay, MIDNIGHT), now=MIDNIGHT)
    later = stage.state(Verification, verification_id(second.did, 1))
    assert (later.status, later.requirement_version) == ("approved", 2)
    assert later.rests_on == stage.verification().verification_id


def test_pending_details_keep_waiting_when_the_approved_ones_end(
    stage: Any, build: Any, make: Any, acme: Any, quay: Any, *, changed_rules: Any
) -> None:
    """The pending verification becomes the axis, with the grace date."""
    other = make.company("other")
    its_address = make.address(other)
    stage.store(changed_rules, acme, quay, other, its_address)
    stage.process_all(build.purchased(), build.assigned(acme, quay), build.approve())
    stage.process(
        build.assigned(other, its_address, build.zero + timedelta(hours=1)),
        now=build.zero + timedelta(hours=2),
    )
    stage.run_timers(MIDNIGHT)
    assert since_approval(stage)[-2:] == [("expired", "expired"), ("pending", "pending")]
    assert stage.axis_events[-1].grace_until == GRACE
    stage.process(build.approve(2), now=MIDNIGHT)
    assert stage.registration.state == "approved"


def test_a_requirement_can_begin_for_a_number_without_one(
    stage: Any, build: Any, acme: Any, quay: Any, row: Any
) -> None:
    """With `reverify` it awaits details, with time to comply."""
    free = replace_dataclass(row, required=False)
    asked = replace_dataclass(
        row, version=2, effective_from=TOMORROW, reverify=True, grace_until=GRACE.date()
    )
    stage.store(irish_rules(free, asked), acme, quay)
    stage.process(build.purchased())
    assert stage.axis_topics() == ["not_required"]
    stage.run_timers(MIDNIGHT - timedelta(seconds=1))
    assert stage.axis_topics() == ["not_required"]
    stage.run_timers(MIDNIGHT)
    assert (stage.axis_topics(), stage.axis_events[-1].grace_until) == (["not_required", "required"], GRACE)


def test_stored_details_are_judged_when_a_requirement_begins(
    stage: Any, build: Any, acme: Any, quay: Any, row: Any
) -> None:
    """They become the first verification. Nobody has to send them again."""
    asked = replace_dataclass(
        row, version=2, effective_from=TOMORROW, reverify=True, grace_until=GRACE.date()
    )
    stage.store(irish_rules(replace_dataclass(row, required=False), asked), acme, quay)
    stage.process_all(build.purchased(), build.assigned(acme, quay))
    stage.run_timers(MIDNIGHT)
    assert stage.axis_topics()[-2:] == ["required", "pending"]
    assert (stage.verification().requirement_version, stage.axis_events[-1].grace_until) == (2, GRACE)


def test_a_requirement_can_end(stage: Any, build: Any, row: Any) -> None:
    """A number that awaited details needs none any more."""
    free = replace_dataclass(
        row, version=2, required=False, effective_from=TOMORROW, reverify=True, grace_until=TOMORROW
    )
    stage.store(irish_rules(row, free))
    stage.process(build.purchased())
    stage.run_timers(MIDNIGHT)
    assert stage.axis_topics() == ["required", "not_required"]


def test_without_reverify_a_started_registration_does_not_change(stage: Any, build: Any, row: Any) -> None:
    """Only new purchases get the new version."""
    stage.store(
        irish_rules(
            replace_dataclass(row, required=False), replace_dataclass(row, version=2, effective_from=TOMORROW)
        )
    )
    stage.process(build.purchased())
    stage.run_timers(MIDNIGHT + 400 * DAY)
    assert stage.axis_topics() == ["not_required"]


def test_a_country_that_gets_its_first_row_ends_approvals_under_the_row_for_all_other_countries(
    stage: Any, build: Any, make: Any, row: Any
) -> None:
    """The new row has another key."""
    first = replace_dataclass(
        row, key="ie.local.first", effective_from=TOMORROW, reverify=True, grace_until=GRACE.date()
    )
    acme = make.company()
    quay = make.address(acme)
    stage.store(irish_rules(first), acme, quay)
    stage.process_all(build.purchased(), build.assigned(acme, quay), build.approve())
    assert stage.verification().requirement == "any.any"
    assert stage.state(CountryRules, ANYWHERE) is not None
    stage.run_timers(MIDNIGHT)
    assert since_approval(stage)[-1] == ("expired", "expired")


def test_an_ended_did_has_no_timer(proved: Any, build: Any) -> None:
    """Nothing more is published."""
    proved.process(build.removed())
    assert proved.registration.due_at is None
    proved.run_timers(build.zero + 400 * DAY)
    assert since_approval(proved) == []


def second_number(stage: Any, build: Any, identity: Any, address: Any, at: datetime) -> Verification:
    """Assign the same details, without a document, to another number of the area. Return its verification."""
    one = type(build)()
    one.did, one.number = address.address_id, "+35314567890"
    stage.process(one.purchased(), now=at)
    stage.process(one.assigned(identity, address, at), now=at)
    verification = stage.state(Verification, verification_id(one.did, 1))
    assert isinstance(verification, Verification)
    return verification


def test_documents_of_the_review_that_an_approval_rests_on_count_as_submitted(
    proved: Any, build: Any, acme: Any, quay: Any
) -> None:
    """The bill is not sent again. The second approval ends when the bill does."""
    verification = second_number(proved, build, acme, quay, build.zero + DAY)
    assert (verification.status, verification.rests_on) == ("approved", proved.verification().verification_id)
    assert proved.axis_events[-1].valid_until == datetime(2027, 2, 1, tzinfo=UTC)


def test_no_approval_rests_on_a_review_whose_proof_has_ended(
    proved: Any, build: Any, acme: Any, quay: Any
) -> None:
    """The bill no longer counts as submitted, so a proof is missing."""
    verification = second_number(proved, build, acme, quay, datetime(2027, 2, 1, tzinfo=UTC))
    assert (verification.status, [r.code for r in verification.reasons]) == ("rejected", ["proof_missing"])
    assert verification.rests_on is None


def test_a_new_document_needs_a_reviewer_while_the_old_one_counts(
    proved: Any, build: Any, acme: Any, quay: Any, bill: Any
) -> None:
    """It is pending next to the approval, which lasts longer once the new document is approved."""
    newer = replace(bill, document_id=quay.address_id, expires_on=date(2027, 6, 30))
    proved.store(newer)
    at = datetime(2027, 1, 10, tzinfo=UTC)
    proved.process(build.assigned(acme, quay, at, document_ids=[newer.document_id]), now=at)
    assert (proved.registration.state, proved.statuses()) == ("approved", ["approved", "pending"])
    proved.process(build.approve(2), now=at)
    assert proved.axis_events[-1].valid_until == datetime(2027, 7, 1, tzinfo=UTC)
    proved.run_timers(datetime(2027, 2, 2, tzinfo=UTC))
    assert proved.registration.state == "approved"


def test_a_document_that_is_not_required_needs_no_reviewer(
    stage: Any, build: Any, acme: Any, quay: Any, *, row: Any, bill: Any
) -> None:
    """A submission with such a document is approved at once."""
    stage.store(irish_rules(row), acme, quay, bill)
    stage.process_all(build.purchased(), build.assigned(acme, quay), build.approve())
    later = build.zero + 2 * timedelta(hours=1)
    stage.process(build.assigned(acme, quay, later, document_ids=[bill.document_id]), now=later)
    assert stage.statuses() == ["approved", "approved"]
