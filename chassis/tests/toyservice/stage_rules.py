"""Every rule of the stage as one scenario. Each runs on the stage in memory and on PostgreSQL, with equal results."""

from collections.abc import Awaitable, Callable
from dataclasses import replace as with_fields
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
import toy
from msgspec.structs import replace
from rules_service import Correct, Limited, Move, MoveUndeclared, Note, ReadOwnLimit, ReadUndeclared, SetTotal
from toy import Add
from toy_messages import CALLER, add, added, opened
from toy_records import named

from didflow_chassis.decision import Decided, Refused, TooEarly, Unchanged
from didflow_chassis.stage.entity_queue import MAX_SETTLED, UNSETTLED
from didflow_contracts.envelope import Event
from didflow_contracts.event_data import EventData

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
Scenario = Callable[[Any], Awaitable[None]]
SCENARIOS: list[Scenario] = []
_IDS = count(1)


def scenario(function: Scenario) -> Scenario:
    """Add a scenario to the suite. It is given the service, at `NOW`, with awaited methods."""
    SCENARIOS.append(function)
    return function


def event(data: EventData, *, at: datetime = NOW, source: str = "/tests", **attributes: Any) -> Event[Any]:
    """Return an event under a fresh id."""
    return Event(**{"id": f"e{next(_IDS)}", "source": source, "time": at, "data": data} | attributes)


def limited(number: int) -> Limited:
    did_id, subject = named(number)
    return Limited(did_id=did_id, number=subject, account="master/acme")


def about(number: int) -> dict[str, Any]:
    did_id, subject = named(number)
    return {"entity_id": did_id, "subject": subject, "caller": CALLER}


def to(number: int) -> dict[str, Any]:
    did_id, subject = named(number)
    return {"to": did_id, "to_number": subject}


def set_limit(most: int, name: str = "default") -> toy.SetLimit:
    return toy.SetLimit(entity_id=name, subject="", caller=CALLER, most=most)


async def total(stage: Any, number: int) -> int | None:
    counter = await stage.state(toy.Counter, named(number)[0])
    return counter.total if counter else None


async def reasons(stage: Any) -> list[str]:
    return [message.reason for message in await stage.parked()]


@scenario
async def messages_of_one_batch_are_decided_in_order(stage: Any) -> None:
    """Each message sees the effect of those before it; sequences count the events of the entity."""
    first, second = event(opened(1)), event(added(1, 7))
    await stage.receive(first, event(added(1, 5)), second)
    published = await stage.published("counter.counted")
    assert [e.data.total for e in published] == [0, 5, 12]
    assert [e.sequence for e in published] == [1, 2, 3]
    assert {e.source for e in published} == {"/didflow/counting"}
    assert {e.correlationid for e in published} == {first.id}
    assert published[-1].causationid == second.id


@scenario
async def sequences_count_per_entity_over_all_batches(stage: Any) -> None:
    """Two entities have two counts; a later batch continues each of them."""
    await stage.receive(event(opened(1)), event(opened(2)))
    await stage.receive(event(added(1, 1)))
    assert [(e.data.number[-1], e.sequence) for e in await stage.published()] == [
        ("1", 1),
        ("2", 1),
        ("1", 2),
    ]


@scenario
async def the_decision_about_the_last_event_is_returned(stage: Any) -> None:
    """`receive` returns it, also if the event was early and is decided later in its own batch."""
    assert isinstance(await stage.receive(event(added(1, 5))), TooEarly)
    assert isinstance(await stage.receive(event(opened(1))), Decided)
    assert isinstance(await stage.receive(event(opened(1))), Unchanged)
    await stage.run(set_limit(10))
    assert await stage.receive(event(added(1, 50))) == Refused("over_limit")
    assert await stage.refusals() == ["over_limit"]


@scenario
async def a_repeated_event_is_decided_once(stage: Any) -> None:
    """An event is known by source and id, in one batch and in later ones."""
    twice = event(added(1, 5))
    await stage.receive(event(opened(1)), twice, twice)
    assert await stage.receive(twice) is None
    assert await total(stage, 1) == 5
    await stage.receive(replace(twice, source="/others"))
    assert await total(stage, 1) == 10
    assert await stage.dead_letters() == []


