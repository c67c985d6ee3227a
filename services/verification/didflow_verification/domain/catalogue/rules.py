"""What a country asks for, as values: rows by number type, end-user type, version and date.

A country without a row in force for a number type is answered by the row of `ANYWHERE`: it fails closed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from didflow_chassis.decision import Known
from didflow_contracts.vocabulary import EndUserType, NumberType

ANYWHERE = "*"
"""The key of the rules for numbers whose country has no row, and for numbers of no country."""

AddressMatch = Literal["none", "country", "region", "area"]


@dataclass(frozen=True, kw_only=True)
class IdentityField:
    """One field asked for. `pattern` and `checksum` look at the compact form.

    `applies_to` limits it to one end-user type. With `when_given` it may be left out; `unless` names what
    stands in for it (`identity.<field>` or `document.<kind>`). With `checksum_warns` a wrong check character
    is left to a person.
    """

    field: str
    pattern: str | None = None
    checksum: str | None = None
    applies_to: EndUserType | None = None
    when_given: bool = False
    unless: tuple[str, ...] = ()
    checksum_warns: bool = False
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class AddressRule:
    """Whether an address is needed, where it must lie, and whether it is proved (None: unknown)."""

    required: bool
    match: AddressMatch
    proof: bool | None


@dataclass(frozen=True, kw_only=True)
class DocumentGroup:
    """A need that one document of an accepted kind meets, issued at most `max_age_days` days ago."""

    group: str
    accepts: tuple[str, ...]
    max_age_days: int | None = None


@dataclass(frozen=True, kw_only=True)
class CrossCheck:
    """Two things that must agree: what a document states, and the identity or the address."""

    left: str
    equals: str


@dataclass(frozen=True, kw_only=True)
class Restriction:
    """A condition in words under a stable code; some codes are judged, the others are a reviewer's.

    `years` belongs to `minimum_age` alone.
    """

    code: str
    text: str
    years: int | None = None


@dataclass(frozen=True, kw_only=True)
class Review:
    """Whether a person must look at each submission, and how long that usually takes."""

    manual: bool
    typical_business_days: int | None = None


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a rule was read, and what was seen there."""

    title: str
    publisher: str
    url: str | None
    seen: str


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """One row: what is asked for, from `effective_from` on and before `effective_to` (both 00:00 UTC).

    With `reverify` those approved under an earlier version are asked anew from `effective_from` on, and count
    until `grace_until` (00:00 UTC). Source: spec verification, Catalogue.
    """

    key: str
    number_type: NumberType | Literal["any"]
    end_user_types: tuple[EndUserType, ...]
    version: int
    effective_from: date
    effective_to: date | None = None
    reverify: bool = False
    grace_until: date | None = None
    required: bool
    identity_fields: tuple[IdentityField, ...]
    address: AddressRule
    documents: tuple[DocumentGroup, ...]
    cross_checks: tuple[CrossCheck, ...]
    restrictions: tuple[Restriction, ...]
    review: Review
    sources: tuple[Source, ...]

    @property
    def by_area(self) -> bool:
        """Whether the answer depends on the number's prefix."""
        return self.address.match in {"area", "region"}


@dataclass(frozen=True, kw_only=True)
class CountryRules:
    """All that the catalogue says of one country: its rows in all versions, and what its places are called.

    `languages` (ISO 639-1) are those in which its places are named besides English; `places` adds names to
    prefixes (`+49` and area code) where the numbering plan's own are not enough.
    """

    country: str
    languages: tuple[str, ...] = ()
    places: Mapping[str, tuple[str, ...]]
    requirements: tuple[Requirement, ...]

    def in_force(self, number_type: str, day: date) -> tuple[Requirement, ...]:
        """Return the rows for a number type on a day: of each key the newest version that has begun."""
        newest: dict[str, Requirement] = {}
        for row in self.requirements:
            if row.number_type in {number_type, "any"} and row.effective_from <= day:
                before = newest.get(row.key)
                if before is None or row.version > before.version:
                    newest[row.key] = row
        return tuple(row for row in newest.values() if row.effective_to is None or day < row.effective_to)


def rules_of(country: str, known: Known) -> tuple[CountryRules | None, CountryRules | None]:
    """Return the rules of a country and those of anywhere, as the handler declared them."""
    return known.get(CountryRules, country), known.get(CountryRules, ANYWHERE)


def rows_in_force(
    rules: CountryRules | None, anywhere: CountryRules | None, number_type: str, day: date
) -> tuple[Requirement, ...]:
    """Return the rows that a number is judged by on a day; never empty.

    Raises LookupError where the catalogue was not loaded. Source: spec lifecycle, Registration.
    """
    rows = rules.in_force(number_type, day) if rules else ()
    if not rows and anywhere:
        rows = anywhere.in_force(number_type, day)
    if not rows:
        raise LookupError("the catalogue has no row, not even for anywhere")
    return rows


def forerunner(
    rules: CountryRules | None, anywhere: CountryRules | None, today: Requirement, version: int
) -> Requirement | None:
    """Return an earlier version of a row (or itself), or None where the catalogue has it no more.

    None too where a version since then wants everybody asked anew.
    """
    rows = (*(rules.requirements if rules else ()), *(anywhere.requirements if anywhere else ()))
    since = [row for row in rows if row.key == today.key and version <= row.version <= today.version]
    if any(row.reverify for row in since if row.version > version):
        return None
    return next((row for row in since if row.version == version), None)


def row_for(rows: tuple[Requirement, ...], end_user_type: str | None) -> Requirement | None:
    """Return the row of an end-user type, or None where the rows leave that type out."""
    return next((row for row in rows if end_user_type in row.end_user_types), None)
