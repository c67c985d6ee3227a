"""A country's rules are replaced by others: what a version says that has begun stays as it was.

Verifications keep the version that they were judged by, so that version has to stay readable.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from didflow_chassis.decision import Decided, Decision, Refused, Unchanged
from didflow_verification.domain.catalogue.commands import LoadRules
from didflow_verification.domain.catalogue.rules import CountryRules, Requirement

ChangeKind = Literal["country", "names", "added", "changed", "ended", "dropped"]


@dataclass(frozen=True, kw_only=True)
class Change:
    """One thing that a file changes. `row` is the row as it will be; `begun` is against the rules of loading."""

    kind: ChangeKind
    text: str
    row: Requirement | None = None
    begun: bool = False


class CatalogueChange(Struct, frozen=True, kw_only=True):
    """That a country's rules were loaded, when, by whom and what changed.

    Writing it with `anew` makes every living DID that a version with `reverify` may turn due to be looked at.
    """

    change_id: UUID
    country: str
    changed_at: datetime
    changed_by: str
    lines: tuple[str, ...]
    anew: bool


def load_rules(current: CountryRules | None, command: LoadRules, now: datetime) -> Decision:
    """Take over a country's rules. Refused `version_begun` where a version that has begun would change or go."""
    found = tuple(changes(current, command.rules, now.astimezone(UTC).date()))
    wrong = next((change for change in found if change.begun), None)
    if wrong is not None:
        return Refused("version_begun", wrong.text)
    if not found:
        return Unchanged(answer=command.rules)
    rows = (*(current.requirements if current else ()), *command.rules.requirements)
    noted = CatalogueChange(
        change_id=command.change_id,
        country=command.rules.country,
        changed_at=now,
        changed_by=command.caller.subject,
        lines=tuple(change.text for change in found),
        anew=any(row.reverify for row in rows),
    )
    return Decided(state=command.rules, also=(noted,), answer=command.rules)


def changes(current: CountryRules | None, rules: CountryRules, today: date) -> Iterator[Change]:
    """Yield what loading the rules changes, in the order of the file, what it drops at the end."""
    if current is None:
        yield Change(kind="country", text=f"{rules.country}: a country that the catalogue does not know yet")
    elif (current.languages, dict(current.places)) != (rules.languages, dict(rules.places)):
        yield Change(kind="names", text=f"{rules.country}: languages or names of places")
    before = {(row.key, row.version): row for row in (current.requirements if current else ())}
    for row in rules.requirements:
        known = before.pop((row.key, row.version), None)
        if known is None:
            yield Change(kind="added", text=f"{_name(row)} is new, {_dates(row)}", row=row)
        elif known != row:
            yield _changed(known, row, today)
    for row in before.values():
        gone = _begun(row, today)
        yield Change(kind="dropped", text=f"{_name(row)} is gone{_why(begun=gone)}", row=row, begun=gone)


def _changed(known: Requirement, row: Requirement, today: date) -> Change:
    ends_later = row.effective_to is None or row.effective_to > today
    ended = replace(known, effective_to=row.effective_to, sources=row.sources)
    if ended == row and ends_later and (known.effective_to is None or known.effective_to > today):
        return Change(kind="ended", text=f"{_name(row)} is {_dates(row)}", row=row)
    begun = _begun(known, today)
    return Change(
        kind="changed", text=f"{_name(row)} says something else{_why(begun=begun)}", row=row, begun=begun
    )


def _begun(row: Requirement, today: date) -> bool:
    return row.effective_from <= today


def _why(*, begun: bool) -> str:
    return ", but it has begun: give what is new another version" if begun else ""


def _name(row: Requirement) -> str:
    return f"{row.key} version {row.version}"


def _dates(row: Requirement) -> str:
    until = f" and before {row.effective_to}" if row.effective_to else ""
    anew = f"; those approved before are asked anew and count until {row.grace_until}" if row.reverify else ""
    return f"in force from {row.effective_from} on{until}{anew}"