@scenario
async def an_id_that_is_used_again_with_other_data_is_a_dead_letter(stage: Any) -> None:
    """It is not applied."""
    first = event(added(1, 5))
    await stage.receive(event(opened(1)), first)
    assert await stage.receive(event(added(1, 6), id=first.id)) is None
    assert [letter.reason for letter in await stage.dead_letters()] == ["id_reused"]
    assert await total(stage, 1) == 5


@scenario
async def another_event_under_a_used_sequence_is_a_dead_letter(stage: Any) -> None:
    """A source publishes one event under each sequence of an entity; other entities have their own."""
    await stage.receive(event(opened(1)), event(opened(2)))
    seventh = {"source": "/didflow/other", "sequence": 7}
    await stage.receive(event(added(1, 5), **seventh), event(added(1, 6), **seventh))
    await stage.receive(event(added(1, 7), **seventh), event(added(2, 9), **seventh))
    assert [letter.reason for letter in await stage.dead_letters()] == ["sequence_reused"] * 2
    assert (await total(stage, 1), await total(stage, 2)) == (5, 9)


@scenario
async def an_early_message_runs_after_the_next_decision_about_its_entity(stage: Any) -> None:
    """Early messages are parked and run in the order in which they were received."""
    await stage.receive(event(added(1, 5)))
    await stage.receive(event(added(1, 7)))
    assert [(p.reason, p.missing, p.event.data.amount) for p in await stage.parked()] == [
        ("early", "counter.opened", 5),
        ("early", "counter.opened", 7),
    ]
    await stage.receive(event(opened(2)))
    assert await reasons(stage) == ["early", "early"]
    await stage.receive(event(opened(1)))
    assert (await stage.state(toy.Counter, named(1)[0])).additions == (5, 7)
    assert await stage.parked() == []


@scenario
async def an_early_message_runs_in_the_batch_that_holds_what_it_needs(stage: Any) -> None:
    """Nothing is left parked."""
    assert isinstance(await stage.receive(event(added(1, 5)), event(opened(1))), Decided)
    assert await total(stage, 1) == 5
    assert await stage.parked() == []


@scenario
async def a_parked_event_that_comes_again_is_a_repeat(stage: Any) -> None:
    """The inbox has every event once, whatever its decision was."""
    early = event(added(1, 5))
    await stage.receive(early)
    await stage.receive(early)
    assert await reasons(stage) == ["early"]
    await stage.receive(event(opened(1)))
    assert await total(stage, 1) == 5


@scenario
async def a_decision_that_raises_holds_back_its_entity_alone(stage: Any) -> None:
    """The message is retried; later messages of its entity wait behind it; other entities go on."""
    await stage.receive(event(opened(1)), event(opened(2)))
    result = await stage.receive(
        event(added(1, toy.POISONED)), event(added(2, 1)), event(added(1, 1)), event(added(1, 2))
    )
    assert result is None
    assert await reasons(stage) == ["retry", "behind", "behind"]
    assert (await stage.parked())[0].last_error == "ZeroDivisionError: poisoned"
    assert (await total(stage, 1), await total(stage, 2)) == (0, 1)


@scenario
async def a_retry_that_succeeds_releases_what_waits_behind_it(stage: Any) -> None:
    """The retried message is decided first, then the others in order."""
    await stage.receive(event(opened(1)), event(limited(1)), event(added(1, 1)))
    assert await reasons(stage) == ["retry", "behind"]
    await stage.run(set_limit(10))
    await stage.advance(timedelta(seconds=2))
    assert await stage.parked() == []
    counter = await stage.state(toy.Counter, named(1)[0])
    assert (counter.limit_name, counter.total) == ("default", 1)


@scenario
async def a_message_that_fails_four_times_is_a_dead_letter(stage: Any) -> None:
    """It is retried three times within a minute. Its entity then waits for an operator."""
    await stage.receive(event(opened(1)), event(added(1, toy.POISONED)), event(added(1, 1)))
    await stage.advance(timedelta(minutes=1))
    assert [(p.reason, p.attempts) for p in await stage.parked()] == [("dead", 4), ("behind", 0)]
    letters = await stage.dead_letters()
    assert [(letter.reason, letter.entity) for letter in letters] == [("defect", str(named(1)[0]))]
    await stage.receive(event(added(1, 2)))
    assert await reasons(stage) == ["dead", "behind", "behind"]
    assert "counting.dlq" not in await stage.topics()


