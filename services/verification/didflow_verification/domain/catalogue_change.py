"""Replacing the rules of a country. A version that has begun must not change.

Each verification keeps the version that it was judged by, so that version has to stay readable.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct

from didflow_chassis.decision import Decided, Decision, NewJob, Refused, Unchanged
from didflow_verification.domain.commands import LoadRules
from didflow_verification.domain.requirements import CountryRules, Requirement, utc_day

RECHECK_DIDS: Final = "recheck_dids"
"""The kind of job that spreads a change of the catalogue."""

ChangeKind = Literal["country", "names", "added", "changed", "ended", "dropped"]


@dataclass(frozen=True, kw_only=True)
class RuleChange:
    """One difference between the catalogue and a file. `row` is the row of the file.

    `begun` is set if the difference changes a version that has begun, which is not allowed.
    """

    kind: ChangeKind
    text: str
    row: Requirement | None = None
    begun: bool = False


@dataclass(frozen=True, kw_only=True)
class Recheck:
    """The parameters of the job: the country whose rules changed. `ANYWHERE` can affect every country."""

    country: str


class CatalogueChange(Struct, frozen=True, kw_only=True):
    """The record of one load: which country, when, by whom, and what changed.

    `change_id` is also the id of the job that rechecks the DIDs, if the load starts one.
    """

    change_id: UUID
    country: str
    changed_at: datetime
    changed_by: str
    lines: tuple[str, ...]


def load_rules(current: CountryRules | None, command: LoadRules, now: datetime) -> Decision:
    """Replace the rules of a country. Refused `version_begun` if a version that has begun would change.

    If a version has `reverify`, before or after, a job rechecks the live DIDs. Other versions change nothing that has
    started.
    """
    found = tuple(rule_changes(current, command.rules, utc_day(now)))
    forbidden = next((change for change in found if change.begun), None)
    if forbidden is not None:
        return Refused("version_begun", forbidden.text)
    if not found:
        return Unchanged(answer=command.rules)
    rows = (*(current.requirements if current else ()), *command.rules.requirements)
    change = CatalogueChange(
        change_id=command.change_id,
        country=command.rules.country,
        changed_at=now,
        changed_by=command.caller.actor,
        lines=tuple(change.text for change in found),
    )
    jobs = (_recheck(command, now),) if any(row.reverify for row in rows) else ()
    return Decided(state=command.rules, also=(change, *jobs), answer=command.rules)


def _recheck(command: LoadRules, now: datetime) -> NewJob:
    parameters = Recheck(country=command.rules.country)
    return NewJob.of(
        command.caller, job_id=command.change_id, kind=RECHECK_DIDS, now=now, parameters=parameters
    )


def rule_changes(current: CountryRules | None, rules: CountryRules, today: date) -> Iterator[RuleChange]:
    """Yield the changes that loading the rules makes: in the order of the file, then the rows that it drops."""
    if current is None:
        yield RuleChange(kind="country", text=f"{rules.country}: the country is new in the catalogue")
    elif (current.languages, dict(current.places)) != (rules.languages, dict(rules.places)):
        yield RuleChange(kind="names", text=f"{rules.country}: languages or place names change")
    before = {(row.key, row.version): row for row in (current.requirements if current else ())}
    for row in rules.requirements:
        known = before.pop((row.key, row.version), None)
        if known is None:
            yield RuleChange(kind="added", text=f"{_name(row)} is new, {_dates(row)}", row=row)
        elif known != row:
            yield _changed(known, row, today)
    for row in before.values():
        begun = _begun(row, today)
        yield RuleChange(
            kind="dropped", text=f"{_name(row)} is removed{_why(begun=begun)}", row=row, begun=begun
        )


def _changed(known: Requirement, row: Requirement, today: date) -> RuleChange:
    ends_later = row.effective_to is None or row.effective_to > today
    ended = replace(known, effective_to=row.effective_to, sources=row.sources)
    if ended == row and ends_later and (known.effective_to is None or known.effective_to > today):
        return RuleChange(kind="ended", text=f"{_name(row)} is {_dates(row)}", row=row)
    begun = _begun(known, today)
    return RuleChange(kind="changed", text=f"{_name(row)} changes{_why(begun=begun)}", row=row, begun=begun)


def _begun(row: Requirement, today: date) -> bool:
    return row.effective_from <= today


def _why(*, begun: bool) -> str:
    return ", but it is already in force: write the change as a new version" if begun else ""


def _name(row: Requirement) -> str:
    return f"{row.key} version {row.version}"


def _dates(row: Requirement) -> str:
    until = f" until {row.effective_to}" if row.effective_to else ""
    again = (
        f"; approved DIDs must be verified again, their approval counts until {row.grace_until}"
        if row.reverify
        else ""
    )
    return f"in force from {row.effective_from}{until}{again}"
