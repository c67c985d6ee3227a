"""Plans and makes a load of catalogue files: what changes, and how many DIDs each change touches.

Each country is one command of the stage, and all countries of a file are loaded in one transaction. The plan uses the
function that decides the command, so it shows every refusal before anything is written.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final
from uuid import UUID

from didflow_chassis.database import Database
from didflow_chassis.decision import Caller, Decided, NewJob, Refused
from didflow_chassis.processes import Process, open_process
from didflow_chassis.service import Service
from didflow_chassis.settings import Settings
from didflow_chassis.stage.call import CommandDecision, HttpCall
from didflow_chassis.stage.idempotency import Answer, IdempotencyKey
from didflow_contracts.ids import uuid7
from didflow_verification import store
from didflow_verification.domain.catalogue_change import RuleChange, rule_changes
from didflow_verification.domain.commands import LoadRules
from didflow_verification.domain.requirements import ANYWHERE, CountryRules, Requirement

OPERATOR: Final = Caller(subject="didflow-verification catalogue", account="", role="operator")
STATEMENT_TIMEOUT_MS: Final = 600_000
"""How long the count of the DIDs that a load touches may take."""


@dataclass(frozen=True, kw_only=True)
class DidCount:
    """The number of live DIDs with the same country, types, requirement and state."""

    country: str
    number_type: str
    end_user_type: str | None
    requirement: str
    state: str
    dids: int

    def touched_by(self, country: str, row: Requirement) -> bool:
        """Return True if the row judged these DIDs, or may judge their next submission."""
        kind = row.number_type in {self.number_type, "any"}
        return (kind and self.country == country) or self.requirement == row.key


@dataclass(frozen=True, kw_only=True)
class LoadPlan:
    """What the load of one country's rules changes."""

    rules: CountryRules
    changes: tuple[RuleChange, ...]
    counts: tuple[DidCount, ...]

    @property
    def refused(self) -> bool:
        """Return True if the rules cannot be loaded, because a version that has begun would change."""
        return any(change.begun for change in self.changes)

    def lines(self) -> Iterator[str]:
        """Yield the changes, each with the number of DIDs that it touches, as lines to print."""
        yield self.rules.country if self.changes else f"{self.rules.country}: nothing changes"
        for change in self.changes:
            yield f"  {change.text}"
            if change.row is not None:
                touched = [c for c in self.counts if c.touched_by(self.rules.country, change.row)]
                yield f"    {_touched_line(change.row, touched)}"


def _touched_line(row: Requirement, touched: Sequence[DidCount]) -> str:
    line = f"DIDs touched: {sum(c.dids for c in touched)}"
    if not row.reverify:
        return line
    approved = [
        c for c in touched if c.state == "approved" and c.end_user_type in {*row.end_user_types, None}
    ]
    turned = [c for c in touched if c.state == ("not_required" if row.required else "awaiting")]
    again = sum(c.dids for c in approved) if row.required else 0
    newly = "newly required" if row.required else "no longer required"
    return f"{line}; to verify again: {again}; {newly}: {sum(c.dids for c in turned)}"


async def current_rules(database: Database) -> dict[str, CountryRules]:
    """Return the catalogue of the database, by country."""
    rows = await database.fetch(store.all_rules())
    found = [store.state_of(store.RULES, row) for row in rows]
    return {rules.country: rules for rules in found}


async def plan_load(database: Database, wanted: Iterable[CountryRules]) -> list[LoadPlan]:
    """Return what a load of these rules would change now."""
    current, today = await current_rules(database), (await database.now()).date()
    wanted = list(wanted)
    keys = {row.key for rules in wanted for row in rules.requirements}
    rows = await database.fetch(store.live_dids_by_kind({rules.country for rules in wanted}, keys))
    counts = tuple(DidCount(**row) for row in rows)
    return [_plan(current.get(rules.country), rules, today, counts) for rules in wanted]


def _plan(
    current: CountryRules | None, rules: CountryRules, today: date, counts: tuple[DidCount, ...]
) -> LoadPlan:
    return LoadPlan(rules=rules, changes=tuple(rule_changes(current, rules, today)), counts=counts)


@dataclass(frozen=True, kw_only=True)
class StartedRecheck:
    """A job that a load has started. The workers recheck `dids` live DIDs of the country."""

    country: str
    job_id: UUID
    dids: int

    def line(self) -> str:
        """Return the job as a line to print."""
        where = "all countries" if self.country == ANYWHERE else self.country
        return f"Job {self.job_id} rechecks {self.dids} live DIDs of {where}."


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """The result of a load. There can be a refusal after a race; then nothing was loaded of that country."""

    refused: tuple[Refused, ...]
    rechecks: tuple[StartedRecheck, ...]


async def load(process: Process, plans: Iterable[LoadPlan]) -> Loaded:
    """Load the rules that change, in one transaction. Raises Outage."""
    commands = [
        LoadRules(
            entity_id=plan.rules.country, subject="", caller=OPERATOR, change_id=uuid7(), rules=plan.rules
        )
        for plan in plans
        if plan.changes
    ]
    decisions: list[CommandDecision] = []

    def answer(results: Sequence[CommandDecision]) -> Answer:
        decisions[:] = results
        return Answer(status=200, body=b"")

    key = IdempotencyKey(account="", subject="", route="catalogue", value=None, digest=b"")
    if commands:
        await process.stage.command(commands, HttpCall(key=key, actor="service:verification", answer=answer))
    jobs = [
        row for each in decisions if isinstance(each, Decided) for row in each.also if isinstance(row, NewJob)
    ]
    return Loaded(
        refused=tuple(each for each in decisions if isinstance(each, Refused)),
        rechecks=tuple([await _started(process.database, job) for job in jobs]),
    )


async def _started(database: Database, job: NewJob) -> StartedRecheck:
    country = job.parameters.country
    rows = await database.fetch(store.count_of([store.dids_to_recheck(country)]))
    return StartedRecheck(country=country, job_id=job.job_id, dids=rows[0][0])


def catalogue_process(service: Service, settings: Settings) -> Any:
    """Open the process of a catalogue command: without area names, and with time for one long statement."""
    long = settings.model_copy(update={"statement_timeout_ms": STATEMENT_TIMEOUT_MS})
    return open_process(replace(service, on_start=None), long, "catalogue")