@scenario
async def a_command_about_an_entity_that_is_held_back_is_refused(stage: Any) -> None:
    """The caller gets `held_back`; nothing changes."""
    await stage.receive(event(opened(1)), event(added(1, toy.POISONED)))
    decision = await stage.run(add(1, 1))
    assert isinstance(decision, Refused)
    assert decision.code == "held_back"
    assert await total(stage, 1) == 0


@scenario
async def a_command_for_a_held_entity_is_decided_beside_the_failed_message(stage: Any) -> None:
    """A command `when_held` is done. The failed message and those behind it stay in order, and no timer runs."""
    await stage.receive(event(opened(1)), event(added(1, toy.POISONED)), event(added(1, 5)))
    counter = await stage.state(toy.Counter, named(1)[0])
    await stage.store(with_fields(counter, rings_at=NOW - timedelta(hours=1)))
    assert isinstance(await stage.run(Correct(**about(1), total=40)), Decided)
    corrected = await stage.state(toy.Counter, named(1)[0])
    assert (corrected.total, corrected.rings_at) == (40, NOW - timedelta(hours=1))
    assert await reasons(stage) == ["retry", "behind"]


@scenario
async def a_row_that_the_database_refuses_fails_alone(stage: Any) -> None:
    """Its batch is split in half until it is alone. It is retried; all others are saved."""
    await stage.receive(*(event(opened(n)) for n in range(8)))
    amounts = [toy.UNSTORABLE if n == 5 else 1 for n in range(8)]
    await stage.receive(*(event(added(n, amount)) for n, amount in enumerate(amounts)))
    assert [await total(stage, n) for n in range(8)] == [1, 1, 1, 1, 1, 0, 1, 1]
    assert await reasons(stage) == ["retry"]


@scenario
async def a_record_that_is_no_event_is_a_dead_letter(stage: Any) -> None:
    """Bytes that cannot be decoded, and a type on the topic of another type."""
    await stage.receive_record("counter.added", b"\xff")
    await stage.receive_record("counter.added", None)
    opening = stage.record(event(opened(1)))
    await stage.receive_record("counter.added", opening.value)
    assert [letter.reason for letter in await stage.dead_letters()] == [
        "not_json",
        "no_value",
        "unknown_type",
    ]
    assert await stage.published() == []


@scenario
async def a_due_timer_runs_before_a_later_message(stage: Any) -> None:
    """Timers up to the time of the event run first, each at its own instant; later ones do not."""
    await stage.receive(event(opened(1)))
    counter = await stage.state(toy.Counter, named(1)[0])
    start = NOW - timedelta(hours=10)
    await stage.store(with_fields(counter, rings_at=start))
    await stage.receive(event(added(1, 1000), at=start + timedelta(hours=2, minutes=30)))
    published = await stage.published()
    assert [e.data.total for e in published] == [0, 1, 2, 3, 1003]
    assert [e.time for e in published[1:4]] == [start + timedelta(hours=n) for n in range(3)]


@scenario
async def what_a_timer_publishes_names_the_service_and_no_message_as_its_cause(stage: Any) -> None:
    """The message behind which it ran, of a person or of another service, has not caused it."""
    await stage.receive(event(opened(1)))
    for message in (Add(**about(1), amount=1000), event(added(1, 1000))):
        counter = await stage.state(toy.Counter, named(1)[0])
        await stage.store(with_fields(counter, rings_at=NOW))
        before = len(await stage.published())
        await (stage.run(message) if isinstance(message, Add) else stage.receive(message))
        rung, caused = (await stage.published())[before:]
        assert (rung.actor, rung.causationid) == ("service:counting", None)
        assert caused.causationid is not None
        assert (caused.actor == "user:ana") is isinstance(message, Add)


