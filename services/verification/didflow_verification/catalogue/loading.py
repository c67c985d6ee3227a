"""Loads catalogue files into the database: what would change and whom it touches is known before.

Each country is one command of the stage, all of a file in one transaction; what a decision refuses is refused
before anything is written, by the same function.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from didflow_chassis.database import Database
from didflow_chassis.decision import Caller, Refused
from didflow_chassis.processes import Process, open_process
from didflow_chassis.service import Service
from didflow_chassis.settings import Settings
from didflow_chassis.stage.idempotency import Answer, CommandDecision, IdempotencyKey
from didflow_contracts.ids import uuid7
from didflow_verification import store
from didflow_verification.domain.catalogue.commands import LoadRules
from didflow_verification.domain.catalogue.loading import Change, changes
from didflow_verification.domain.catalogue.rules import CountryRules, Requirement

OPERATOR: Final = Caller(subject="didflow-verification catalogue", account="", role="operator")
PATIENCE_MS: Final = 600_000
"""How long a load may take: it makes every living DID due that a version with `reverify` may turn."""


@dataclass(frozen=True, kw_only=True)
class Touched:
    """How many living DIDs are of one kind: country, types, the requirement that they are under, and state."""

    country: str
    number_type: str
    end_user_type: str | None
    requirement: str
    state: str
    dids: int

    def by(self, country: str, row: Requirement) -> bool:
        """Whether the next submission for these DIDs may be judged by the row, or theirs was."""
        kind = row.number_type in {self.number_type, "any"}
        return (kind and self.country == country) or self.requirement == row.key


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What loading one country's rules changes."""

    rules: CountryRules
    changes: tuple[Change, ...]
    touched: tuple[Touched, ...]

    @property
    def refused(self) -> bool:
        """Whether the rules cannot be loaded: a version that has begun would change."""
        return any(change.begun for change in self.changes)

    def lines(self) -> Iterator[str]:
        """Say what changes and how many DIDs each change touches."""
        yield f"{self.rules.country}: {'' if self.changes else 'nothing changes'}".rstrip(": ")
        for change in self.changes:
            yield f"  {change.text}"
            if change.row is not None:
                yield f"    {_people(change.row, [t for t in self.touched if t.by(self.rules.country, change.row)])}"


def _people(row: Requirement, touched: Sequence[Touched]) -> str:
    said = f"DIDs that it touches: {sum(t.dids for t in touched)}"
    if not row.reverify:
        return said
    approved = [
        t for t in touched if t.state == "approved" and t.end_user_type in {*row.end_user_types, None}
    ]
    turned = [t for t in touched if t.state == ("not_required" if row.required else "awaiting")]
    anew = sum(t.dids for t in approved) if row.required else 0
    return f"{said}; asked anew: {anew}; that {_comes(row)}: {sum(t.dids for t in turned)}"


def _comes(row: Requirement) -> str:
    return "it newly asks" if row.required else "it asks no more"


async def rules_now(database: Database) -> dict[str, CountryRules]:
    """Return the catalogue as it lies in the database, by country."""
    rows = await database.fetch(store.all_rules())
    found = [store.state_in(store.RULES, row) for row in rows]
    return {rules.country: rules for rules in found}


async def plans(database: Database, wanted: Iterable[CountryRules]) -> list[Plan]:
    """Say what loading these would change now."""
    current, today = await rules_now(database), (await database.now()).date()
    wanted = list(wanted)
    keys = {row.key for rules in wanted for row in rules.requirements}
    rows = await database.fetch(store.living_by_kind({rules.country for rules in wanted}, keys))
    touched = tuple(Touched(**row) for row in rows)
    return [_plan(current.get(rules.country), rules, today, touched) for rules in wanted]


def _plan(
    current: CountryRules | None, rules: CountryRules, today: date, touched: tuple[Touched, ...]
) -> Plan:
    return Plan(rules=rules, changes=tuple(changes(current, rules, today)), touched=touched)


async def load(process: Process, planned: Iterable[Plan]) -> list[Refused]:
    """Load what changes, in one transaction; return what was refused after all."""
    commands = [
        LoadRules(
            entity_id=plan.rules.country, subject="", caller=OPERATOR, change_id=uuid7(), rules=plan.rules
        )
        for plan in planned
        if plan.changes
    ]
    refused: list[Refused] = []

    def answer(results: Sequence[CommandDecision]) -> Answer:
        refused.extend(r for r in results if isinstance(r, Refused))
        return Answer(status=200, body=b"")

    key = IdempotencyKey(account="", route="catalogue", value=None, digest=b"")
    if commands:
        await process.stage.command(commands, key=key, actor="service:verification", answer=answer)
    return refused


def patient(service: Service, settings: Settings) -> Any:
    """Open what a catalogue command runs on: no tables of areas, and time for one long statement."""
    long = settings.model_copy(update={"statement_timeout_ms": PATIENCE_MS})
    return open_process(replace(service, on_start=None), long, "catalogue")
