"""The catalogue as values: what each country requires, by number type, end-user type, version and date.

If a country has no row in force for a number type, the row of `ANYWHERE` applies, so unknown regulation fails closed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal, get_args

from didflow_chassis.decision import Known
from didflow_contracts.vocabulary import EndUserType, NumberType

ANYWHERE = "*"
"""The key of the rules for numbers whose country has no row, and for numbers of no country."""

AddressMatch = Literal["none", "country", "region", "area"]


@dataclass(frozen=True, kw_only=True)
class IdentityField:
    """One required identity field. `pattern` and `checksum` are applied to the compact form.

    `applies_to` limits the field to one end-user type. A field with `when_given` is optional. `unless` lists the
    details that replace the field (`identity.<field>` or `document.<kind>`). With `checksum_warns`, a wrong check
    character does not fail the check: a reviewer decides. `text` is for customers, `note` for operators.
    """

    field: str
    pattern: str | None = None
    checksum: str | None = None
    applies_to: EndUserType | None = None
    when_given: bool = False
    unless: tuple[str, ...] = ()
    checksum_warns: bool = False
    text: str | None = None
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class AddressRule:
    """Whether an address is required, where it must be, and whether it must be proved (None: unknown)."""

    required: bool
    match: AddressMatch
    proof: bool | None


@dataclass(frozen=True, kw_only=True)
class DocumentGroup:
    """A group of documents. One accepted document satisfies it if it is at most `max_age_days` days old."""

    group: str
    accepts: tuple[str, ...]
    max_age_days: int | None = None


@dataclass(frozen=True, kw_only=True)
class CrossCheck:
    """Two values that must agree: data on a document (`left`), and the identity or the address (`equals`)."""

    left: str
    equals: str


@dataclass(frozen=True, kw_only=True)
class Restriction:
    """A condition with a stable code. Some codes are checked by the service, the others by a reviewer.

    `years` is used by `minimum_age` only. `text` is for customers and reviewers, `note` for operators.
    """

    code: str
    text: str
    years: int | None = None
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class Review:
    """Whether a person must review each submission, and how long a review usually takes."""

    manual: bool
    typical_business_days: int | None = None


@dataclass(frozen=True, kw_only=True)
class Source:
    """The public page that a rule comes from, and what the page said: `seen` is for operators.

    Without a `url`, the source is an assumption or the rule of the service itself.
    """

    title: str
    publisher: str
    url: str | None
    seen: str


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """One row: what is required from `effective_from` on and before `effective_to` (both 00:00 UTC).

    With `reverify`, DIDs that were approved under an earlier version must be verified again from `effective_from`
    on. Their approval still counts until `grace_until` (00:00 UTC). Source: spec verification, Catalogue.
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
        """Return True if the result depends on the prefix of the number."""
        return self.address.match in {"area", "region"}


@dataclass(frozen=True, kw_only=True)
class CountryRules:
    """All rows of one country in all versions, and the names of its places.

    `languages` (ISO 639-1) are the languages, besides English, in which places are named. `places` adds names to a
    prefix (`+49` and the area code) if the names of the numbering plan are not enough.
    """

    country: str
    languages: tuple[str, ...] = ()
    places: Mapping[str, tuple[str, ...]]
    requirements: tuple[Requirement, ...]

    def in_force(self, number_type: str, day: date) -> tuple[Requirement, ...]:
        """Return the rows for a number type on a day: for each key, the newest version that has begun."""
        newest: dict[str, Requirement] = {}
        for row in self.requirements:
            if row.number_type in {number_type, "any"} and row.effective_from <= day:
                before = newest.get(row.key)
                if before is None or row.version > before.version:
                    newest[row.key] = row
        return tuple(row for row in newest.values() if row.effective_to is None or day < row.effective_to)


def utc_day(instant: datetime) -> date:
    """Return the UTC day of an instant."""
    return instant.astimezone(UTC).date()


def rules_of(country: str, known: Known) -> tuple[CountryRules | None, CountryRules | None]:
    """Return the rules of a country and the rules of `ANYWHERE`, as loaded for the decision."""
    return known.get(CountryRules, country), known.get(CountryRules, ANYWHERE)


def all_rows(rules: CountryRules | None, anywhere: CountryRules | None) -> tuple[Requirement, ...]:
    """Return the rows of a country in all versions, then the rows of `ANYWHERE`."""
    return (*(rules.requirements if rules else ()), *(anywhere.requirements if anywhere else ()))


def rows_in_force(
    rules: CountryRules | None, anywhere: CountryRules | None, number_type: str, day: date
) -> tuple[Requirement, ...]:
    """Return the rows that apply to a number on a day. The result is never empty.

    Raises LookupError if the catalogue was not loaded. Source: spec lifecycle, Registration.
    """
    rows = rules.in_force(number_type, day) if rules else ()
    if not rows and anywhere:
        rows = anywhere.in_force(number_type, day)
    if not rows:
        raise LookupError("The catalogue is empty: it has no row for anywhere. Run the migration.")
    return rows


def earlier_version(
    rules: CountryRules | None, anywhere: CountryRules | None, today: Requirement, version: int
) -> Requirement | None:
    """Return an earlier version of a row, or the row itself.

    Return None if the catalogue no longer has that version, or if a later version has `reverify`.
    """
    rows = all_rows(rules, anywhere)
    since = [row for row in rows if row.key == today.key and version <= row.version <= today.version]
    if any(row.reverify for row in since if row.version > version):
        return None
    return next((row for row in since if row.version == version), None)


def row_in_version(
    rules: CountryRules | None, anywhere: CountryRules | None, key: str, version: int
) -> Requirement | None:
    """Return a row in one of its versions, or None if the catalogue no longer has it."""
    found = (row for row in all_rows(rules, anywhere) if (row.key, row.version) == (key, version))
    return next(found, None)


def row_for(rows: tuple[Requirement, ...], end_user_type: str | None) -> Requirement | None:
    """Return the row for an end-user type, or None if no row covers that type."""
    return next((row for row in rows if end_user_type in row.end_user_types), None)


def shown_row(rows: tuple[Requirement, ...], end_user_type: EndUserType | None) -> Requirement:
    """Return the row to show until an identity is assigned: the one of the purchase's type, or the first."""
    return row_for(rows, end_user_type) or rows[0]


def is_required(rows: tuple[Requirement, ...], end_user_type: EndUserType | None) -> bool:
    """Return True if a number that was bought for an end-user type (None: unknown) needs a registration.

    It needs none only if no row in force requires one and a row covers the type; an unknown type can be each of them.
    So a row that requires something of one type is not avoided by naming the other type in the purchase. The row that
    details are checked against is that of the identity's own type. Source: spec lifecycle, Registration.
    """
    types = get_args(EndUserType) if end_user_type is None else (end_user_type,)
    return any(row.required for row in rows) or any(row_for(rows, each) is None for each in types)