@scenario
async def a_timer_never_runs_before_the_present(stage: Any) -> None:
    """An event whose time lies in the future does not bring a timer forward."""
    await stage.receive(event(opened(1)))
    counter = await stage.state(toy.Counter, named(1)[0])
    await stage.store(with_fields(counter, rings_at=NOW + timedelta(hours=1)))
    await stage.receive(event(added(1, 5), at=NOW + timedelta(hours=2)))
    assert [e.data.total for e in await stage.published()] == [0, 5]


@scenario
async def timers_run_as_time_advances(stage: Any) -> None:
    """`advance` runs each timer at its own instant, the earliest of all entities first."""
    await stage.receive(event(opened(1)), event(opened(2)))
    for number, minutes in ((1, 40), (2, 20)):
        counter = await stage.state(toy.Counter, named(number)[0])
        await stage.store(with_fields(counter, rings_at=NOW + timedelta(minutes=minutes)))
    await stage.advance(timedelta(minutes=90))
    rung = (await stage.published())[2:]
    assert [(e.data.number[-1], e.time - NOW) for e in rung] == [
        ("2", timedelta(minutes=20)),
        ("1", timedelta(minutes=40)),
        ("2", timedelta(minutes=80)),
    ]
    assert [entry.at for entry in await stage.decisions() if entry.message is None] == [e.time for e in rung]
    assert await stage.now() - NOW >= timedelta(minutes=90)


@scenario
async def timers_that_were_missed_run_in_order(stage: Any) -> None:
    """`set_time` runs none; `run_due_timers` then runs all that are due, each at its own instant."""
    await stage.receive(event(opened(1)))
    counter = await stage.state(toy.Counter, named(1)[0])
    await stage.store(with_fields(counter, rings_at=NOW + timedelta(hours=1)))
    await stage.set_time(NOW + timedelta(hours=3, minutes=30))
    assert await total(stage, 1) == 0
    await stage.run_due_timers()
    assert await total(stage, 1) == 3
    assert [e.time - NOW for e in (await stage.published())[1:]] == [timedelta(hours=n) for n in (1, 2, 3)]


@scenario
async def timers_of_a_long_stop_run_in_steps_and_later_messages_wait_for_them(stage: Any) -> None:
    """A batch runs at most so many timers of one entity. Nothing fails, and each message keeps its place."""
    await stage.receive(event(opened(1)), event(opened(2)))
    counter = await stage.state(toy.Counter, named(1)[0])
    start = NOW - timedelta(days=365)
    many = 2 * MAX_SETTLED + 50
    await stage.store(with_fields(counter, rings_at=start, total=101 - many))
    await stage.receive(event(added(1, 7)), event(added(1, 8)), event(added(2, 9)))
    assert (await total(stage, 1), await total(stage, 2)) == (101 - many + MAX_SETTLED, 9)
    assert [message.missing for message in await stage.parked()] == [UNSETTLED] * 2
    assert await stage.run(Add(**about(1), amount=1)) == Refused(
        "not_ready", "What was due before is still being worked off. Try again in a minute."
    )
    assert await total(stage, 1) == 101 - many + 2 * MAX_SETTLED
    await stage.run_due_timers()
    assert await total(stage, 1) == 116
    assert await stage.parked() == []
    published = await stage.published()
    assert [e.data.total for e in published if e.data.number == counter.number][-3:] == [101, 108, 116]
    assert [e.time for e in published[2:4]] == [start, start + timedelta(hours=1)]
    assert await stage.dead_letters() == []


@scenario
async def a_state_that_is_not_declared_cannot_be_read(stage: Any) -> None:
    """The decision raises KeyError: a defect in the handler. A command raises it; an event is retried."""
    await stage.receive(event(opened(1)))
    with pytest.raises(KeyError):
        await stage.run(ReadUndeclared(**about(1)))


@scenario
async def a_state_that_is_declared_as_read_only_cannot_be_written(stage: Any) -> None:
    """KeyError, and nothing is written."""
    await stage.receive(event(opened(1)), event(opened(2)))
    with pytest.raises(KeyError):
        await stage.run(MoveUndeclared(**about(1), **to(2), amount=3))
    assert (await total(stage, 1), await total(stage, 2)) == (0, 0)


