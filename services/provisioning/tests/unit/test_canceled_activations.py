"""A number that is canceled while its activation is out ends as it is wanted: suspended or released, never active.

Each seed is one interleaving of cancellations, restores, blocks, removals, retries by hand, and of what the carrier
does and answers. The carrier takes the attempts of a number in their order. It misses some of them, and its results
come in any order, late, and more than once.
"""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any, Final, Literal, get_args

from didflow_contracts.vocabulary import CarrierAction
from didflow_provisioning.domain.wanted_actions import wanted_state
from didflow_provisioning.settings import CarrierTiming, ProvisioningSettings

AtCarrier = Literal["unknown", "in service", "suspended", "released"]

SEEDS: Final = range(200)
"""The interleavings that end canceled, aging, blocked, on hold or removed."""
RESTORED: Final = range(200, 250)
"""The interleavings that end restored."""
STEPS: Final = 40
GIVE_UP_S: Final = 900.0
ENDS: Final = ("canceled", "aging", "blocked", "on_hold", "removed", "removed")
SETTINGS: Final = ProvisioningSettings.placeholder().model_copy(
    update={
        "carriers": {"simulator": CarrierTiming(give_up_s=dict.fromkeys(get_args(CarrierAction), GIVE_UP_S))}
    }
)
"""Each command is given up after a quarter of an hour, so that few attempts are enough."""
EFFECT: Final[dict[str, AtCarrier]] = {
    "activate": "in service",
    "suspend": "suspended",
    "resume": "in service",
    "release": "released",
}


class Interleaving:
    """One number whose activation is out, and the carrier. `seen` counts what has happened."""

    def __init__(self, seed: int, stage: Any, messages: Any) -> None:
        self.random, self.stage, self.messages = Random(seed), stage, messages
        self.seen: Counter[str] = Counter()
        self.at_carrier: AtCarrier = "unknown"
        self.is_removed = False
        self._sequence = 10
        self._taken = 0
        self._decided: dict[Any, str] = {}
        self._to_deliver: list[Any] = []
        self._delivered: list[Any] = []
        stage.process(messages.purchased(), messages.did_changed(), messages.registration())
        assert stage.actions() == ["activate"]

    def end(self, how: str) -> None:
        """Let the number no longer be wanted in service."""
        self.seen[how] += 1
        self._sequence += 1
        if how == "removed":
            self.is_removed = True
            self.stage.process(self.messages.removed(sequence=self._sequence))
        elif how in ("blocked", "on_hold"):
            self.stage.process(self.messages.did_changed(how, self._sequence))
        else:
            self.stage.process(self.messages.term(how, self._sequence))

    def restore(self) -> None:
        """Let the number be wanted in service again."""
        self.seen["restored"] += 1
        self._sequence += 1
        self.stage.process(self.messages.term("active", self._sequence))
        self.stage.process(self.messages.did_changed("assigned", self._sequence))

    def set_capacity(self) -> None:
        """Let the account change a setting."""
        self.stage.process(self.messages.set_capacity(self.random.randint(1, 9)))

    def step(self) -> None:
        """Do one random thing."""
        steps: dict[Callable[[], None], int] = {
            self.carrier: 9,
            self.deliver: 9,
            self.repeat: 2,
            self.wait: 3,
            self.retry: 2,
            self.restore: 5,
            self.set_capacity: 1,
            lambda: self.end(self.random.choice(ENDS[:-2])): 2,
        }
        self.random.choices(list(steps), list(steps.values()))[0]()

    def carrier(self, *, misses: bool = True) -> None:
        """Let the carrier take the next attempt. It answers a command that it has decided on as it did before."""
        issued = self.stage.issued()
        if self._taken == len(issued):
            return
        command = issued[self._taken]
        self._taken += 1
        if misses and self.random.random() < 0.2:
            self.seen["missed"] += 1
            return
        drawn = self.random.choices(("succeeded", "retryable", "final"), (6, 2, 2))[0]
        outcome = self._decided.get(command.command_id, drawn)
        if outcome == "succeeded" and command.command_id not in self._decided:
            self.at_carrier = EFFECT.get(command.action, self.at_carrier)
        if outcome != "retryable":
            self._decided[command.command_id] = outcome
        self.seen[f"{command.action} {outcome}"] += 1
        is_failure, is_retryable = outcome != "succeeded", outcome == "retryable"
        failure = self.messages.failure(command, retryable=is_retryable) if is_failure else None
        self._to_deliver.append(failure or self.messages.result(command))

    def deliver(self) -> None:
        """Let any result arrive that has not arrived yet."""
        if self._to_deliver:
            result = self._to_deliver.pop(self.random.randrange(len(self._to_deliver)))
            self._delivered.append(result)
            self._arrive(result)

    def repeat(self) -> None:
        """Let any result arrive again: the same event, or another one that says the same."""
        if self._delivered:
            result = self.random.choice(self._delivered)
            self.seen["repeated"] += 1
            same = self.random.random() < 0.5
            self._arrive(result if same else self.messages.event(result.data, result.source))

    def wait(self) -> None:
        """Let minutes pass, or so long that every command is given up."""
        is_long = self.random.random() < 0.1
        self.seen["given up"] += is_long
        self.stage.advance(timedelta(minutes=20) if is_long else timedelta(minutes=self.random.randint(1, 5)))

    def retry(self) -> None:
        """Let an operator retry what has failed for good."""
        for failure in self.stage.routing().failures:
            self.seen["retried by hand"] += 1
            operator = {"role": "operator", "account": "master"}
            self.stage.process(self.messages.retry(failure.command_id, **operator))

    def settle(self) -> None:
        """Let everything arrive and be retried until nothing is left to do. The carrier misses nothing any more."""
        for _ in range(500):
            if self._to_deliver:
                self.deliver()
            elif self._taken < len(self.stage.issued()):
                self.carrier(misses=False)
            elif self.stage.open_command is not None:
                self.stage.advance(timedelta(minutes=5))
            elif self.stage.queue.due_at is not None:
                self.stage.advance(timedelta(seconds=1))
            elif self.stage.routing().failures and not self._waits_for_a_wish():
                self.retry()
                self.stage.advance(timedelta(seconds=1))
            else:
                return
        raise AssertionError(
            f"it never settles: {self.stage.routing()} {self.stage.open_command} {self._decided}"
        )

    def repeat_all(self) -> None:
        """Let every result arrive once more, in any order, and then let a month pass. Nothing follows from it."""
        before = self.stage.events
        for result in self.random.sample(self._delivered, len(self._delivered)):
            self._arrive(self.messages.event(result.data, result.source))
        self.stage.advance(timedelta(days=30))
        assert self.stage.events == before

    def _waits_for_a_wish(self) -> bool:
        """Return True for a failed activation of a number that is not wanted in service."""
        routing = self.stage.routing()
        return routing.carrier_state == "failed" and wanted_state(routing) == "suspended"

    def _arrive(self, result: Any) -> None:
        opened = self.stage.open_command
        is_late = opened is None or opened.command_id != result.data.command_id
        self.seen["late"] += is_late
        self.stage.process(result)


