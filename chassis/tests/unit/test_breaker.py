"""The breaker tells a broken release from broken data: by how many entities and accounts fail, and how often."""

import pytest

from didflow_chassis.stage import breaker
from didflow_chassis.stage.breaker import MIN_ACCOUNTS, MIN_ENTITIES, WINDOW, WINDOW_S, Breaker, Outcome

TYPE = "didflow.counter.added.v1"


class Watched:
    """A breaker, and the changes that it has reported. `seconds` is its time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 1_000.0
        self.changes: list[tuple[str, bool]] = []
        monkeypatch.setattr(breaker, "monotonic", lambda: self.seconds)
        self.breaker = Breaker(lambda type_, is_open: self.changes.append((type_, is_open)))


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    return Watched(monkeypatch)


def failed(number: int, accounts: int) -> Outcome:
    return Outcome(TYPE, number, failed=True, account=f"master/{number % accounts}")


def failures(entities: int = MIN_ENTITIES, accounts: int = MIN_ACCOUNTS) -> list[Outcome]:
    return [failed(number, accounts) for number in range(entities)]


def successes(entities: int, first: int = 1_000) -> list[Outcome]:
    return [Outcome(TYPE, first + number) for number in range(entities)]


def test_it_opens_for_failures_of_many_entities_and_accounts(watched: Watched) -> None:
    """Once, and it says so once."""
    watched.breaker.add(failures())
    watched.breaker.add(failures())
    assert watched.breaker.open_types == (TYPE,)
    assert watched.changes == [(TYPE, True)]


@pytest.mark.parametrize(
    "outcomes",
    [
        failures(MIN_ENTITIES - 1),
        failures(90, MIN_ACCOUNTS - 1),
        [*failures(), *successes(MIN_ENTITIES)],
        failures(MIN_ENTITIES - 1) * 9,
        [Outcome(TYPE, number, failed=True) for number in range(50)],
    ],
    ids=["few entities", "few accounts", "more successes", "one after another", "no accounts"],
)
def test_it_stays_closed_for_broken_data(watched: Watched, outcomes: list[Outcome]) -> None:
    """Few entities, few accounts, or as many successes as failures."""
    watched.breaker.add(outcomes)
    assert watched.breaker.open_types == ()
    assert watched.changes == []


def test_successes_close_it(watched: Watched) -> None:
    """Those of the entities that failed, and those of others."""
    watched.breaker.add(failures(20))
    watched.breaker.add([Outcome(TYPE, number) for number in range(5)])
    assert watched.breaker.open_types == (TYPE,)
    watched.breaker.add(successes(10))
    assert watched.breaker.open_types == ()
    assert watched.changes == [(TYPE, True), (TYPE, False)]


def test_it_is_about_one_type(watched: Watched) -> None:
    """Successes of other types do not keep it closed, and other types stay closed."""
    watched.breaker.add([*failures(), *(Outcome("timer Counter", number) for number in range(90))])
    assert watched.breaker.open_types == (TYPE,)


def test_it_closes_when_the_failures_are_long_ago(watched: Watched) -> None:
    """Without any message of the type."""
    watched.breaker.add(failures())
    watched.seconds += WINDOW_S + 1
    watched.breaker.refresh()
    assert watched.changes == [(TYPE, True), (TYPE, False)]


def test_it_looks_at_a_bounded_number_of_entities(watched: Watched) -> None:
    """Its memory does not grow."""
    watched.breaker.add(successes(5 * WINDOW))
    assert watched.breaker.counted(TYPE) == (WINDOW, 0)
    watched.breaker.add(failures(WINDOW))
    assert watched.breaker.counted(TYPE) == (WINDOW, WINDOW)


def test_a_batch_in_progress_opens_it_for_its_own_messages_only(watched: Watched) -> None:
    """Outcomes of a batch that is not committed are not kept."""
    assert watched.breaker.is_open(TYPE, failures())
    assert not watched.breaker.is_open(TYPE)
    assert watched.breaker.counted(TYPE) == (0, 0)