@scenario
async def a_state_that_is_declared_as_written_changes_with_its_decision(stage: Any) -> None:
    """Each event counts in the sequence of its own entity."""
    await stage.receive(event(opened(1)), event(opened(2)), event(added(2, 1)))
    await stage.run(Move(**about(1), **to(2), amount=3))
    assert (await total(stage, 1), await total(stage, 2)) == (-3, 4)
    assert [(e.data.number[-1], e.sequence) for e in (await stage.published())[-2:]] == [("1", 2), ("2", 3)]


@scenario
async def a_state_that_only_a_stored_state_names_is_loaded(stage: Any) -> None:
    """`state_needs` declares it."""
    await stage.run(set_limit(10))
    await stage.receive(event(opened(1)), event(limited(1)))
    decision = await stage.run(ReadOwnLimit(**about(1)))
    assert decision == Unchanged(answer=10)


@scenario
async def commands_of_one_batch_are_decided_in_order_and_alone(stage: Any) -> None:
    """A refused command does not affect the others. An early command is refused as `not_ready`."""
    await stage.receive(event(opened(1)), event(opened(2)))
    await stage.run(set_limit(10))
    decisions = await stage.run_batch([add(1, 5), add(3, 1), add(2, 50), add(1, 2)])
    assert [getattr(d, "code", getattr(d, "answer", None)) for d in decisions] == [
        5,
        "not_ready",
        "over_limit",
        7,
    ]


@scenario
async def a_command_is_decided_unchanged_or_refused(stage: Any) -> None:
    """A repeat is unchanged and publishes nothing; a refusal has its code."""
    await stage.receive(event(opened(1)))
    assert isinstance(await stage.run(SetTotal(**about(1), total=5)), Decided)
    assert await stage.run(SetTotal(**about(1), total=5)) == Unchanged(answer=5)
    assert await stage.run(SetTotal(**about(2), total=5)) == Refused("no_counter")
    assert await stage.refusals() == ["no_counter"]


@scenario
async def a_command_whose_decision_raises_changes_nothing(stage: Any) -> None:
    """The error is raised, and nothing is written."""
    await stage.receive(event(opened(1)))
    with pytest.raises(ZeroDivisionError):
        await stage.run(add(1, toy.POISONED))
    assert await total(stage, 1) == 0
    assert [type(entry.decision) for entry in await stage.decisions()] == [Decided]


@scenario
async def one_decision_that_raises_does_not_fail_its_http_batch(stage: Any) -> None:
    """Its command is refused as `internal_error` with a reference; the commands around it are done."""
    await stage.receive(event(opened(1)), event(opened(2)))
    batch = [add(1, 5), add(1, toy.POISONED), add(2, 3), add(1, 2)]
    done, failed, *others = await stage.run_batch(batch)
    assert [decision.answer for decision in (done, *others)] == [5, 3, 7]
    assert (failed.code, bool(failed.reference)) == ("internal_error", True)
    assert (await total(stage, 1), await total(stage, 2)) == (7, 3)
    assert await reasons(stage) == []


@scenario
async def one_row_that_the_database_refuses_does_not_fail_its_http_batch(stage: Any) -> None:
    """Its command is refused as `internal_error` with a reference; the others are done, in order."""
    await stage.receive(*(event(opened(n)) for n in range(8)))
    amounts = [toy.UNSTORABLE if n in (3, 5) else n for n in range(8)]
    decisions = await stage.run_batch([add(n, amount) for n, amount in enumerate(amounts)])
    assert [getattr(d, "code", getattr(d, "answer", None)) for d in decisions] == [
        *(0, 1, 2, "internal_error", 4, "internal_error", 6, 7),
    ]
    assert len({decisions[n].reference for n in (3, 5)}) == 2
    assert [await total(stage, n) for n in range(8)] == [0, 1, 2, 0, 4, 0, 6, 7]
    assert [e.data.total for e in (await stage.published())[8:]] == [0, 1, 2, 4, 6, 7]