def played(seed: int, stage: Any, messages: Any, *, restored: bool = False) -> Interleaving:
    """Play one interleaving. The first thing that happens ends the service while the activation is out."""
    one = Interleaving(seed, stage, type(messages)())  # its ids begin anew, so a seed gives the same again
    one.end(one.random.choice(ENDS[:-2]))
    for _ in range(one.random.randint(0, one.random.choice((3, STEPS, STEPS)))):
        one.step()
    if restored:
        one.restore()
    else:
        one.end(one.random.choice(ENDS))
    for _ in range(one.random.randint(0, 20)):
        one.random.choice((one.carrier, one.deliver, one.repeat, one.wait, one.retry))()
    one.settle()
    one.repeat_all()
    return one


HAPPENED: Final = (
    *ENDS,
    "restored",
    "missed",
    "given up",
    "late",
    "repeated",
    "retried by hand",
    *(f"{action} {how}" for action in EFFECT for how in ("succeeded", "retryable", "final")),
)
"""What must happen in some of the interleavings."""


def test_a_number_that_ends_while_its_activation_is_out_is_never_active_in_the_end(
    new_stage: Callable[..., Any], messages: Any
) -> None:
    """What is known is what the carrier has. An activation that never succeeded stays failed."""
    happened: set[str] = set()
    for seed in SEEDS:
        one = played(seed, new_stage(SETTINGS), messages)
        known = one.stage.axis().carrier_state
        allowed = (
            {"released": "released"} if one.is_removed else {"suspended": "suspended", "failed": "unknown"}
        )
        assert allowed.get(known) == one.at_carrier, (seed, known, one.at_carrier, one.stage.actions())
        assert not one.stage.axis().voice_ready, seed
        happened.update(+one.seen)
    assert set(HAPPENED) <= happened


def test_a_number_that_is_restored_in_the_end_is_in_service(
    new_stage: Callable[..., Any], messages: Any
) -> None:
    """However often it was canceled before, and whatever the carrier has answered."""
    for seed in RESTORED:
        one = played(seed, new_stage(SETTINGS), messages, restored=True)
        known = one.stage.axis().carrier_state
        assert (known, one.at_carrier) == ("active", "in service"), (seed, known, one.at_carrier)
