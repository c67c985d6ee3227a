"""What an approval covers among the verifications that wait: judged again, each as it was submitted."""

from dataclasses import replace as replace_dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from didflow_chassis.decision import Decided, NewJob, Refused, Unchanged
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.axes.verification import Verification, verification_id
from didflow_verification.domain.commands import ApproveCovered
from didflow_verification.domain.requirements import CountryRules, Restriction
from didflow_verification.domain.verifications.coverage import OthersPending

SECOND = UUID("0190a5b6-7c00-7000-8000-000000000002")
HOUR = timedelta(hours=1)


@pytest.fixture
def item(build: Any) -> ApproveCovered:
    """The item of the job for the second number."""
    return ApproveCovered(
        entity_id=SECOND,
        subject="+35314567890",
        caller=build.caller(),
        approved_id=verification_id(build.did, 1),
        approved_number=build.number,
    )


@pytest.fixture
def both(pending: Any, build: Any, acme: Any, quay: Any) -> Any:
    """Two numbers of an area that wait with the same details."""
    one = type(build)()
    one.did, one.number = SECOND, "+35314567890"
    pending.process_all(one.purchased(), one.assigned(acme, quay))
    return pending


def waiting(stage: Any) -> Any:
    """Return the verification of the second number."""
    return stage.state(Verification, verification_id(SECOND, 1))


def test_a_covered_verification_is_approved_under_the_version_that_it_started_under(
    both: Any, build: Any, item: ApproveCovered
) -> None:
    """Today's version asks for more. It counts for new submissions only."""
    rules = both.state(CountryRules, "IE")
    before = rules.requirements[0]
    more = (*before.restrictions, Restriction(code="state_the_use", text="Say what for."))
    row = replace_dataclass(before, version=2, restrictions=more)
    both.store(replace_dataclass(rules, requirements=(*rules.requirements, row)))
    both.process_all(build.approve(), item)
    found = waiting(both)
    assert (found.status, found.requirement_version, found.automatic) == ("approved", 1, True)
    assert found.rests_on == both.verification().verification_id
    assert both.state(Registration, SECOND).state == "approved"


def test_an_item_that_comes_twice_or_too_late_changes_nothing(
    both: Any, build: Any, item: ApproveCovered
) -> None:
    """The verification is decided already, or the approval was revoked."""
    assert isinstance(both.process(item), Unchanged)
    both.process(build.approve())
    assert isinstance(both.process(item), Decided)
    events = len(both.axis_events)
    assert isinstance(both.process(item), Unchanged)
    both.process(build.revoke())
    assert isinstance(both.process(item), Unchanged)
    assert len(both.axis_events) == events + 1


def test_a_verification_of_an_earlier_revision_waits_for_its_next_attempt(
    both: Any, build: Any, acme: Any, item: ApproveCovered
) -> None:
    """The identity was changed: its new revision is submitted by another job, and a person sees it."""
    both.store(replace(acme, revision=2))
    both.process(build.approve())
    assert isinstance(both.process(item), Unchanged)
    assert waiting(both).status == "pending"


def test_what_the_reviewer_submitted_is_refused(
    both: Any, build: Any, item: ApproveCovered, later: Any
) -> None:
    """The reviewer decides the details of the first number, and those of the second wait for a colleague."""
    both.store(later(waiting(both), submitted_by="user:rita"))
    both.process(build.approve())
    refused = both.process(item)
    assert isinstance(refused, Refused)
    assert (refused.code, waiting(both).status) == ("own_submission", "pending")


@pytest.mark.parametrize("others", [True, False])
def test_a_job_is_started_only_if_others_wait(both: Any, build: Any, *, others: bool) -> None:
    """The reviewer starts it, and it names the approved verification."""
    first = both.verification()
    if others:
        both.store(
            OthersPending(verification_id=first.verification_id, number=first.number, same_documents=True)
        )
    both.process(build.approve())
    jobs = both.rows(NewJob)
    assert [(job.kind, job.created_by) for job in jobs] == [("approve_covered", "user:rita")] * others
    named = {"verification_id": str(first.verification_id), "number": first.number}
    assert [job.parameters for job in jobs] == [named] * others