@scenario
async def after_an_early_message_raises_later_early_messages_of_its_entity_wait(stage: Any) -> None:
    """They are parked behind it, in order, and run once it is decided. Other entities go on."""
    await stage.receive(event(added(1, 1)), event(limited(1)), event(added(1, 2)))
    await stage.receive(event(added(1, 3)), event(added(2, 4)))
    assert await reasons(stage) == ["early"] * 5
    await stage.receive(event(opened(1)), event(opened(2)), event(added(1, 5)))
    assert [(p.reason, getattr(p.event.data, "amount", None)) for p in await stage.parked()] == [
        ("retry", None),
        ("behind", 2),
        ("behind", 3),
        ("behind", 5),
    ]
    assert (await total(stage, 1), await total(stage, 2)) == (1, 4)
    await stage.run(set_limit(50))
    await stage.advance(timedelta(seconds=2))
    assert await stage.parked() == []
    assert (await stage.state(toy.Counter, named(1)[0])).additions == (1, 2, 3, 5)


@scenario
async def after_an_early_message_of_the_same_batch_raises_later_ones_wait(stage: Any) -> None:
    """Messages that were never parked before keep their order too."""
    await stage.receive(event(added(1, 1)), event(limited(1)), event(added(1, 2)), event(opened(1)))
    assert await reasons(stage) == ["retry", "behind"]
    await stage.receive(event(added(1, 3)))
    await stage.run(set_limit(50))
    await stage.advance(timedelta(seconds=2))
    assert await stage.parked() == []
    assert (await stage.state(toy.Counter, named(1)[0])).additions == (1, 2, 3)


@scenario
async def an_early_message_waits_until_the_message_before_it_was_dropped(stage: Any) -> None:
    """After four attempts the message before it is dead. The messages behind it remain parked."""
    await stage.receive(event(added(1, toy.POISONED)), event(added(1, 2)), event(opened(1)))
    await stage.advance(timedelta(minutes=1))
    assert await reasons(stage) == ["dead", "behind"]
    assert await total(stage, 1) == 0


@scenario
async def the_actor_is_the_caller_or_the_user_who_caused_the_event(stage: Any) -> None:
    """If there is neither, the actor is this service. Nobody has verified the actor that an outside source names."""
    await stage.receive(
        event(opened(1)),
        event(added(1, 1), actor="user:bob", source="/didflow/other"),
        event(added(1, 1), actor="user:eve"),
    )
    await stage.run(add(1, 1))
    assert [e.actor for e in await stage.published()] == [
        "service:counting",
        "user:bob",
        "service:counting",
        "user:ana",
    ]


@scenario
async def an_own_event_that_comes_back_is_a_repeat(stage: Any) -> None:
    """A service that reads a topic of its own does not decide about what it published there."""
    await stage.receive(event(opened(1)))
    (own,) = await stage.published()
    assert await stage.receive(own) is None
    assert await stage.refusals() == []
    assert await stage.dead_letters() == []


@scenario
async def an_outside_event_of_an_instant_out_of_bounds_is_a_dead_letter_once(stage: Any) -> None:
    """Its neighbours go on, and its redelivery is recognized. A service of didflow is not limited."""
    late, early = NOW + timedelta(days=2), NOW - timedelta(days=401)
    ours = event(added(1, 1), at=early, source="/didflow/other")
    outside = (event(opened(1)), event(added(1, 5), at=late), event(added(1, 7), at=early))
    await stage.receive_twice(*outside, ours)
    assert [letter.reason for letter in await stage.dead_letters()] == ["invalid_data"] * 2
    assert await total(stage, 1) == 1


@scenario
async def append_only_rows_are_kept_in_order(stage: Any) -> None:
    """The history has a row for each decision, whatever it was."""
    await stage.receive(event(opened(1)), event(added(1, 5)), event(opened(1)))
    await stage.run(set_limit(10))
    await stage.receive(event(added(1, 50)))
    assert [row.decision for row in await stage.rows(Note)] == ["Decided", "Unchanged", "Refused"]


@scenario
async def states_are_stored_as_given(stage: Any) -> None:
    """`store` makes or replaces a state; a decision builds on it."""
    did_id, number = named(1)
    await stage.store(toy.Counter(did_id=did_id, number=number, account="master", total=40))
    await stage.store(toy.Counter(did_id=did_id, number=number, account="master", total=50))
    await stage.receive(event(added(1, 5)))
    assert await total(stage, 1) == 55
    assert len(await stage.states(toy.Counter)) == 1
