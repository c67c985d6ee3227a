"""The description of a service: its states, its handlers and its API.

It is data. The stage, the timers, the processes and the command line read it.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import Struct

from didflow_chassis.decision import Command, Known
from didflow_chassis.encryption import Keyring
from didflow_chassis.jobs.job import CancelJob, Job, RetryJob, StartJob, cancel_job, retry_job, start_job
from didflow_chassis.jobs.kinds import JobKind
from didflow_chassis.jobs.store import KINDS as JOB_TABLES
from didflow_chassis.states import Kind
from didflow_chassis.telemetry.service_gauges import ServiceGauge
from didflow_contracts.event_data import EventData
from didflow_contracts.topics import topics_of


class Ref(Struct, frozen=True):
    """One other state that a decision needs, named by its model class and key.

    Without `write`, it is locked in shared mode and can only be read. A decision that returns it in `also` needs
    `write=True`. `subject` is its ordering key, if its kind has one and it differs from that of the message.
    """

    model: type
    key: Hashable
    write: bool = False
    subject: str | None = None


Needs = Callable[[Any], Iterable[Ref]]
StateNeeds = Callable[[Any, Any, Known], Iterable[Ref]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Handler:
    """Which decision a message leads to, and which other states that decision needs.

    `decide(state | None, message, now)` returns a `Decision`. If `needs` or `state_needs` is set, it is called as
    `decide(state | None, message, now, known)`. For an event, `message` is the `Event` and its model is `.data`.
    For a command, `message` is the `Command`. A due timer has no message: `decide(state, at)` or
    `decide(state, at, known)`.

    `model` is the class of the primary state. The default is the service's main class. `key` returns the key of
    the primary state. The default is the message's `entity_id`.

    `needs(message)` returns the states that the message itself names. For a due timer, which has no message, it is
    called with the subject of the state. `state_needs(state, message, known)` returns
    the states that only a stored state names; `message` is None for a timer. `state_needs` is called before the
    locks are taken, on states that were read for this purpose, and again under the locks. If
    `state_needs_are_rare`, it is called only under the locks. That saves one read of all states. When it then returns
    something that `needs` has not, its locks are tried, it is loaded too, and the batch is decided again. If others
    hold these locks, the whole batch runs again.

    A due timer is decided at the instant at which it was due, however late that is. With `at_present`, it is decided at
    the time of the batch: for what is done outside, such as an attempt, which cannot be done in the past.

    If `when_held`, a command is also decided while an earlier message of its entity has failed. Its timers
    still wait for it. It is for items of jobs that nobody would repeat, and that follow from stored states.
    """

    decide: Callable[..., Any]
    model: type | None = None
    key: Callable[[Any], Hashable] | None = None
    needs: Needs | None = None
    state_needs: StateNeeds | None = None
    state_needs_are_rare: bool = False
    at_present: bool = False
    when_held: bool = False


JOB_COMMANDS: Mapping[type[Command], Handler] = {
    StartJob: Handler(decide=start_job, model=Job),
    CancelJob: Handler(decide=cancel_job, model=Job),
    RetryJob: Handler(decide=retry_job, model=Job),
}


class Holder(NamedTuple):
    """Whom the events about an entity belong to: the subject that they are published under, and the account."""

    subject: str
    account: str


class StoredCheck(NamedTuple):
    """What `check` finds in the database of a service, besides what it checks for every service.

    `statement` returns one boolean. If it is false, `warning` is printed under `what`.
    """

    what: str
    statement: str
    warning: str


History = Callable[[Any, Any, Any, Any, Known], Iterable[Any]]


@dataclass(frozen=True, kw_only=True)
class Service:
    """One service. `service(settings)` in its `service.py` returns it.

    `main` is the model class of the state that events are numbered by (one for each entity, `Kind.emits`).
    `jobs` are the kinds of jobs by their names. `gauges` are metrics that the workers measure in its tables.
    `history(message, decision, state, now, known)` may return append-only rows for every message and every due timer,
    whatever the decision is. `known` has the other states as they were before the decision.
    `routers` builds the HTTP routes. `problems` gives the HTTP status of refusal codes that are not 409.
    `holder(state)` returns the holder of a main state. If it is set, the stage publishes `message.refused` for every
    refused event whose main state exists.
    `checks` are what `check` also looks for in the database.
    `larger_bodies` gives the maximum body size of single paths, in bytes. `on_start` runs once in every process,
    before the first message. `settings` is what the service was built from; only its own routes and tools read it,
    and `keyring`.
    """

    name: str
    main: type
    kinds: tuple[Kind[Any], ...]
    events: Mapping[type[EventData], Handler]
    commands: Mapping[type[Command], Handler]
    due: Mapping[type, Handler] = field(default_factory=dict)
    jobs: Mapping[str, JobKind[Any]] = field(default_factory=dict)
    gauges: tuple[ServiceGauge, ...] = ()
    history: History | None = None
    holder: Callable[[Any], Holder] | None = None
    routers: Callable[[], Iterable[Any]] = tuple
    problems: Mapping[str, int] = field(default_factory=dict)
    larger_bodies: Mapping[str, int] = field(default_factory=dict)
    migrations: Path
    checks: tuple[StoredCheck, ...] = ()
    on_start: Callable[[], None] | None = None
    settings: Any = None

    def keyring(self) -> Keyring | None:
        """Return the keys of what the service encrypts at rest, or None if it has none."""
        found: Keyring | None = None if self.settings is None else self.settings.keyring()
        return found

    @cached_property
    def all_kinds(self) -> tuple[Kind[Any], ...]:
        """The kinds of the service, and those that every service has: jobs."""
        return (*self.kinds, *JOB_TABLES)

    @cached_property
    def kind_of(self) -> Mapping[type, Kind[Any]]:
        """All kinds by their model class."""
        return {kind.model: kind for kind in self.all_kinds}

    @cached_property
    def all_commands(self) -> Mapping[type[Command], Handler]:
        """The handlers of the service's commands, and of those that every service has."""
        return {**JOB_COMMANDS, **self.commands}

    @cached_property
    def topics_read(self) -> tuple[str, ...]:
        """The names of the topics that this service reads, without the prefix of the installation."""
        return tuple(topic for model in self.events for topic in topics_of(model))

    @cached_property
    def source(self) -> str:
        """The CloudEvents `source` of the events that this service publishes."""
        return f"/didflow/{self.name}"
