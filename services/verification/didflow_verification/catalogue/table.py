"""Writes the catalogue as a page for people: what each row asks for, of whom, since when, and where it was read."""

from collections.abc import Iterable, Iterator
from typing import Final

from didflow_verification.domain.catalogue.rules import (
    AddressRule,
    CountryRules,
    DocumentGroup,
    IdentityField,
    Requirement,
)

HEAD: Final = """# What countries ask for

Made by `didflow-verification catalogue table` from the files in `didflow_verification/catalogue/`; a test holds it
against them. What a deployment goes by is in its database: `didflow-verification catalogue show`. The rows were
put together from public pages, for tests and demonstrations; they are not legal advice.

Of each row: the numbers and end users that it is for, what is asked for, and since when. A field in brackets need
not be given, but is judged where it is; ✓ marks an identifier whose check character is judged. `*` is everywhere
that no row speaks of.
"""

_PLACES: Final = {
    "none": "anywhere",
    "country": "in the number's country",
    "region": "in the number's region",
    "area": "in the area of the prefix",
}
_PROOF: Final = {True: ", proved", False: "", None: ", proof unknown"}


def as_markdown(countries: Iterable[CountryRules]) -> str:
    """Return the whole page."""
    countries = tuple(countries)
    parts = [HEAD, "\n".join(_overview(countries)), *(_country(rules) for rules in countries)]
    return "\n".join(parts) + "\n"


def _overview(countries: Iterable[CountryRules]) -> Iterator[str]:
    yield "| country | row | version | numbers | end users | since | until | asked for | a person reviews |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for rules in countries:
        for row in rules.requirements:
            yield (
                f"| `{rules.country}` | `{row.key}` | {row.version} | {row.number_type} | "
                f"{', '.join(row.end_user_types)} | {row.effective_from} | {row.effective_to or ''} | "
                f"{'yes' if row.required else 'nothing'} | {'yes' if row.review.manual else 'no'} |"
            )
    yield ""


def _country(rules: CountryRules) -> str:
    return "\n".join(["", f"## {rules.country}", *(_row(row) for row in rules.requirements)])


def _row(row: Requirement) -> str:
    said = [*(_asked(row) if row.required else [("asked for", "nothing")]), *_conditions(row)]
    sources = (f"- {_source(s.title, s.publisher, s.url)}: {s.seen}" for s in row.sources)
    head = ["", f"### `{row.key}` version {row.version}", "", "| | |", "|---|---|"]
    return "\n".join(
        [*head, *(f"| {name} | {_cell(text)} |" for name, text in said), "", "Sources:", "", *sources]
    )


def _asked(row: Requirement) -> Iterator[tuple[str, str]]:
    for kind in row.end_user_types:
        fields = [_field(field) for field in row.identity_fields if field.applies_to in {None, kind}]
        yield kind, ", ".join(fields) or "no fields"
    yield "address", _address(row.address)
    for group in row.documents:
        yield group.group, _papers(group)
    if row.cross_checks:
        yield "must agree", ", ".join(f"`{c.left}` with `{c.equals}`" for c in row.cross_checks)


def _conditions(row: Requirement) -> Iterator[tuple[str, str]]:
    for restriction in row.restrictions:
        yield restriction.code, restriction.text
    if row.reverify:
        yield "asked anew", f"those approved before; they count until {row.grace_until}"


def _field(field: IdentityField) -> str:
    name = f"`{field.field}`{' ✓' if field.checksum else ''}"
    if field.unless:
        return f"{name} (or {', '.join(f'`{path}`' for path in field.unless)})"
    return f"[{name}]" if field.when_given else name


def _address(rule: AddressRule) -> str:
    if not rule.required:
        return "not needed"
    return f"{_PLACES[rule.match]}{_PROOF[rule.proof]}"


def _papers(group: DocumentGroup) -> str:
    age = f", at most {group.max_age_days} days old" if group.max_age_days is not None else ""
    return f"one of {', '.join(f'`{kind}`' for kind in group.accepts)}{age}"


def _source(title: str, publisher: str, url: str | None) -> str:
    named = title if title == publisher else f"{title} ({publisher})"
    return f"[{named}]({url})" if url else named


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
